"""Writes the model of an experiment with random weights, calibrated on one sample, as `model.hbir.onnx`.

python export_untrained.py EXPERIMENT FILE
"""

import sys
from pathlib import Path

import torch

from runtime.deployment.exported_graph import exported_graph
from runtime.hbir.onnx_file import write_graph
from runtime.quantization.calibration import finish_observing, start_observing

if __name__ == "__main__":
    experiment, file = sys.argv[1:]
    sys.path.insert(0, f"{experiment}/stages")
    import calibration  # type: ignore[import-not-found]

    torch.manual_seed(0)
    torch.set_num_threads(1)
    trainer = calibration.build_trainer()
    model = trainer.model_convert_pipeline.structure(trainer.model())
    sample = trainer.val_data_loader().dataset[0]
    start_observing(model)
    with torch.no_grad():
        model.raw_outputs(*model.deployed_inputs({**sample, "ego2img": sample["ego2img"].unsqueeze(0)}))
    finish_observing(model)
    write_graph(Path(file), exported_graph(model, trainer.model_convert_pipeline))
