"""Specs of a git revision: `REV:path`, fetched with all that they extend into a folder of their own."""

from __future__ import annotations

import posixpath
import subprocess
from dataclasses import dataclass
from pathlib import Path

_LONGEST_CHAIN = 20


class GitProblem(Exception):
    """What was asked for is not in the repository; `hint` says what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of a revision, and the files that it extends, beside each other as in the repository.

    Attributes:
        path: the copy of the file.
        shown: how it is named, `REV:path`.
        inside_folder: whether a folder was named, and this is the file within it.
    """

    path: Path
    shown: str
    inside_folder: bool


def fetched(given: str, folder: Path, *, within: str = "spec.yaml") -> Fetched:
    """The file that `REV:path` names, or the file `within` it where that is a folder; copied into `folder`.

    The path starts at the root of the repository, or here with `./`, as for git itself.

    Raises:
        GitProblem: when there is no such revision or file, or the path leads out of the repository.
    """
    revision, _, asked = given.partition(":")
    if not revision or not asked:
        raise GitProblem(f"`{given}` is not `REV:path`", "such as `HEAD:specs/bev_ipm.yaml`")
    root = Path(
        _git(Path.cwd(), "rev-parse", "--show-toplevel", problem="this is not in a git repository").strip()
    )
    commit = _git(
        root,
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}",
        problem=f"`{revision}` is no revision of this repository",
    ).strip()  # fmt: skip
    path = _inside(asked, root, given)
    kind = _git(
        root, "cat-file", "-t", f"{commit}:{path}", problem=f"`{path}` is not in `{revision}`"
    ).strip()
    if kind == "tree":
        path = posixpath.join(path, within) if path != "." else within
        problem = f"`{asked}` is a folder in `{revision}`, without a `{within}`"
        _git(root, "cat-file", "-t", f"{commit}:{path}", problem=problem)
    _copy_chain(root, commit, path, folder, given)
    return Fetched(folder / path, f"{revision}:{path}", kind == "tree")


def _copy_chain(root: Path, commit: str, path: str, folder: Path, given: str) -> None:
    """Copies a spec and what it extends; a spec that cannot be read is for the compiler to report."""
    from specgen.diagnostic import SpecError
    from specgen.yaml_text import parse_yaml

    for _ in range(_LONGEST_CHAIN):
        target = folder / path
        if target.exists():
            return
        raw = _blob(root, f"{commit}:{path}")
        if raw is None:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(raw)
        try:
            extends = parse_yaml(raw.decode("utf-8-sig"), path).plain_at("extends")
        except (SpecError, UnicodeDecodeError):
            return
        if not isinstance(extends, str) or not extends or extends.startswith("/"):
            return
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), extends))
        if path.startswith("../"):
            raise GitProblem(f"`{given}` extends `{extends}`, which leads out of the repository")


def _inside(asked: str, root: Path, given: str) -> str:
    """The path from the root of the repository."""
    path = posixpath.normpath(asked) if asked else "."
    if asked.startswith(("./", "../")) or asked in (".", ".."):
        here = Path.cwd().resolve().relative_to(root.resolve()).as_posix()
        path = posixpath.normpath(posixpath.join(here, asked))
    if path.startswith(("/", "../")) or path == "..":
        hint = "a path starts at the root of the repository, or here with `./`"
        raise GitProblem(f"`{given}` leads out of the repository", hint)
    return path


def _git(folder: Path, *arguments: str, problem: str) -> str:
    done = _run(folder, *arguments)
    if done.returncode != 0:
        raise GitProblem(problem)
    return done.stdout.decode(errors="replace")


def _blob(root: Path, name: str) -> bytes | None:
    done = _run(root, "cat-file", "blob", name)
    return done.stdout if done.returncode == 0 else None


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise GitProblem("`git` is not installed", "name two files instead") from None
    except ValueError:  # a null character cannot be an argument
        raise GitProblem("the revision cannot be read") from None
