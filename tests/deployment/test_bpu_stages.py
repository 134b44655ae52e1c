"""`compile` and `align_bpu`: what they write, equal bits on equal input, a difference as an error."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bev_parts import bev_loader
from bpu_parts import aligned, bpu_predictor, camera_loader, compiled, compiler
from deployed_parts import exported, inferred, newest, predictor

from runtime.bpu.march import load_march
from runtime.bpu.march_digest import march_digest
from runtime.bpu.performance.text import error_text
from runtime.bpu.program.hbm_file import read_hbm, write_hbm
from runtime.bpu.program.instruction import Block
from runtime.bpu.program.program import Program
from runtime.errors import RunError
from runtime.training.run_directory import file_digest


@pytest.fixture(scope="module")
def with_program(calibrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment whose stages up to `compile` have finished."""
    folder = tmp_path_factory.mktemp("compiled") / "experiments" / "bev"
    shutil.copytree(calibrated, folder)
    assert exported(folder) == 0 and compiled(folder) == 0
    return folder


@pytest.fixture
def experiment(with_program: Path, tmp_path: Path) -> Path:
    """One to change."""
    return Path(shutil.copytree(with_program, tmp_path / "experiments" / "bev"))


def change_program(experiment: Path, change: Callable[[Program], Program]) -> Path:
    """Puts another program in the place of the compiled one."""
    path = newest(experiment, "compile").path / "model.hbm"
    write_hbm(path, change(read_hbm(path)))
    return path


