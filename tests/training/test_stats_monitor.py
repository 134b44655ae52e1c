import os
import pty
import sys
from pathlib import Path

from toy_parts import toy_trainer

from runtime.training.callbacks.stats_monitor import StatsMonitor
from runtime.training.report import duration, start_reporting, stop_reporting


def test_off_a_terminal_there_are_plain_lines(tmp_path: Path, capsys):
    start_reporting(None)
    try:
        toy_trainer(callbacks=[StatsMonitor(log_freq=4)]).fit(tmp_path)
    finally:
        stop_reporting()
    lines = [line for line in capsys.readouterr().err.splitlines() if "samples/s" in line]
    assert [line.split()[1] for line in lines] == ["4/12", "8/12", "12/12"]
    assert all("data wait" in line and "RSS" in line and "\x1b" not in line for line in lines)
    assert lines[-1].endswith("ETA 0.0s")


def test_on_a_terminal_there_is_a_bar(tmp_path: Path, monkeypatch):
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w", buffering=1) as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm-256color")
        toy_trainer(callbacks=[StatsMonitor(log_freq=4)]).fit(tmp_path)
        os.set_blocking(leader, False)
        shown = os.read(leader, 1 << 20).decode(errors="replace")
    os.close(leader)
    assert "12" in shown and "epoch" in shown and "\x1b[" in shown


def test_durations():
    assert [duration(value) for value in (0.04, 9.9, 42.4, 425, 12000)] == [
        "0.0s",
        "9.9s",
        "42s",
        "7m05s",
        "3h20m",
    ]
