"""The `checkpoints/` folder of a run: what is saved, in which order, and how a run starts again from it.

`last.safetensors` names the `.state.pt` file that belongs to it and is renamed into place after that file
exists; older state files are removed after that. So a run killed at any instant leaves a pair that fits.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from torch import Tensor, nn

from runtime.errors import RunError
from runtime.training.weights_file import load_metadata, load_state, load_weights, save_state, save_weights


@dataclass(frozen=True)
class ResumePoint:
    """Where an interrupted run goes on: weights, trainer state, and counters at the end of an epoch."""

    weights: Mapping[str, Tensor]
    state: Mapping[str, Any]
    epoch: int
    step: int
    path: Path


class RunCheckpoints:
    """Writes and finds the checkpoints of one run.

    Args:
        folder: made when missing.
        identity: what each checkpoint tells of its origin: stage, experiment, run.
    """

    def __init__(self, folder: Path, identity: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.identity = dict(identity or {})
        self.last = folder / "last.safetensors"
        self.best = folder / "best.safetensors"

    def save_best(self, module: Any, *, epoch: int) -> None:
        """Write the model's weights as `best`."""
        save_weights(self.best, module.model.state_dict(), self._metadata(module, epoch))

    def save_last(self, module: Any, trainer: Any, *, epoch: int) -> None:
        """Write weights and trainer state as `last`."""
        state_file = self.folder / f"step-{module.step:08d}.state.pt"
        save_state(state_file, _trainer_state(trainer, epoch=epoch, step=module.step))
        save_weights(
            self.last, module.model.state_dict(), {**self._metadata(module, epoch), "state": state_file.name}
        )
        for old in self.folder.glob("step-*.state.pt"):
            if old != state_file:
                with contextlib.suppress(OSError):
                    old.unlink()

    def save_calibrated(
        self,
        model: nn.Module,
        *,
        step: int,
        metrics: Mapping[str, Mapping[str, float]],
        output_digest: str | None = None,
    ) -> None:
        """Write a calibrated model as `best`: there is one only, and nothing to resume."""
        metadata = {**self.identity, "epoch": 0, "step": step, "metrics": metrics, **_digest(output_digest)}
        save_weights(self.best, model.state_dict(), metadata)

    def _metadata(self, module: Any, epoch: int) -> dict[str, Any]:
        return {
            **self.identity,
            "epoch": epoch,
            "step": module.step,
            "metrics": module.results,
            **_digest(module.output_digest),
        }

    def exists(self) -> bool:
        """Whether there is something to resume from."""
        return self.last.is_file()

    def resume_point(self) -> ResumePoint:
        """Read `last`.

        Raises:
            RunError: there is none yet, or its files are damaged or do not fit together.
        """
        if not self.exists():
            raise RunError(
                "this run was stopped before its first checkpoint",
                place=str(self.folder),
                hint="start a new run",
            )
        metadata = load_metadata(self.last)
        state_file = self.folder / Path(str(metadata.get("state", "missing.state.pt"))).name
        state = load_state(state_file)
        if state.get("step") != metadata.get("step"):
            raise RunError(
                f"`{self.last.name}` is of step {metadata.get('step')}, "
                f"`{state_file.name}` of step {state.get('step')}",
                place=str(self.folder),
                hint="copy both files from one run",
            )
        weights, _ = load_weights(self.last)
        return ResumePoint(weights, state, int(state["epoch"]), int(state["step"]), self.last)


def _digest(output_digest: str | None) -> dict[str, str]:
    return {} if output_digest is None else {"output_digest": output_digest}


def _trainer_state(trainer: Any, *, epoch: int, step: int) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "step": step,
        "optimizer": trainer.optimizers[0].state_dict(),
        "precision": trainer.precision_plugin.state_dict(),
        "callbacks": {
            type(callback).__name__: callback.state_dict() for callback in stateful(trainer.callbacks)
        },
    }


def restore_trainer_state(trainer: Any, state: Mapping[str, Any]) -> None:
    """Put back optimiser, loss scaling and callbacks; weights and counters are the trainer's own affair."""
    trainer.optimizers[0].load_state_dict(state["optimizer"])
    if state["precision"]:
        trainer.precision_plugin.load_state_dict(state["precision"])
    for callback in stateful(trainer.callbacks):
        if type(callback).__name__ in state["callbacks"]:
            callback.load_state_dict(state["callbacks"][type(callback).__name__])


def stateful(callbacks: Sequence[pl.Callback]) -> list[pl.Callback]:
    """The callbacks that have a state of their own."""
    return [callback for callback in callbacks if type(callback).state_dict is not pl.Callback.state_dict]
