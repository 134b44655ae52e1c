"""Components of a user: found beside their modules, checked, used like those that come with specgen."""
