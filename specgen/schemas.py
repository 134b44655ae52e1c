"""The JSON Schemas of the spec language, and the walk through them beside a spec.

Convention: `$ref`s are made absolute when the files are read, so that any part of a schema can be looked at
alone. A property that holds a component carries `x-kind`; the component's own schema is then
`<kind>/<type>.schema.json`.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specgen.document import Node

SUFFIX = ".schema.json"
BASE = "file:///schemas/"
TOP = "spec" + SUFFIX

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Schemas:
    """All schema files by path below `schemas/`, with the digest of each file's text; equal to no other."""

    documents: Mapping[str, Schema]
    digests: Mapping[str, str]

    @property
    def top(self) -> Schema:
        return self.documents[TOP]

    def kinds(self) -> list[str]:
        """Kinds of component, sorted."""
        return sorted({name.split("/")[0] for name in self.documents if "/" in name})

    def types(self, kind: str) -> list[str]:
        """Names of the components of a kind, sorted."""
        found = [name for name in self.documents if name.startswith(kind + "/")]
        return sorted(name.removeprefix(kind + "/").removesuffix(SUFFIX) for name in found)

    def component(self, kind: str, type_name: str | None) -> Schema | None:
        """The schema of a component, None when there is no such one."""
        return self.documents.get(f"{kind}/{type_name}{SUFFIX}")

    def view(self, schema: Schema, node: Node | None = None) -> Schema:
        """`schema` with its `$ref` put in, as it applies to `node`: a component's own where it is one."""
        own = {key: value for key, value in schema.items() if key != "$ref"}
        kind = schema.get("x-kind")
        if kind is not None and node is not None:
            component = self.component(kind, node.type)
            return {**component, **own} if component is not None else own
        if "$ref" in schema and kind is None:
            return {**self.view(self._target(schema["$ref"])), **own}
        return own

    def _target(self, reference: str) -> Schema:
        name, _, pointer = reference.removeprefix(BASE).partition("#")
        found: Any = self.documents[name]
        for step in pointer.split("/")[1:]:
            found = found[step.replace("~1", "/").replace("~0", "~")]
        assert isinstance(found, Mapping)
        return found


def child_schema(view: Schema, step: str | int) -> Schema:
    """The schema of an entry or element of what `view` describes; empty where nothing is said about it."""
    if isinstance(step, int):
        first = view.get("prefixItems", ())
        found = first[step] if step < len(first) else view.get("items", {})
    else:
        found = view.get("properties", {}).get(step)
        if found is None:
            patterns = view.get("patternProperties", {}).items()
            found = next((item for pattern, item in patterns if re.search(pattern, step)), None)
        if found is None:
            found = view.get("additionalProperties", {})
    return found if isinstance(found, Mapping) else {}


def children(view: Schema, node: Node) -> Iterator[tuple[str | int, Node, Schema]]:
    """Entries or elements of `node`, each with its schema."""
    for key, child in node.items():
        yield key, child, child_schema(view, key)
    for index, child in enumerate(node.elements()):
        yield index, child, child_schema(view, index)


def read_schemas(folder: Path) -> Schemas:
    """All schemas below `folder`.

    Raises:
        ValueError: for a file that is no JSON object.
    """
    documents: dict[str, Schema] = {}
    digests: dict[str, str] = {}
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        name = path.relative_to(folder).as_posix()
        raw = path.read_bytes()
        content = json.loads(raw)
        if not isinstance(content, dict):
            raise ValueError(f"`{path}` is not a JSON object")
        # Without the draft named in each file a validator of ours stays in charge across references.
        content.pop("$schema", None)
        documents[name] = absolute(content, name)
        digests[name] = "sha256:" + hashlib.sha256(raw).hexdigest()
    return Schemas(documents, digests)


def absolute(part: Any, name: str) -> Any:
    """A part of the schema file `name` with every `$ref` made absolute."""
    if isinstance(part, dict):
        result = {key: absolute(value, name) for key, value in part.items()}
        if isinstance(part.get("$ref"), str):
            file, _, pointer = part["$ref"].partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
            result["$ref"] = f"{BASE}{target}#{pointer}" if pointer else BASE + target
        return result
    if isinstance(part, list):
        return [absolute(value, name) for value in part]
    return part
