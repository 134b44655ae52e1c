"""The exported file on the ladder: whether it is of the newest weights, and has the outputs of its stage."""

from __future__ import annotations

from made_runs import OUTPUTS, exported_run, judged_run

from specgen.experiment import Experiment
from specgen.ladder import as_json, as_text, ladder


def test_equal_outputs_are_seen(deployed: Experiment) -> None:
    rungs = ladder(deployed)
    assert as_text(deployed, rungs).splitlines()[2:] == [
        "stage        run                   NDS      mAP     mIoU  IoU divider  IoU boundary   outputs",
        "float        0001-float         0.3124   0.2500   0.3500       0.4000        0.3000",
        "calibration  0002-calibration   0.3024   0.2400   0.3400       0.3900        0.2900  c0ffeec0",
        "             against float     -0.0100  -0.0100  -0.0100      -0.0100       -0.0100",
        "int_infer    0004-int_infer     0.3024   0.2400   0.3400       0.3900        0.2900  c0ffeec0",
        "             against float     -0.0100  -0.0100  -0.0100      -0.0100       -0.0100",
    ]
    assert [rung["outputs"] for rung in as_json(deployed, rungs)["rungs"]] == [
        None,
        OUTPUTS["c"],
        OUTPUTS["c"],
    ]


def test_outputs_that_differ_from_those_of_the_exported_stage_are_told(deployed: Experiment) -> None:
    judged_run(deployed, "0005-int_infer", "other", started_from={"export": "file"})
    assert as_text(deployed, ladder(deployed)).splitlines()[-2:] == [
        "",
        "warning: the outputs of `0005-int_infer` are not those of `0002-calibration`, whose weights it runs",
    ]


def test_a_file_of_older_weights_is_stale_and_may_have_other_outputs(deployed: Experiment) -> None:
    judged_run(deployed, "0005-calibration", "other", weights="new", started_from={"float": "float"})
    rungs = ladder(deployed)
    assert [rung.stale for rung in rungs] == [(), (), ("calibration",)]
    assert as_text(deployed, rungs).splitlines()[-2:] == [
        "",
        "warning: `0004-int_infer` started from weights of `calibration` that are no longer the newest",
    ]


def test_an_older_file_is_stale(deployed: Experiment) -> None:
    exported_run(deployed, "0005-export", "file of another version", of="c")
    assert as_text(deployed, ladder(deployed)).splitlines()[-1] == (
        "warning: `0004-int_infer` started from a file of `export` that is no longer the newest"
    )


def test_outputs_of_learning_stages_differ_and_nothing_is_told(deployed: Experiment) -> None:
    judged_run(deployed, "0005-qat", "other", weights="q", started_from={"calibration": "c"})
    assert "warning" not in as_text(deployed, ladder(deployed))
