"""The trainer of the stage `calibration`: finds the scales of a quantised model, without learning."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.utilities import move_data_to_device
from torch import nn
from torch.utils.data import DataLoader

from runtime.errors import RunError
from runtime.models.structure import BevStructure
from runtime.quantization.calibration import finish_observing, start_observing
from runtime.quantization.graph import find_graph, graph_of
from runtime.quantization.refinement.adaround import adaround
from runtime.quantization.refinement.bias_correction import correct_biases
from runtime.quantization.refinement.equalization import equalize
from runtime.quantization.refinement.layer_replay import FloatWeights
from runtime.training.batch_processor import BatchProcessor
from runtime.training.callbacks.checkpoint import Checkpoint
from runtime.training.callbacks.validation import Validation
from runtime.training.convert import ModelConvertPipeline
from runtime.training.device import resolve_device
from runtime.training.epoch_loader import EpochLoader, stop_workers
from runtime.training.evaluate_model import evaluate_model
from runtime.training.evaluation import Evaluation, limit_samples
from runtime.training.metric_values import headline
from runtime.training.output_digest import OutputDigest
from runtime.training.quantization_report import write_quantization_report
from runtime.training.report import duration, say
from runtime.training.run_checkpoints import ResumePoint, RunCheckpoints
from runtime.training.seeding import seed_everything
from runtime.training.stage_model import stage_model
from runtime.training.state_dict_file import read_state_dict

# Batches that equalisation, AdaRound and bias correction look at again and again; they stay in memory.
_KEPT_BATCHES = 8


class Calibrator:
    """Shows a quantised model some batches, chooses scales, judges the result in fixed point.

    Args:
        model: builds the float model.
        march: chip whose cycles the analysis counts.
        model_convert_pipeline: loads the float weights and quantises the model.
        data_loader: builds the loader of calibration samples.
        val_data_loader: builds the evaluation loader.
        val_metrics: metrics, each for the decoder of its `name`.
        batch_processor: number format of the forward pass while ranges are observed.
        num_steps: batches that are observed.
        device: `cpu`, `cuda`, `cuda:1`; None takes a GPU when there is one.
        callbacks: `Validation` judges the calibrated model, `Checkpoint` saves it.
        analysis_samples: calibration samples on which each tensor is quantised alone for the analysis, a
            forward pass each; 0: no analysis.
        log_interval: batches between two lines of the log.
        seed: of every draw.
    """

    def __init__(
        self,
        *,
        model: Callable[[], nn.Module],
        march: str | None = None,
        model_convert_pipeline: ModelConvertPipeline,
        data_loader: Callable[[], DataLoader],
        val_data_loader: Callable[[], DataLoader],
        val_metrics: Sequence[Any],
        batch_processor: BatchProcessor,
        num_steps: int,
        analysis_samples: int = 8,
        device: str | None = None,
        callbacks: Sequence[pl.Callback] = (),
        log_interval: int = 1,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.march = march
        self.model_convert_pipeline = model_convert_pipeline
        self.data_loader = data_loader
        self.val_data_loader = val_data_loader
        self.val_metrics = list(val_metrics)
        self.batch_processor = batch_processor
        self.num_steps = num_steps
        self.analysis_samples = analysis_samples
        self.device = device
        self.callbacks = list(callbacks)
        self.log_interval = log_interval
        self.seed = seed
        # One process sees all calibration samples, so that there is one set of ranges.
        self.num_devices = 1

    def fit(
        self,
        run_dir: Path,
        resume_from: ResumePoint | None = None,
        *,
        identity: Mapping[str, str] | None = None,
        on_data: Callable[[DataLoader, DataLoader], None] | None = None,
    ) -> dict[str, dict[str, float]]:
        """Calibrate, judge, save; the results by metric, empty without `Validation`.

        Args:
            run_dir: where the checkpoint goes.
            resume_from: None; a calibration is too short to be resumed.
            identity: written into the checkpoint.
            on_data: told the two loaders before anything is observed.

        Raises:
            RunError: bad checkpoint, a model that cannot be quantised, bad data.
            KeyboardInterrupt: Ctrl-C.
        """
        if resume_from is not None:
            raise RunError("a calibration is not resumed", hint="start it anew, without `--resume`")
        device = resolve_device(self.device)
        seed_everything(self.seed)
        model = self.model_convert_pipeline(self.model(), experiment=run_dir.parent.parent)
        if find_graph(model) is None or not isinstance(model, BevStructure):
            raise RunError(
                "the stage has no converter that quantises the model",
                hint="add `Float2Calibration` to `model_convert_pipeline`",
            )
        loader, val_loader = self.data_loader(), self.val_data_loader()
        if on_data is not None:
            on_data(loader, val_loader)
        model.to(device).eval()
        try:
            return self._fit(model, loader, val_loader, device, run_dir, identity)
        finally:
            stop_workers(loader)

    def _fit(
        self,
        model: BevStructure,
        loader: DataLoader,
        val_loader: DataLoader,
        device: str,
        run_dir: Path,
        identity: Mapping[str, str] | None,
    ) -> dict[str, dict[str, float]]:
        observed = self._calibrate(model, loader, device)
        results: dict[str, dict[str, float]] = {}
        digest = None
        if any(isinstance(callback, Validation) for callback in self.callbacks):
            evaluation = self._judge(model, val_loader, device)
            results, digest = evaluation.metrics, evaluation.output_digest
            say(
                f"validation of {evaluation.num_samples} samples in {duration(evaluation.seconds)}: "
                f"{headline(results)}"
            )
        if any(isinstance(callback, Checkpoint) for callback in self.callbacks):
            RunCheckpoints(run_dir / "checkpoints", identity).save_calibrated(
                model, step=observed, metrics=results, output_digest=digest
            )
        if self.analysis_samples > 0:
            write_quantization_report(
                run_dir,
                model,
                self._batches(loader, device),
                march=self.march,
                num_samples=2 * self.analysis_samples,
                sensitivity_samples=self.analysis_samples,
            )
        return results

    def evaluate(
        self,
        checkpoint: Path | None,
        *,
        num_samples: int | None = None,
        callbacks: Sequence[pl.Callback] = (),
    ) -> Evaluation:
        """Judge the weights of `checkpoint` in fixed point on the validation loader.

        Args:
            checkpoint: one of this stage.
            num_samples: only the first so many samples.
            callbacks: see each batch and its predictions in `on_validation_batch_end`.

        Raises:
            RunError: no checkpoint, or one of another model.
        """
        seed_everything(self.seed)
        weights = None if checkpoint is None else read_state_dict(checkpoint)
        model = stage_model(self.model, self.model_convert_pipeline, weights, place=str(checkpoint))
        loader = limit_samples(self.val_data_loader(), num_samples)
        return self._judge(model, loader, resolve_device(self.device), callbacks)

    def _judge(
        self, model: nn.Module, loader: DataLoader, device: str, callbacks: Sequence[pl.Callback] = ()
    ) -> Evaluation:
        return evaluate_model(
            model,
            loader,
            self.val_metrics,
            device=device,
            batch_processor=self.batch_processor,
            callbacks=callbacks,
            output_digest=OutputDigest(),
        )

    @torch.no_grad()
    def _calibrate(self, model: BevStructure, loader: DataLoader, device: str) -> int:
        """Choose the scales of `model`; how many batches it saw."""
        config = graph_of(model).config
        refines = config.equalization or config.bias_correction or config.adaround is not None
        batches = self._batches(loader, device)
        kept = list(islice(batches, _KEPT_BATCHES)) if refines else []

        def replay() -> None:
            for batch in kept:
                model.raw_outputs(*model.deployed_inputs(batch))

        if config.equalization:
            _say_all(equalize(model, replay))
        steps = self._observe(model, chain(kept, batches), device)
        reference = FloatWeights(model)
        if config.adaround is not None:
            _say_all(adaround(model, config.adaround, replay))
        if config.bias_correction:
            _say_all(correct_biases(model, replay, reference))
        return steps

    def _observe(self, model: BevStructure, batches: Iterable[dict[str, Any]], device: str) -> int:
        start_observing(model)
        started = time.perf_counter()
        step = 0
        for step, batch in enumerate(batches, start=1):
            with self.batch_processor.autocast(device):
                model.raw_outputs(*model.deployed_inputs(batch))
            if step % self.log_interval == 0 or step == self.num_steps:
                say(
                    f"batch {step:>4}/{self.num_steps}  observed in {duration(time.perf_counter() - started)}"
                )
        if step < self.num_steps:
            say(f"warning: the loader has {step} batches, `num_steps` asks for {self.num_steps}")
        finish_observing(model)
        graph = graph_of(model)
        bits = graph.config.multiplier_bits
        say(f"scales of {len(graph.quantisers())} tensors chosen, snapped to {bits}-bit multipliers")
        return step

    def _batches(self, loader: DataLoader, device: str) -> Iterator[dict[str, Any]]:
        """The first `num_steps` batches: the same ones each time."""
        for batch in islice(EpochLoader(loader, lambda: 0), self.num_steps):
            yield move_data_to_device(batch, torch.device(device))


def _say_all(lines: Sequence[str]) -> None:
    for line in lines:
        say(line)
