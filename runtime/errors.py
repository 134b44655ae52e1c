"""The one exception that stands for a mistake a person can mend: a missing file, a damaged pack, a wrong value."""


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
