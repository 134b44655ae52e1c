"""A graph for people who want to look into it: as a JSON document, and as a table for a terminal."""
