"""Tensors of a calibrated model from 8 to 16 bits, and back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.quantization.fake_quant import FakeQuant
from runtime.quantization.graph import QuantizedGraph
from runtime.quantization.modules.add import QuantizedAdd
from runtime.quantization.modules.base import QuantizedModule
from runtime.quantization.modules.conv import WeightedModule
from runtime.quantization.scale_grid import neighbours

RAISED_BITS = 16


def raised_scale(quant: FakeQuant, largest: float) -> float:
    """The scale that a calibration with 16 bits gives.

    Args:
        quant: of 8 bits, observed or fixed.
        largest: magnitude seen, for a quantiser whose observer is gone.
    """
    if quant.observer is None or not quant.observer.count:
        scale = largest / (2 ** (RAISED_BITS - 1) - 1)
        return scale if quant.unit is None else neighbours(scale, quant.unit)[1]
    observer = copy.copy(quant.observer)
    observer.bits, observer.high_code = RAISED_BITS, 2 ** (RAISED_BITS - 1) - 1
    return quant.chosen_scale(observer)


class Raising:
    """Gives tensors of a model in the state QUANTISE 16 bits.

    Args:
        graph: of the model.
    """

    def __init__(self, graph: QuantizedGraph) -> None:
        self.graph = graph

    def raise_tensor(self, quant: FakeQuant, largest: float) -> None:
        """Give one tensor 16 bits; it stays as it was where the arithmetic does not allow them.

        Raises:
            RunError: why it does not.
        """
        scale = raised_scale(quant, largest)
        bits, old_scale, gain = quant.bits, quant.scale.clone(), quant.gain.detach().clone()
        quant.bits = RAISED_BITS
        quant.scale.fill_(scale)
        quant.gain.data.zero_()
        try:
            self._freeze_around(quant)
        except BaseException:
            quant.bits = bits
            quant.scale.copy_(old_scale)
            quant.gain.data.copy_(gain)
            self._freeze_around(quant)
            raise

    def _freeze_around(self, quant: FakeQuant) -> None:
        """Compute the integers of every operation anew that depends on a quantiser."""
        touched = [module for module in self.graph.ordered_modules() if _depends(module, quant)]
        # A sum and the convolution whose accumulator it takes share their shift.
        pairs = [
            (module, module.accumulating)
            for module in self.graph.ordered_modules()
            if isinstance(module, QuantizedAdd) and module.accumulating is not None
        ]
        together = {
            part
            for add, conv in pairs
            if conv is not None and (add in touched or conv in touched)
            for part in (add, conv)
        }
        for add, _ in pairs:
            if add in together:
                add.limit_shift()
        for module in self.graph.ordered_modules():
            if (module in touched or module in together) and not module.keep_float:
                module.freeze()


def _depends(module: QuantizedModule, quant: FakeQuant) -> bool:
    rounding = module.rounded_by if isinstance(module, WeightedModule) else None
    return module.quant is quant or rounding is quant or any(source is quant for source in module.sources)


@contextmanager
def bits_restored(graph: QuantizedGraph) -> Iterator[None]:
    """With bits, scales and gains of all quantisers as before in the end; integers are not computed anew."""
    before = [
        (quant, quant.bits, quant.scale.clone(), quant.gain.detach().clone())
        for quant in graph.quantisers().values()
    ]
    try:
        yield
    finally:
        for quant, bits, scale, gain in before:
            quant.bits = bits
            quant.scale.copy_(scale)
            quant.gain.data.copy_(gain)
