"""What packing tells of its progress, remembered."""


class Steps:
    """A progress callback that remembers, and can stop the packing."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.seen: list[tuple[int, int, str]] = []
        self.stop_at = stop_at

    def __call__(self, done: int, total: int, text: str) -> None:
        self.seen.append((done, total, text))
        if text == "packing" and done == self.stop_at:
            raise KeyboardInterrupt

    @property
    def first_packed(self) -> int:
        """Samples that were there when packing began."""
        return next(done for done, _, text in self.seen if text == "packing")
