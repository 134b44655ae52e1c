"""Import lines of generated files."""

from specgen.emit.imports import Imports


def test_groups_and_order() -> None:
    imports = Imports()
    imports.module("augment")
    for module, name in [
        ("runtime.b", "Two"),
        ("runtime.b", "build_two"),
        ("runtime.b", "MAX_TWO"),
        ("runtime.a", "One"),
        ("collections.abc", "Callable"),
        ("my_parts", "Mine"),
    ]:
        assert imports.name(module, name) == name
    assert imports.lines() == [
        "from collections.abc import Callable",
        "",
        "import augment",
        "from my_parts import Mine",
        "",
        "from runtime.a import One",
        "from runtime.b import MAX_TWO, Two, build_two",
    ]
    assert imports.only(True, frozenset({"augment"})).lines("  # noqa: E402") == [
        "import augment  # noqa: E402"
    ]


def test_equal_names_of_two_modules() -> None:
    imports = Imports()
    assert [imports.name("a", "X"), imports.name("b", "X"), imports.name("a", "X")] == ["X", "X2", "X"]
    assert imports.lines() == ["from a import X", "from b import X as X2"]


def test_long_lines_are_wrapped() -> None:
    imports = Imports()
    names = [f"AVeryLongNameOfAComponent{number}" for number in range(5)]
    for name in names:
        imports.name("runtime.a", name)
    (statement,) = imports.lines()
    assert statement == "from runtime.a import (\n" + "".join(f"    {name},\n" for name in names) + ")"
