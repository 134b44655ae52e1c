"""Full devices, files that cannot be read, Ctrl-C: one message, the right status, no traceback."""

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specgen.cli import _known_error
from specgen.write import WriteError, planned

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["list", "backbone"],
        ["explain"],
        ["diff", "bev_ipm", "bev_ipm_tiny"],
        ["graph", "bev_ipm"],
        ["build", "bev_ipm", "--check"],
        ["--help"],
    ],
)
@pytest.mark.parametrize("buffered", [True, False])
def test_an_output_that_is_full(tmp_path: Path, arguments: list[str], buffered: bool) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "" if buffered else "1"}
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "specgen", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 1
    # A text that does not fit the buffer fails when it is printed, and that error names no file.
    assert re.fullmatch(r"error: (standard output: )?No space left on device\n", done.stderr)


def test_an_experiment_that_cannot_be_read(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("build", "bev_ipm_tiny", "--out", str(tmp_path / "here")).status == 0
    read_bytes = Path.read_bytes

    def refusing(path: Path) -> bytes:
        if path.name == "model.py":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refusing)
    with pytest.raises(WriteError) as caught:
        planned(tmp_path / "here", {"model.py": ""})
    assert str(caught.value) == f"cannot read `{tmp_path / 'here/model.py'}`: Permission denied"
    assert caught.value.hint == "make it readable, or build into another folder with `--out`"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "x/\x1block"),
            "error: x/?lock: Permission denied",
        ),
        (OSError(errno.EIO, "Input/output error"), "error: Input/output error"),
        (FileNotFoundError("the installation is incomplete"), None),
        (ValueError("x"), None),
    ],
)
def test_errors_of_the_system_are_a_message(
    error: Exception, text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "runtime.errors", raising=False)
    assert _known_error(error) == text


def test_an_interrupt_ends_without_traceback(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "import specgen.cli, specgen.extends\n"
        "def reading(*_, **__):\n    print('reads', flush=True)\n    time.sleep(60)\n"
        "specgen.extends.read_text = reading\n"
        "sys.argv = ['specgen', 'build', 'bev_ipm']\n"
        "specgen.cli.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "reads\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors
