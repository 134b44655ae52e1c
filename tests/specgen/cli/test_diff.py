"""`specgen diff`: whole reports of one-line changes, and every way to name what is compared."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "diff"
LINE = re.compile(r"(?<=\.yaml):\d+")
BACKBONE = re.compile(r"(?m)^  backbone:\n    type: efficientnet\n(?:    .*\n)+")
# The three changes by which the design judges a review; each is one line of the spec.
CHANGES = {
    "backbone": (BACKBONE, "  backbone: {type: resnet, depth: 50}\n"),
    "rotation": (re.compile(r"rot: \[-0\.3925, 0\.3925\]"), "rot: [-0.2, 0.2]"),
    "march": (re.compile(r"(?m)^march: bayes$"), "march: nash-e"),
}


OUTSIDE = "leads out of the repository\nhint: a path starts at the root of the repository, or here with `./`"


def changed(specs: Path, change: str) -> Path:
    """The reference spec with one of the changes."""
    pattern, text = CHANGES[change]
    spec, times = pattern.subn(text, (specs / "bev_ipm.yaml").read_text(encoding="utf-8"), count=1)
    assert times == 1
    path = specs / "changed.yaml"
    path.write_text(spec, encoding="utf-8")
    return path


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("options", "suffix"), [((), "txt"), (("--markdown",), "md")])
def test_one_line_change(run: Run, specs: Path, change: str, options: tuple[str, ...], suffix: str) -> None:
    changed(specs, change)
    done = run("diff", "specs/bev_ipm.yaml", "specs/changed.yaml", *options)
    golden = GOLDEN / f"{change}.{suffix}"
    if "UPDATE_GOLDEN" in os.environ:
        golden.write_text(done.out, encoding="utf-8")
    # What stands above the change in the ready spec moves its line, and nothing else.
    assert LINE.sub(":N", done.out) == LINE.sub(":N", golden.read_text(encoding="utf-8"))
    lines = (specs / "changed.yaml").read_text(encoding="utf-8").splitlines()
    (number,) = (n for n, line in enumerate(lines, start=1) if CHANGES[change][1].strip() in line)
    assert f" specs/changed.yaml:{number}" in done.out
    assert (done.status, done.err) == (1, "")


def test_all_golden_reports_are_of_a_change() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == sorted(CHANGES)
    assert sorted(path.stem for path in GOLDEN.glob("*.md")) == sorted(CHANGES)


@pytest.mark.parametrize("width", [60, 80, 110])
def test_no_line_is_longer_than_the_terminal(
    run: Run, specs: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run("diff", "bev_ipm", "bev_ipm_tiny").out.splitlines()
    assert len(lines) > 50
    # A word, or a path and its note, that are too long for the line are not torn apart.
    whole = re.compile(r" +(?:\S+|\S+:  \S.*)")
    assert [line for line in lines if len(line) > width and not whole.fullmatch(line)] == []


def test_the_same_spec_in_other_words_is_the_same(run: Run, specs: Path) -> None:
    text = (specs / "bev_ipm.yaml").read_text(encoding="utf-8")
    other = text.replace("  final_kernel: 3\n", "  kernel: 3\n").replace("${final_kernel}", "${kernel}")
    assert other != text
    (specs / "other.yaml").write_text("# in other words\n" + other, encoding="utf-8")
    done = run("diff", "specs/bev_ipm.yaml", "specs/other.yaml")
    said = "`specs/bev_ipm.yaml` and `specs/other.yaml` are the same experiment\n"
    assert (done.status, done.out, done.err) == (0, "", said)
    markdown = run("diff", "specs/bev_ipm.yaml", "specs/other.yaml", "--markdown")
    assert markdown.out == "### `specs/bev_ipm.yaml` → `specs/other.yaml`\n\nThe same experiment.\n"


def test_a_variable_says_who_takes_it(run: Run, specs: Path) -> None:
    done = run("diff", "bev_ipm_tiny", "--set", "vars.map_size=[15.0, 30.0, 0.5]")
    assert done.out == (
        "bev_ipm_tiny -> bev_ipm_tiny --set 'vars.map_size=[15.0, 30.0, 0.5]'\n"
        "\n"
        "Written\n"
        "  vars.map_size: [15.0, 20.0, 0.5] -> [15.0, 30.0, 0.5]  --set\n"
        "\n"
        "What follows\n"
        "  sizes\n"
        "    map of bev_seg: 60 x 80 cells of 0.5 m -> 60 x 120 cells of 0.5 m\n"
        "  values\n"
        "    model.bev_transforms.0.map_size: [15.0, 20.0, 0.5] -> [15.0, 30.0, 0.5]  "
        "from data.train.dataset\n"
        "  values that are taken from variables\n"
        "    vars.map_size: model.bev_decoders.0.task_size, data.train.dataset.map_size,\n"
        "      data.val.dataset.map_size, data.calibration.dataset.map_size\n"
    )


def test_what_is_left_out_is_shown_as_what_it_is(run: Run, specs: Path) -> None:
    left_out = run("diff", "bev_ipm", "--set", "model.view_transformer.grid_quant_scale=0.0078125")
    assert "  model.view_transformer.grid_quant_scale: 0.00390625 (from the 64 x 120 map of model.neck)" in (
        left_out.out.replace("\n    - ", " ").replace("scale:  --set", "scale:")
    )
    by_default = run("diff", "bev_ipm", "--set", "model.backbone.width_multiplier=0.5")
    assert "  model.backbone.width_multiplier: null (default) -> 0.5  --set\n" in by_default.out


def test_transforms_are_aligned_by_type(run: Run, specs: Path) -> None:
    text = (specs / "bev_ipm.yaml").read_text(encoding="utf-8")
    flip = "    - {type: BevImgFlip, prob: 0.5}\n"
    assert flip in text
    (specs / "other.yaml").write_text(text.replace(flip, ""), encoding="utf-8")
    done = run("diff", "specs/bev_ipm.yaml", "specs/other.yaml")
    written = done.out.partition("Written\n")[2].partition("\n\n")[0]
    assert re.fullmatch(
        r"  vars\.train_transforms\.2: removed \{type: BevImgFlip, prob: 0\.5\}  specs/bev_ipm\.yaml:\d+",
        written,
    )


def test_an_experiment_against_its_spec_and_another(run: Run, specs: Path) -> None:
    assert run("build", "specs/bev_ipm_tiny.yaml").status == 0
    same = run("diff", "experiments/bev_ipm_tiny", "specs/bev_ipm_tiny.yaml")
    assert (same.status, same.out) == (0, "")
    other = run(
        "diff", "experiments/bev_ipm_tiny", "bev_ipm_tiny", "--set", "model.neck.feat_channels=[16, 16, 16]"
    )
    assert other.status == 1
    assert "  model.neck.feat_channels: [32, 32, 32] -> [16, 16, 16]  --set\n" in other.out
    assert "    model.bev_encoder.backbone.in_channels: 32 -> 16  from model.view_transformer\n" in other.out
    assert "vars." not in other.out


def test_only_what_was_written_is_said_of_an_experiment_of_another_version(run: Run, specs: Path) -> None:
    assert run("build", "specs/bev_ipm_tiny.yaml").status == 0
    resolved = Path("experiments/bev_ipm_tiny/spec.yaml")
    resolved.write_text(resolved.read_text().replace("    indexes:", "    old_key: 7\n    indexes:"))
    done = run("diff", "experiments/bev_ipm_tiny", "specs/bev_ipm_tiny.yaml")
    assert done.status == 1
    assert "  model.neck.old_key: removed 7  experiments/bev_ipm_tiny/spec.yaml:" in done.out
    assert done.out.endswith(
        "\nWhat else follows is not known, since `experiments/bev_ipm_tiny` does not compile: `model.neck`\n"
        "  (`FastSCNNNeck`) has no key `old_key` [E102]\n"
    )


def git(*arguments: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def test_a_revision_with_all_that_it_extends(run: Run, specs: Path) -> None:
    tiny = specs / "bev_ipm_tiny.yaml"
    tiny.write_text(tiny.read_text().replace("march: bayes-e\n", ""))  # then the parent's counts
    git("init", "-q")
    git("add", "specs")
    git("commit", "-q", "-m", "first")
    parent = specs / "bev_ipm.yaml"
    parent.write_text(parent.read_text().replace("march: bayes\n", "march: nash-m\n"))
    done = run("diff", "HEAD:specs/bev_ipm_tiny.yaml", "specs/bev_ipm_tiny.yaml")
    assert done.status == 1
    assert re.fullmatch(
        r"HEAD:specs/bev_ipm_tiny\.yaml -> specs/bev_ipm_tiny\.yaml\n\nWritten\n"
        r"  march: bayes -> nash-m  specs/bev_ipm\.yaml:\d+\n\nNothing follows from it\n",
        done.out,
    )
    assert run("diff", "HEAD:specs/bev_ipm_tiny.yaml", "HEAD:./specs/bev_ipm_tiny.yaml").status == 0


def test_a_path_from_here_and_one_from_the_root(
    run: Run, specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("init", "-q")
    git("add", "specs")
    git("commit", "-q", "-m", "first")
    monkeypatch.chdir(specs)
    for path in (
        "HEAD:./bev_ipm_tiny.yaml",
        "HEAD:specs/bev_ipm_tiny.yaml",
        "HEAD:../specs/bev_ipm_tiny.yaml",
    ):
        assert run("diff", path, "bev_ipm_tiny.yaml").status == 0
    assert run("diff", "HEAD:bev_ipm_tiny.yaml", "bev_ipm_tiny.yaml").status == 2


def test_an_experiment_of_a_revision(run: Run, specs: Path) -> None:
    run("build", "specs/bev_ipm_tiny.yaml")
    git("init", "-q")
    git("add", "experiments")
    git("commit", "-q", "-m", "first")
    assert run("diff", "HEAD:experiments/bev_ipm_tiny", "experiments/bev_ipm_tiny").status == 0


def test_plugins_of_a_revision_are_those_of_today(run: Run, specs: Path) -> None:
    (specs / "own.yaml").write_text("name: own\nextends: bev_ipm_tiny.yaml\nplugins: [parts.none]\n")
    git("init", "-q")
    git("add", "specs")
    git("commit", "-q", "-m", "first")
    done = run("diff", "HEAD:specs/own.yaml", "bev_ipm_tiny")
    assert done.status == 1
    assert done.err == (
        "note: `HEAD:specs/own.yaml` is read with the plugins that are here now, not those of its revision\n"
    )
    assert "note:" not in run("diff", "HEAD:specs/bev_ipm_tiny.yaml", "bev_ipm_tiny").err


def test_a_mistake_in_a_revision_names_the_revision(run: Run, specs: Path) -> None:
    (specs / "wrong.yaml").write_text("name: [\n")
    git("init", "-q")
    git("add", "specs")
    git("commit", "-q", "-m", "first")
    done = run("diff", "HEAD:specs/wrong.yaml", "bev_ipm")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("HEAD:specs/wrong.yaml:")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("bev_ipm",),
            "a comparison takes two specs\nhint: `specgen diff bev_ipm OTHER`, or a change by `--set`",
        ),
        (
            ("bev_ipm", "specs"),
            "`specs` is a folder, and not an experiment: it has no `experiment.lock` or no `spec.yaml`",
        ),
        (("bev_ipm", "HEAD:../x.yaml"), f"`HEAD:../x.yaml` {OUTSIDE}"),
        (("bev_ipm", "HEAD:/etc/passwd"), f"`HEAD:/etc/passwd` {OUTSIDE}"),
        (("bev_ipm", "HEAD:a/../../x"), f"`HEAD:a/../../x` {OUTSIDE}"),
        (("bev_ipm", "HEAD:./../x"), f"`HEAD:./../x` {OUTSIDE}"),
        (("bev_ipm", "nope:specs/x.yaml"), "`nope` is no revision of this repository"),
        (("bev_ipm", "HEAD:nope.yaml"), "`nope.yaml` is not in `HEAD`"),
        (("bev_ipm", "HEAD:folder"), "`folder` is a folder in `HEAD`, without a `spec.yaml`"),
        (
            ("bev_ipm", "HEAD:out.yaml"),
            "`HEAD:out.yaml` extends `../out.yaml`, which leads out of the repository",
        ),
        (("--", "bev_ipm", "--upload-pack=x:y"), "`--upload-pack=x` is no revision of this repository"),
        (("bev_ipm", ":x"), "`:x` is not `REV:path`\nhint: such as `HEAD:specs/bev_ipm.yaml`"),
        (("bev_ipm", "HEAD:"), "`HEAD:` is not `REV:path`\nhint: such as `HEAD:specs/bev_ipm.yaml`"),
        (("bev_ipm", "HEAD\n:x"), "`HEAD?` is no revision of this repository"),
    ],
)
def test_what_cannot_be_compared_is_status_2(
    run: Run, specs: Path, arguments: tuple[str, ...], text: str
) -> None:
    Path("folder").mkdir()
    Path("folder/file").write_text("x")
    Path("out.yaml").write_text("name: out\nextends: ../out.yaml\n")
    git("init", "-q")
    git("add", "folder", "out.yaml")
    git("commit", "-q", "-m", "first")
    done = run("diff", *arguments)
    assert (done.status, done.out, done.err) == (2, "", f"error: {text}\n")


def test_outside_of_a_repository(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    done = run("diff", "HEAD:specs/x.yaml", "bev_ipm")
    assert (done.status, done.err) == (2, "error: this is not in a git repository\n")


def test_set_does_not_go_with_an_experiment(run: Run, specs: Path) -> None:
    run("build", "specs/bev_ipm_tiny.yaml")
    done = run("diff", "bev_ipm", "experiments/bev_ipm_tiny", "--set", "march=bayes")
    assert (done.status, done.err) == (
        2,
        "error: `--set` changes a spec, and `experiments/bev_ipm_tiny` is an experiment\n"
        "hint: name the spec that it is built from\n",
    )


def test_an_invalid_spec_is_status_2_with_its_messages(run: Run, specs: Path) -> None:
    done = run("diff", "bev_ipm", "--set", "march=[1]")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("--set:1:7: error[E101]: `march` is [1], expected text\n")
    assert done.err.endswith("\n1 error\n")
