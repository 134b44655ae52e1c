"""A quantised model as a graph: what `torch.export` and HBIR make of it together."""

from runtime.errors import RunError
from runtime.hbir.export.from_program import graph_of_program
from runtime.hbir.graph import Graph
from runtime.models.structure import BevStructure, DeployedModel
from runtime.quantization.calibration import set_state
from runtime.quantization.export_program import PREFIX, export_structure, module_aliases
from runtime.quantization.state import State
from runtime.training.convert import ModelConvertPipeline
from runtime.training.quantization_converters import Float2Calibration


def exported_graph(model: BevStructure, pipeline: ModelConvertPipeline) -> Graph:
    """The graph of a model, of which nothing else is asked than that it has scales.

    Args:
        model: converted by the pipeline; it is left in evaluation mode and in fixed point.
        pipeline: its converter to fixed point knows the size of the images.

    Raises:
        RunError: the model was never calibrated, is not in fixed point throughout, or computes something that
        has no form in a graph.
    """
    converter = next((one for one in pipeline.converters if isinstance(one, Float2Calibration)), None)
    if converter is None:
        raise RunError(
            "the stage has no converter that quantises the model",
            hint="add `Float2Calibration` to `model_convert_pipeline`",
        )
    set_state(model.eval(), State.QUANTISE)
    program = export_structure(model, image_size=converter.image_size, num_views=converter.num_views)
    return graph_of_program(program, prefix=PREFIX, aliases=module_aliases(DeployedModel(model)))
