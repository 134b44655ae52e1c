"""E0xx: what is seen while the files are read, before any schema."""

from __future__ import annotations

from specgen.codes.entry import Entry
from specgen.codes.example import Example
from specgen.codes.plugin_example import backbone_schema, plugin


def _text(*lines: str) -> Example:
    return Example(text="".join(f"{line}\n" for line in lines))


READING: dict[str, Entry] = {
    "E001": Entry(
        "A spec file that is named, on the command line or in `extends`, exists and can be read.",
        "Correct the path; that of `extends` starts at the folder of the spec that has it.",
        _text("name: small", "extends: bev_imp.yaml"),
    ),
    "E002": Entry(
        "Specs are UTF-8 text, without null characters and halves of surrogate pairs.",
        "Save the file as UTF-8, and take the character out.",
        _text("name: small", 'march: "bay\\0es"'),
    ),
    "E003": Entry(
        "A spec is YAML 1.2.",
        "Mend the syntax: mostly a bracket or quote that is not closed, or a line that is indented wrongly. "
        "The excerpt shows where the part that cannot be read began.",
        _text("name: small", "model:", "  backbone: {type: resnet, depth: 50", "  neck: {type: BiFPN}"),
    ),
    "E004": Entry(
        "A spec file holds one YAML document.",
        "Remove the line `---` and what follows it, or put that into a file of its own.",
        _text("name: small", "---", "name: other"),
    ),
    "E005": Entry(
        "A key stands once in a map.",
        "Remove one of the two; YAML readers differ in which of them they take.",
        _text("name: small", "march: bayes", "march: nash-e"),
    ),
    "E006": Entry(
        "A spec has no YAML tags.",
        "Remove the tag. Quotes make a text of a number; a component is a map with a `type`.",
        _text("name: !!str small"),
    ),
    "E007": Entry(
        "A spec has no anchors, aliases and merge keys.",
        "Put what is shared under `vars` and write `${name}` where it is used; to start from another spec "
        "write `extends`.",
        _text("name: small", "model: &model", "  backbone: {type: resnet}"),
    ),
    "E008": Entry(
        "Keys are text or whole numbers.",
        "Put the key in quotes, or write another one.",
        _text("name: small", "1.5: bayes"),
    ),
    "E009": Entry(
        "Numbers are finite, and integers have at most 18 digits.",
        "Write a finite number; where a value may be left out, `null` says so.",
        _text("name: small", "vars: {score_threshold: .inf}"),
    ),
    "E010": Entry(
        "A spec has at most 40 levels, and its variables expand to at most 20000 values.",
        "Take levels out, or variables that multiply each other.",
        _text("name: small", f"vars: {{deep: {'[' * 41}{']' * 41}}}"),
    ),
    "E011": Entry(
        "`extends` is the relative path of one other spec, and no spec extends itself by any way.",
        "Name the spec to start from, from the folder of this one on.",
        _text("name: small", "extends: small.yaml"),
    ),
    "E012": Entry(
        "`vars` is a map of names to values.",
        "Write names of letters, digits and `_`, such as `vars: {bev_size: [32.0, 32.0, 1.0]}`.",
        _text("name: small", "vars: [bev_size, map_size]"),
    ),
    "E013": Entry(
        "Each `${name}` is the name of a variable in `vars`.",
        "Correct the name, or add the variable. A literal `${` is written `$${`.",
        Example(edits=(("march: bayes", "march: ${chip}"),)),
    ),
    "E014": Entry(
        "The value of a variable does not lead back to the variable.",
        "Give one of the variables in the circle a value of its own.",
        Example(
            edits=(
                ("vars:\n", "vars:\n  chip: ${board}\n  board: ${chip}\n"),
                ("march: bayes", "march: ${chip}"),
            )
        ),
    ),
    "E015": Entry(
        "A variable inside a longer text is text or a number.",
        "Let the whole value be `${name}`, or put the variable's parts into the text.",
        Example(edits=(("data_path: data/train_lmdb", "data_path: data/${tasks}_lmdb"),)),
    ),
    "E016": Entry(
        "Every variable is used somewhere.",
        "Correct the name where it is used, or remove the variable.",
        Example(edits=(("vars:\n", "vars:\n  bev_szie: [32.0, 32.0, 1.0]\n"),)),
    ),
    "E017": Entry(
        "A `--set` option is `path=value`.",
        "Write the dotted path, `=`, and a YAML value, in quotes for the shell: "
        "`--set 'model.backbone={type: resnet, depth: 50}'`.",
        Example(sets=("march",)),
    ),
    "E018": Entry(
        "The path of a `--set` option leads to a place in the spec.",
        "Correct the path: keys and numbers of list elements, counted from 0. Only the last step may be new.",
        Example(sets=("model.backbon.type=resnet",)),
    ),
    "E020": Entry(
        "A spec is a map of sections, and not empty.",
        "Begin with `name:` and `extends:`, as `specgen new` writes it.",
        _text("- small"),
    ),
    "E021": Entry(
        "A module that `plugins` names is a file below the folder where specgen is started, and can be "
        "imported.",
        "Correct the dotted name, or start specgen in the root of your project.",
        Example(edits=(("name: small\n", "name: small\nplugins: [parts.backbones]\n"),)),
    ),
    "E022": Entry(
        "A plugin has a schema for each of its components, in `schemas/<kind>/` beside the module.",
        "Write the schema; docs/tutorials/write_a_plugin.md shows one.",
        plugin(None),
    ),
    "E023": Entry(
        "No two components have the same name, also where they are of different kinds.",
        "Give yours another name: that of its schema file and of its `type`.",
        plugin(backbone_schema("resnet", {})),
    ),
    "E024": Entry(
        "The schema of a plugin's component is a JSON Schema with what a component needs.",
        "Mend the schema as the message says; docs/tutorials/write_a_plugin.md shows one.",
        plugin(("Plain", "[]\n")),
    ),
}
