"""The compiled program on the ladder: its predicted speed, what it is of, and its outputs."""

from __future__ import annotations

from made_runs import OUTPUTS, PREDICTED, compiled_run, exported_run, judged_run

from specgen.experiment import Experiment
from specgen.ladder import as_json, as_markdown, as_text, ladder

IN_WORDS = "bayes, predicted by 0005-compile: 0.69 ms, 2887.0 frames/s on 2 cores (one surround frame)"


def test_the_speed_of_the_program_is_told_below_the_table(aligned: Experiment) -> None:
    rungs = ladder(aligned)
    assert [(rung.stage, rung.outputs, rung.stale) for rung in rungs[1:]] == [
        (stage, OUTPUTS["c"], ()) for stage in ("calibration", "int_infer", "align_bpu")
    ]
    error = PREDICTED["error"]
    text, markdown = as_text(aligned, rungs), as_markdown(aligned, rungs)
    assert text.splitlines()[-3:] == ["", IN_WORDS, f"  error  {error}"]
    assert markdown.splitlines()[-2:] == ["", f"{IN_WORDS}; error {error}"]
    told = {key: value for key, value in PREDICTED.items() if key != "leave_one_out"}
    assert as_json(aligned, rungs)["predicted"] == {"run": "0005-compile", "stale": [], **told}


def test_one_core_is_no_plural(aligned: Experiment) -> None:
    compiled_run(aligned, "0007-compile", "program", of="file", performance={**PREDICTED, "cores": 1})
    assert ": 0.69 ms, 2887.0 frames/s on one core (" in as_text(aligned, ladder(aligned))


def test_a_program_of_an_older_file_is_stale(aligned: Experiment) -> None:
    exported_run(aligned, "0007-export", "file of another version", of="c")
    judged_run(aligned, "0008-int_infer", "c", started_from={"export": "file of another version"})
    rungs = ladder(aligned)
    assert [rung.stale for rung in rungs] == [(), (), (), ("export",)]
    assert as_json(aligned, rungs)["predicted"]["stale"] == ["export"]
    assert as_text(aligned, rungs).splitlines()[-3:] == [
        "",
        "warning: `0006-align_bpu` started from a file of `export` that is no longer the newest",
        "warning: `0005-compile` started from a file of `export` that is no longer the newest",
    ]


def test_an_older_program_is_stale(aligned: Experiment) -> None:
    compiled_run(aligned, "0007-compile", "faster program", of="file", unlocked=["something"])
    assert as_text(aligned, ladder(aligned)).splitlines()[-2:] == [
        "warning: `0006-align_bpu` started from a file of `compile` that is no longer the newest",
        "warning: `0007-compile` ran unlocked: something differed from the experiment's lock",
    ]


def test_a_program_with_other_outputs_is_told(aligned: Experiment) -> None:
    judged_run(aligned, "0007-align_bpu", "other", started_from={"compile": "program"})
    assert as_text(aligned, ladder(aligned)).splitlines()[-1] == (
        "warning: the outputs of `0007-align_bpu` are not those of `0002-calibration`, whose weights it runs"
    )
