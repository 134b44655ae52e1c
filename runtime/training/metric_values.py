"""Looks up one number in the results of several metrics."""

from collections.abc import Mapping

from runtime.errors import RunError

Results = Mapping[str, Mapping[str, float]]


def find_value(results: Results, name: str) -> float:
    """The value called `name` (`NDS`, `IoU/divider`) or `<metric>/<name>` (`bev_det/NDS`).

    Raises:
        RunError: no metric has it, or several have.
    """
    flat = {f"{metric}/{key}": value for metric, values in results.items() for key, value in values.items()}
    if name in flat:
        return flat[name]
    found = [key for key in flat if key.split("/", 1)[1] == name]
    if len(found) == 1:
        return flat[found[0]]
    reason = f"is ambiguous: {', '.join(found)}" if found else "is not among the evaluated metrics"
    raise RunError(f"metric `{name}` {reason}", hint=f"there are {', '.join(flat) or 'none'}")


def headline(results: Results) -> str:
    """The few numbers to print after a validation: those that are not of one class and not an error term."""
    parts = [
        f"{key} {value:.4f}"
        for values in results.values()
        for key, value in values.items()
        if "/" not in key and not (key.startswith("mA") and key.endswith("E"))
    ]
    return "  ".join(parts)
