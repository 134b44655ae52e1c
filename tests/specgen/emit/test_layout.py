"""Layout of expressions, judged by `ruff format` itself."""

import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specgen.emit.layout import WIDTH, Atom, Bracket, Expression, Item, bracket, laid_out

ATOMS = st.builds(Atom, st.integers(1, 40).map(lambda n: '"' + "x" * n + '"'))


def calls(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    comments = st.sampled_from(["", "", "from model.backbone"])
    arguments = st.lists(st.builds(Item, inner, st.just("name="), comments), max_size=3)
    return arguments.map(
        lambda items: Bracket(
            "Call(",
            tuple(Item(i.expression, f"a{n}=", i.comment) for n, i in enumerate(items)),
            ")",
            tall=True,
        )
    )


def collections(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    plain = st.lists(inner.map(Item), max_size=6).map(tuple)
    keyed = st.lists(inner.map(lambda e: Item(e, '"key": ')), max_size=4).map(tuple)
    return st.one_of(
        plain.map(lambda items: bracket("[", items, "]")),
        plain.map(lambda items: bracket("(", items, ")")),
        keyed.map(lambda items: bracket("{", items, "}")),
    )


EXPRESSIONS = st.recursive(ATOMS, lambda inner: st.one_of(collections(inner), calls(inner)), max_leaves=12)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(EXPRESSIONS, min_size=30, max_size=60))
def test_ruff_format_changes_nothing(tmp_path: Path, expressions: list[Expression]) -> None:
    lead = "    return "
    functions = [
        f"def f{n}():\n{lead}{laid_out(expression, indent=4, lead=len(lead))}\n"
        for n, expression in enumerate(expressions)
    ]
    path = tmp_path / "layout.py"
    path.write_text("\n\n".join(functions))
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--diff",
        "--isolated",
        "--line-length",
        str(WIDTH),
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_one_argument_a_line_and_short_lists_on_one() -> None:
    numbers = bracket("[", (Item(Atom("1")), Item(Atom("2"))), "]")
    call = Bracket("Neck(", (Item(numbers, "in_channels=", "from model.backbone"),), ")", tall=True)
    assert laid_out(call, indent=0, lead=0) == "Neck(\n    in_channels=[1, 2],  # from model.backbone\n)"


def test_a_comment_that_does_not_fit_goes_above() -> None:
    call = Bracket("N(", (Item(Atom("x" * 90), "a=", "from model.backbone"),), ")", tall=True)
    assert laid_out(call, indent=0, lead=0).splitlines()[1:3] == [
        "    # from model.backbone",
        f"    a={'x' * 90},",
    ]


def test_tuples_of_one() -> None:
    assert laid_out(bracket("(", (Item(Atom("1")),), ")"), indent=0, lead=0) == "(1,)"
