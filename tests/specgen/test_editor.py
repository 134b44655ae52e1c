"""An editor with the YAML language server completes and explains a spec, by the comment in its first line.

The server comes from npm, so that this is no part of the default run: `-m slow` runs it where Node.js is and
the registry can be reached.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVER = "yaml-language-server@1.25.0"
TEXT = """# yaml-language-server: $schema=../schemas/spec.schema.json
name: edited
march: bayes
model:
  type: BevStructure
  backbone:
    type: resnet
    depth: 50
  neck:
    type: \n\
data:
  train:
    type: DataLoader
    batch_size: 0
"""


class Client:
    """Talks to a language server over its standard input and output."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.number = 0
        self.notes: list[dict[str, Any]] = []
        self.ask("initialize", processId=None, rootUri=folder.as_uri(), capabilities={})
        self.tell("initialized")

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def tell(self, method: str, **parameters: Any) -> None:
        self.send({"method": method, "params": parameters})

    def ask(self, method: str, **parameters: Any) -> Any:
        """The answer to a request; what the server asks in between is answered with nothing."""
        self.number += 1
        self.send({"id": self.number, "method": method, "params": parameters})
        while True:
            message = self.receive()
            if message.get("id") == self.number and "method" not in message:
                return message.get("result")

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        assert length, "the language server ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "method" in message and "id" in message:
            items = (
                message["params"].get("items", []) if message["method"] == "workspace/configuration" else []
            )
            self.send({"id": message["id"], "result": [None for _ in items] or None})
        elif "method" in message:
            self.notes.append(message)
        return message


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that starts the server."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("Node.js and npm are not installed")
    folder = tmp_path_factory.mktemp("npm")
    install = [npm, "install", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix", str(folder), SERVER]
    try:
        done = subprocess.run(install, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode != 0:
        pytest.skip(f"`{SERVER}` cannot be installed: {done.stderr.strip()[-200:]}")
    return [node, str(folder / "node_modules" / ".bin" / "yaml-language-server"), "--stdio"]


@pytest.fixture
def editor(server: list[str], tmp_path: Path) -> Iterator[tuple[Client, str]]:
    """A client that has the spec open, beside the schemas as in the repository, and its address."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    (tmp_path / "specs").mkdir()
    spec = tmp_path / "specs" / "edited.yaml"
    spec.write_text(TEXT, encoding="utf-8")
    client = Client(server, tmp_path)
    client.tell(
        "workspace/didChangeConfiguration",
        settings={
            "yaml": {"completion": True, "hover": True, "validate": True, "schemaStore": {"enable": False}}
        },
    )
    document = {"uri": spec.as_uri(), "languageId": "yaml", "version": 1, "text": TEXT}
    client.tell("textDocument/didOpen", textDocument=document)
    yield client, spec.as_uri()
    client.process.kill()
    client.process.wait()


def place(uri: str, line: str, offset: int) -> dict[str, Any]:
    """Where in the text the `offset`th character of a line is; -1 is its end."""
    number = TEXT.split("\n").index(line)
    character = len(line) if offset == -1 else offset
    return {"textDocument": {"uri": uri}, "position": {"line": number, "character": character}}


def labels(answer: Any) -> set[str]:
    return {item["label"] for item in answer["items"]}


@pytest.mark.slow
def test_types_and_keys_are_completed(editor: tuple[Client, str]) -> None:
    client, uri = editor
    types = labels(client.ask("textDocument/completion", **place(uri, "    type: ", -1)))
    assert {"FastSCNNNeck", "BiFPN"} <= types
    assert not {"resnet", "efficientnet"} & types
    keys = labels(client.ask("textDocument/completion", **place(uri, "    depth: 50", 4)))
    assert {"bn_kwargs", "in_channels"} <= keys


@pytest.mark.slow
def test_hovering_explains(editor: tuple[Client, str]) -> None:
    client, uri = editor
    text = json.dumps(client.ask("textDocument/hover", **place(uri, "    depth: 50", 6)))
    assert "Number of layers with weights" in text
    assert "Architecture of the chip" in json.dumps(
        client.ask("textDocument/hover", **place(uri, "march: bayes", 2))
    )


@pytest.mark.slow
def test_mistakes_are_underlined(editor: tuple[Client, str]) -> None:
    client, uri = editor
    client.ask("textDocument/hover", **place(uri, "march: bayes", 2))
    while True:
        found = [
            note["params"] for note in client.notes if note["method"] == "textDocument/publishDiagnostics"
        ]
        if found and found[-1]["diagnostics"]:
            break
        client.receive()
    lines = {item["range"]["start"]["line"]: item["message"] for item in found[-1]["diagnostics"]}
    assert "minimum" in lines[TEXT.split("\n").index("    batch_size: 0")]


def test_every_spec_names_its_schema() -> None:
    specs = sorted((ROOT / "specs").glob("*.yaml"))
    assert len(specs) >= 2
    for path in specs:
        first = path.read_text(encoding="utf-8").split("\n")[0]
        mark, _, target = first.partition("$schema=")
        assert mark == "# yaml-language-server: ", path.name
        assert (path.parent / target).resolve() == ROOT / "schemas" / "spec.schema.json"
