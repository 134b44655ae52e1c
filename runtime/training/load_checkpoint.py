"""Starts a model from the weights of a file and tells every key that does not fit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from runtime.errors import RunError
from runtime.training.report import say
from runtime.training.state_dict_file import read_state_dict
from runtime.training.trained_runs import find_trained

_SHOWN = 5
_OWN_HINT = "take the checkpoint of this experiment, or build the experiment that it was trained with"


class LoadCheckpoint:
    """A converter that loads weights into a model.

    A file of backbone weights alone (such as ImageNet weights) goes under `backbone.` when none of its keys
    is one of the model's; the backbone's own `convert_pretrained(weights)` is asked first where it has one,
    because public files name their layers differently.

    Args:
        checkpoint_path: `.safetensors`, or a torch archive of plain tensors.
        stage: instead of a path: the best weights of the newest finished run of this stage.
        allow_miss: keys that the file lacks keep their initial values.
        ignore_extra: keys that the model lacks are left out.
        verbose: list every such key, not the first five.

    Raises:
        ValueError: not exactly one of `checkpoint_path` and `stage`.
    """

    def __init__(
        self,
        *,
        checkpoint_path: str | None = None,
        stage: str | None = None,
        allow_miss: bool = False,
        ignore_extra: bool = False,
        verbose: bool = False,
    ) -> None:
        if (checkpoint_path is None) == (stage is None):
            raise ValueError(f"checkpoint_path is {checkpoint_path!r} and stage {stage!r}: give one of them")
        self.checkpoint_path = checkpoint_path
        self.stage = stage
        self.allow_miss = allow_miss
        self.ignore_extra = ignore_extra
        self.verbose = verbose

    def path(self, experiment: Path | None) -> Path:
        """The file that is loaded.

        Args:
            experiment: directory in whose runs a stage is looked for.

        Raises:
            RunError: the file is not there, the stage has no finished run, or no experiment is given.
        """
        if self.checkpoint_path is not None:
            path = Path(self.checkpoint_path)
            if not path.is_file():
                raise RunError(
                    "no such checkpoint",
                    place=str(path),
                    hint="put it there, or name another `checkpoint_path` in the spec; float training starts "
                    "without one when built with `--set stages.float.model_convert_pipeline=null`",
                )
            return path
        assert self.stage is not None
        if experiment is None:
            raise RunError(
                f"the weights of the stage `{self.stage}` are those of an experiment, and none is given"
            )
        return find_trained(experiment, self.stage)

    def __call__(self, model: nn.Module) -> nn.Module:
        """`load` without an experiment."""
        return self.load(model, None)

    def load(self, model: nn.Module, experiment: Path | None) -> nn.Module:
        """Load into `model` in place and return it.

        Raises:
            RunError: the file cannot be read, or keys are missing, extra or of another shape without leave;
            nothing is loaded then.
        """
        path = self.path(experiment)
        weights = _under_model_keys(read_state_dict(path), model)
        load_into(
            model,
            weights,
            place=str(path),
            allow_miss=self.allow_miss,
            ignore_extra=self.ignore_extra,
            verbose=self.verbose,
        )
        return model


def load_into(
    model: nn.Module,
    weights: Mapping[str, Tensor],
    *,
    place: str,
    allow_miss: bool = False,
    ignore_extra: bool = False,
    verbose: bool = False,
) -> None:
    """Copy `weights` into `model`, all that fit or, where something does not and has no leave, nothing.

    Raises:
        RunError: keys are missing, extra or of another shape; or nothing at all fits.
    """
    own = model.state_dict()
    missing = [key for key in own if key not in weights]
    extra = [key for key in weights if key not in own]
    mismatched = [
        f"{key} is {tuple(weights[key].shape)} in the file, {tuple(own[key].shape)} in the model"
        for key in own
        if key in weights and weights[key].shape != own[key].shape
    ]
    findings = [("missing", missing), ("extra", extra), ("mismatched", mismatched)]
    shown = None if verbose else _SHOWN
    report = "; ".join(f"{len(keys)} {name}: {_listed(keys, shown)}" for name, keys in findings if keys)
    if own and len(missing) == len(own):
        raise RunError(
            f"this is a checkpoint of another model, no key fits ({report})", place=place, hint=_OWN_HINT
        )
    if mismatched or (missing and not allow_miss) or (extra and not ignore_extra):
        raise RunError(
            f"the weights do not fit the model ({report})",
            place=place,
            hint=_hint(missing, mismatched, allow_miss),
        )
    model.load_state_dict({key: weights[key] for key in own if key in weights}, strict=False)
    left_out = f"; {report}" if report else ""
    say(f"loaded {len(own) - len(missing)} of {len(own)} tensors from {place}{left_out}")


def _under_model_keys(weights: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    own = model.state_dict().keys()
    backbone = getattr(model, "backbone", None)
    if any(key in own for key in weights) or not isinstance(backbone, nn.Module):
        return weights
    convert = getattr(backbone, "convert_pretrained", None)
    converted: Mapping[str, Tensor] = convert(weights) if convert is not None else weights
    under = {f"backbone.{key}": value for key, value in converted.items()}
    return under if any(key in own for key in under) else weights


def _listed(keys: Sequence[str], shown: int | None) -> str:
    head = ", ".join(keys[:shown])
    return head if shown is None or len(keys) <= shown else f"{head}, ..."


def _hint(missing: Sequence[str], mismatched: Sequence[str], allow_miss: bool) -> str:
    if mismatched:
        return _OWN_HINT
    return (
        "set `allow_miss: true` to start the rest afresh"
        if missing and not allow_miss
        else "set `ignore_extra: true`"
    )
