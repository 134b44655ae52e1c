"""How a model is quantised, written out in `target.py` and used by the stages that quantise."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

from generated_calls import keywords

from specgen.pipeline import CompiledSpec, generated

ROOT = Path(__file__).resolve().parents[3]
Compile = Callable[..., CompiledSpec]


def test_quantisation_is_written_out_and_used_by_the_stages(compile_spec: Compile) -> None:
    files = generated(compile_spec("specs/bev_ipm.yaml")).files
    assert "def quantization() -> QuantizationConfig:" in files["target.py"]
    settings = keywords(files["target.py"], "QuantizationConfig")
    rules = [ast.literal_eval(rule) for rule in re.findall(r"match=(\S+?)[,)]", settings.pop("rules"))]
    assert rules == ["img", None, None]
    assert settings == {
        "observer": "'mse'",
        "weight_scale": "'mse'",
        "equalization": "True",
        "bias_correction": "True",
        "adaround": "None",
        "multiplier_bits": "15",
    }
    for stage, converter, loader in (
        ("calibration", "Float2Calibration", "val"),
        ("qat", "Float2QAT", "val"),
        ("export", "Float2Calibration", "train"),
        ("check", "Float2Calibration", "train"),
    ):
        text = files[f"stages/{stage}.py"]
        assert "import target  # noqa: E402\n" in text
        arguments = keywords(text, converter)
        assert arguments["quantization"] == "target.quantization()"
        assert (arguments["image_size"], arguments["num_views"]) == ("(512, 960)", "6")
        assert f"image_size=(512, 960),  # from data.{loader}\n" in text


def test_quantisation_that_nobody_wrote_has_its_defaults(compile_spec: Compile, tmp_path: Path) -> None:
    text = (ROOT / "specs/bev_ipm.yaml").read_text(encoding="utf-8")
    start, stop = text.index("quantization:\n"), text.index("model:\n")
    # Frames of a camera are codes of a fixed scale, which is a rule.
    text = text[:start] + text[stop : text.index("  align_bpu:\n")]
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    files = generated(compile_spec(str(tmp_path / "spec.yaml"))).files
    assert keywords(files["target.py"], "QuantizationConfig") == {
        "observer": "'mse'",
        "weight_scale": "'mse'",
        "rules": "[]",
        "equalization": "False",
        "bias_correction": "False",
        "adaround": "None",
        "multiplier_bits": "15",
    }
    assert "quantization:  # default\n  observer: mse\n" in files["spec.yaml"]


def test_multipliers_have_the_bits_of_the_march(compile_spec: Compile) -> None:
    def line(*sets: str) -> str:
        text = generated(compile_spec("specs/bev_ipm.yaml", *sets)).files["target.py"]
        (found,) = re.findall(r"^ *(multiplier_bits=.*)$", text, re.MULTILINE)
        return found

    assert line() == "multiplier_bits=15,  # from march"
    assert line("march=bernoulli2") == "multiplier_bits=1,  # from march"
    assert line("march=bernoulli2", "quantization.multiplier_bits=4") == "multiplier_bits=4,"


def test_adaround_is_written_out_with_its_defaults(compile_spec: Compile) -> None:
    files = generated(compile_spec("specs/bev_ipm.yaml", "quantization.adaround={num_steps: 200}")).files
    assert keywords(files["target.py"], "AdaRound") == {"num_steps": "200", "lr": "0.01", "weight": "0.01"}
