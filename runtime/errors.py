"""The exception for what a person can mend: a missing file, a damaged pack, a wrong value."""

import errno


class RunError(Exception):
    """A problem that its reader can act on, shown as one message without a traceback.

    Args:
        message: what is wrong, with the values at odds, in one sentence without a full stop.
        hint: the next step, when there is a sure one.
        place: where it is: a file, a sample token, a key.
    """

    def __init__(self, message: str, *, hint: str | None = None, place: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place

    def __str__(self) -> str:
        """`place: error: message` and, on a second line, the hint."""
        head = f"{self.place}: error: {self.message}" if self.place else f"error: {self.message}"
        return f"{head}\nhint: {self.hint}" if self.hint else head


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG),
)


def disk_error(error: OSError) -> RunError | None:
    """What a failed write or read tells a person, None for an error that is not about folders and disks."""
    place = None if error.filename is None else str(error.filename)
    if error.errno in _FULL:
        return RunError("no space left on the disk", place=place, hint="free some space, then go on")
    if error.errno in _REFUSED:
        hint = "check that the folder is there and may be written"
        return RunError(error.strerror or str(error), place=place, hint=hint)
    return None
