"""Whether an error is the consequence of a request to end."""


def is_interruption(error: BaseException) -> bool:
    """`KeyboardInterrupt`, or an error that took its place while the work was left.

    A request to end that goes to a whole group of processes ends the data workers as well, and torch tells of
    that by an error of its own, in the midst of the leaving.
    """
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        if isinstance(link, KeyboardInterrupt):
            return True
        seen.add(id(link))
        link = link.__cause__ or link.__context__
    return False
