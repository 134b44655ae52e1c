"""What is printed as a result, to whoever still reads it."""

import subprocess
import sys


def test_a_reader_that_has_read_enough_ends_nothing() -> None:
    """As in `specgen predict --json | head -1`: more than a pipe holds, of which one line is read."""
    script = (
        "from runtime.training.report import say, show, start_reporting\n"
        "start_reporting(None)\n"
        "show('\\n'.join('result' for _ in range(10 ** 6)))\n"
        "show('more')\n"
        "say('went on')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "result\n"
        process.stdout.close()
        assert process.stderr.read() == "went on\n"
    assert process.returncode == 0
