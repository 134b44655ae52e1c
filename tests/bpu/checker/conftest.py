"""The graphs of these tests, and the network with every operation of the tests of HBIR."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parents[1]
sys.path[:0] = [str(HERE), str(TESTS / "hbir"), str(TESTS / "quantization")]
