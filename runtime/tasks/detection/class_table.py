"""Which task and which heatmap channel each class belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ClassTable:
    """Classes grouped into tasks, each task with a heatmap of its own.

    Args:
        class_names: classes in label order.
        tasks: the class names of each task, in channel order.

    Raises:
        ValueError: a task is empty, or names a class that is unknown or that another task has.
    """

    class_names: tuple[str, ...]
    tasks: tuple[tuple[str, ...], ...]

    @classmethod
    def build(cls, class_names: Sequence[str], tasks: Sequence[Sequence[str]]) -> ClassTable:
        """The table of plain lists, as specs write them."""
        return cls(tuple(class_names), tuple(tuple(task) for task in tasks))

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for task in self.tasks:
            if not task:
                raise ValueError("a detection task has no classes")
            for name in task:
                if name not in self.class_names:
                    raise ValueError(f"class `{name}` of a task is not one of {', '.join(self.class_names)}")
                if name in seen:
                    raise ValueError(f"class `{name}` stands in more than one task")
                seen.add(name)

    @property
    def channels(self) -> tuple[int, ...]:
        """Number of heatmap channels of each task."""
        return tuple(len(task) for task in self.tasks)

    @property
    def labels(self) -> tuple[tuple[int, ...], ...]:
        """For each task the label of each of its channels."""
        return tuple(tuple(self.class_names.index(name) for name in task) for task in self.tasks)

    @property
    def task_of_label(self) -> tuple[int, ...]:
        """For each label its task; -1 for a class that no task has."""
        return tuple(
            next((t for t, task in enumerate(self.tasks) if name in task), -1) for name in self.class_names
        )

    @property
    def channel_of_label(self) -> tuple[int, ...]:
        """For each label its channel, counted over the heatmaps of all tasks in a row; -1 without a task."""
        order = [name for task in self.tasks for name in task]
        return tuple(order.index(name) if name in order else -1 for name in self.class_names)