def test_what_is_compiled_is_written_and_recorded(
    experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compiled(experiment) == 0
    run, told = newest(experiment, "compile"), capsys.readouterr()
    model = newest(experiment, "export").path / "model.hbir.onnx"
    record = run.record
    assert record["status"] == "finished"
    assert record["inputs"] == {
        "export": {"checkpoint": str(model.relative_to(experiment)), "digest": file_digest(model)},
        "march": {"name": "bayes", "digest": march_digest(load_march("bayes"))},
    }
    assert set(record["outputs"]) == {"model.hbm", "performance.json", "trace.json"}
    document = json.loads((run.path / "performance.json").read_text())
    speed = document["summary"]["performance"]
    assert record["performance"] == {
        **{key: speed[key] for key in ("latency_us", "fps", "cores", "frame")},
        **{"march": "bayes", "leave_one_out": speed["accuracy"]["leave_one_out"]},
        "error": error_text(speed),
    }
    program = read_hbm(run.path / "model.hbm", load_march("bayes"))
    exported_graph = newest(experiment, "export").record["graph"]["digest"]
    assert record["program"]["source"] == program.source == exported_graph
    assert record["program"]["march_digest"] == march_digest(load_march("bayes"))
    assert record["program"]["options"] == {"optimization_level": 2, "objective": "latency"}
    assert told.out == (run.path / "performance.txt").read_text()
    assert told.out.startswith("bayes: ")
    assert f"content {record['program']['digest'][:12]}" in told.err
    assert "<svg" in (run.path / "performance.html").read_text()
    assert json.loads((run.path / "trace.json").read_text())["traceEvents"]


def test_two_compilations_are_the_same_bytes(experiment: Path) -> None:
    assert compiled(experiment) == 0
    first, second = sorted(experiment.glob("runs/*-compile/model.hbm"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"march": "bayse"}, "did you mean `bayes`?"), ({"optimization_level": 3}, "expected 0, 1 or 2")],
)
def test_what_cannot_be_compiled_for(
    changes: dict[str, Any], said: str, experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compiled(experiment, lambda: compiler(**changes)) == 1
    assert said in capsys.readouterr().err


def test_what_comes_before_is_missing(calibrated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for call, stage in ((compiled, "export"), (aligned, "compile")):
        assert call(calibrated) == 1
        assert f"no run of stage `{stage}` has finished" in capsys.readouterr().err
    assert not list(calibrated.glob("runs/*-compile"))


def test_equal_input_gives_the_bits_of_the_export(
    experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inferred(experiment, lambda: predictor(val_data_loader=camera_loader)) == 0
    assert aligned(experiment) == 0
    run, host = newest(experiment, "align_bpu"), newest(experiment, "int_infer").record["metrics"]["best"]
    record = run.record
    align = record["align"]
    assert align["output_digest"] == host["output_digest"] == record["metrics"]["best"]["output_digest"]
    assert (align["samples"], align["simulated"], align["differing_codes"]) == (3, 2, 0)
    assert align["input_source"] == "nv12" and align["input_codes"] == 3 * 6 * 3 * 32 * 64
    # Noise is no image that has gone through NV12: chroma differs, and results with it.
    assert 0 < align["changed_input_codes"] <= align["input_codes"] * 2 / 3
    assert record["metrics"]["best"]["metrics"] != host["metrics"]
    model = newest(experiment, "compile").path / "model.hbm"
    assert record["inputs"] == {
        "compile": {"checkpoint": str(model.relative_to(experiment)), "digest": file_digest(model)},
        "march": {"name": "bayes", "digest": march_digest(load_march("bayes"))},
        "val": {"split": "noise", "num_samples": 3, "digest": "5eed"},
    }
    written = json.loads((run.path / "metrics.json").read_text())
    assert written == {"best": record["metrics"]["best"], "align": align}
    told = capsys.readouterr()
    assert f"by layers: 0 of {align['compared_codes']} result codes differ" in told.err
    assert "by instructions: equal to the last bit, 2 of these samples" in told.err


@pytest.mark.parametrize(("source", "nv12"), [("yuv444", False), ("nv12", True)])
def test_where_the_images_are_equal_so_are_the_metrics(source: str, nv12: bool, experiment: Path) -> None:
    loader = partial(camera_loader, nv12=nv12)
    assert inferred(experiment, lambda: predictor(val_data_loader=loader)) == 0
    build = partial(bpu_predictor, val_data_loader=loader, input_source=source, simulated_samples=0)
    assert aligned(experiment, build) == 0
    record = newest(experiment, "align_bpu").record
    assert record["metrics"] == newest(experiment, "int_infer").record["metrics"]
    assert (record["align"]["changed_input_codes"], record["align"]["simulated"]) == (0, 0)
    # Other batches are the same samples.
    one_by_one = partial(camera_loader, batch_size=1, nv12=nv12)
    model = newest(experiment, "compile").path / "model.hbm"
    found = build(val_data_loader=one_by_one).evaluate(model)
    assert found.output_digest == record["align"]["output_digest"]


def test_predict_evaluates_the_newest_program(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert aligned(experiment, bpu_predictor, "--predict", "--json", "--num-samples", "1") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["num_samples"] == 1 and set(found["metrics"]) == {"bev_det", "bev_seg"}
    assert found["checkpoint"] == str(newest(experiment, "compile").path / "model.hbm")
    elsewhere = shutil.copy(found["checkpoint"], experiment)
    assert aligned(experiment, bpu_predictor, "--predict", "--checkpoint", str(elsewhere)) == 1
    assert capsys.readouterr().err.endswith(
        f"{elsewhere}: error: nothing beside this file says from which export it was compiled\n"
        "hint: name the `model.hbm` of a run of stage `compile`\n"
    )


def other_weight(program: Program) -> Program:
    """The last weight of the first layer is another one."""
    weight = program.layers[0].constants["weight"]
    content = bytearray(program.constants)
    content[weight.address + weight.span - 1] ^= 0x40
    return replace(program, constants=bytes(content))


def one_view_for_all(program: Program) -> Program:
    """Every turn of a loop loads the images of its first one."""
    home = program.homes["img"]
    loops = [block for block in program.blocks if block.turns > 1]
    assert loops

    def stuck(block: Block) -> Block:
        instructions = [
            replace(one, inputs=(replace(one.inputs[0], step=0),))
            if one.unit == "LOAD" and home.address <= one.inputs[0].address < home.address + home.span
            else one
            for one in block.instructions
        ]
        return Block(block.turns, tuple(instructions))

    return replace(program, blocks=tuple(stuck(one) if one in loops else one for one in program.blocks))


def test_layers_that_compute_something_else_are_an_error(
    experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = read_hbm(change_program(experiment, other_weight))
    assert aligned(experiment) == 1
    layer = program.layers[0]
    told = capsys.readouterr().err
    assert f"error: the program does not compute what was exported: `{layer.output}` is the first" in told
    assert f"of the layer `{layer.name}`" in told and "defect of the compiler" in told
    assert newest(experiment, "align_bpu").record["status"] == "failed"


def test_instructions_that_compute_something_else_are_an_error(
    experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change_program(experiment, one_view_for_all)
    assert aligned(experiment) == 1
    told = capsys.readouterr().err
    assert (
        "error: the program's instructions do not give what its layers give: `bev_seg` is the first" in told
    )
    assert "of sample 0\n" in told
    # Nothing but instructions tells.
    assert aligned(experiment, lambda: bpu_predictor(simulated_samples=0)) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: replace(one, source="0" * 64), "the program was compiled from another export"),
        (lambda one: replace(one, march="nash-e"), "for the march `nash-e`, not for `bayes`"),
        (lambda one: replace(one, march_digest="0" * 64), "what is known of the march `bayes` has changed"),
    ],
)
def test_a_program_of_something_else_is_refused(
    change: Callable[[Program], Program],
    said: str,
    experiment: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change_program(experiment, change)
    assert aligned(experiment) == 1
    assert said in capsys.readouterr().err


def test_an_export_that_is_gone_is_missed(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = newest(experiment, "export").path / "model.hbir.onnx"
    model.unlink()
    assert aligned(experiment) == 1
    assert capsys.readouterr().err.endswith(
        f"{model}: error: this file has changed since it was compiled, or is gone\n"
        "hint: run stage `compile` again\n"
    )


def test_images_that_no_camera_delivers_are_refused(
    experiment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert aligned(experiment, lambda: bpu_predictor(val_data_loader=partial(bev_loader, size=1))) == 1
    assert "error: the images are no bytes less 128: a board cannot deliver them\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"input_source": "rgb"}, "`input_source` is `rgb`"),
        ({"simulated_samples": -1}, "`simulated_samples` is -1, expected at least 0"),
    ],
)
def test_arguments_out_of_range(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RunError, match=said):
        bpu_predictor(**changes)
