"""What a run does when there is no room even for its record; `/dev/full` refuses every byte."""

import errno
from pathlib import Path

import pytest
from toy_parts import toy_trainer

from runtime import atomic_file
from runtime.errors import RunError, disk_error
from runtime.training.report import say, start_reporting, stop_reporting
from runtime.training.stage_entry import run_stage


def test_a_log_without_room_says_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    start_reporting(Path("/dev/full"))
    say("a line")
    stop_reporting()
    assert capsys.readouterr().err == "a line\n"


@pytest.mark.parametrize("arguments", [[], ["--predict", "--untrained"]])
def test_a_run_without_room_for_its_record_leaves_no_folder(
    experiment: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic_file.os, "fsync", full)
    with pytest.raises(SystemExit) as ended:
        run_stage(stage="float", experiment=experiment, build_trainer=toy_trainer, argv=arguments)
    assert ended.value.code == 1
    assert "no space left on the disk" in capsys.readouterr().err
    assert list((experiment / "runs").iterdir()) == []


def test_runs_that_cannot_be_made(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (experiment / "runs").write_text("")
    with pytest.raises(SystemExit) as ended:
        run_stage(stage="float", experiment=experiment, build_trainer=toy_trainer, argv=[])
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        f"{experiment}/runs: error: File exists\nhint: check that the folder is there and may be written\n"
    )


def test_errors_of_programs_are_no_matter_of_disks() -> None:
    assert disk_error(OSError(errno.EBADF, "Bad file descriptor")) is None
    found = disk_error(OSError(errno.ENOSPC, "No space left on device", "a/b"))
    assert isinstance(found, RunError) and found.place == "a/b"
