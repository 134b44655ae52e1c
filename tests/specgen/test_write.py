"""Writing an experiment: only what differs, only what is ours, all or nothing."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from specgen.emit.lock import LOCK, digest, lock_text
from specgen.write import WriteError, difference, losses, planned, written


def files(**texts: str) -> dict[str, str]:
    named = {name.replace("__", "/").replace("_py", ".py"): text for name, text in texts.items()}
    table = {name: digest(text) for name, text in named.items()}
    return {**named, LOCK: lock_text(version="1", spec="s", sets=(), tables={"files": table})}


def tree(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_new_folder_with_subfolders(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "deep"
    wanted = files(a_py="1\n", stages__b_py="é\n")
    assert written(folder, wanted).written == ("a.py", LOCK, "stages/b.py")
    assert tree(folder) == wanted
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["deep"]  # nothing else is left
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE((tmp_path / "new").stat().st_mode)


def test_unchanged_files_are_left_alone(tmp_path: Path) -> None:
    written(tmp_path, files(a_py="1\n", b_py="2\n"))
    os.utime(tmp_path / "a.py", (1, 1))
    changes = written(tmp_path, files(a_py="1\n", b_py="3\n"))
    assert changes.written == ("b.py", LOCK)
    assert (tmp_path / "a.py").stat().st_mtime == 1
    assert written(tmp_path, files(a_py="1\n", b_py="3\n")).none


def test_files_that_are_not_made_any_more_are_removed(tmp_path: Path) -> None:
    written(tmp_path, files(a_py="1\n", stages__b_py="2\n"))
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "log.txt").write_text("log")
    assert written(tmp_path, files(a_py="1\n")).removed == ("stages/b.py",)
    assert sorted(tree(tmp_path)) == ["a.py", LOCK, "notes.txt", "runs/log.txt"]
    assert not (tmp_path / "stages").exists()


def test_an_edited_file_that_is_not_made_any_more_stays(tmp_path: Path) -> None:
    written(tmp_path, files(a_py="1\n", b_py="2\n"))
    (tmp_path / "b.py").write_text("edited")
    changes = written(tmp_path, files(a_py="1\n"))
    assert (changes.removed, changes.edited) == ((), ("b.py",))
    assert (tmp_path / "b.py").read_text() == "edited"


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(WriteError, match=r"is not empty and has no `experiment\.lock`"):
        written(tmp_path, files(a_py="1\n"))
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(WriteError, match="is not a folder"):
        written(tmp_path / "thesis.tex", files(a_py="1\n"))


def test_a_hostile_lock_removes_nothing_outside_and_no_run(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "experiment"
    outside.mkdir()
    written(folder, files(a_py="1\n", sub__own_py="2\n"))
    text = "precious\n"
    victims = [outside / "x.py", tmp_path / "y.py", folder / "runs" / "best.safetensors"]
    (folder / "runs").mkdir()
    for victim in victims:
        victim.write_text(text)
    (folder / "link").symlink_to(outside)
    (folder / "file_link.py").symlink_to(outside / "x.py")
    names = [
        str(outside / "x.py"),
        "../y.py",
        "sub/../../y.py",
        "sub/../a.py",
        "./a.py",
        "link/x.py",
        "file_link.py",
        "runs/best.safetensors",
        "..",
        "",
        ".",
        "sub",
        "/",
        "a\x00b",
        "C:\\x",
        "sub\\own.py",
    ]
    table = {name: digest(text) for name in names} | {"sub/own.py": digest("2\n")}
    (folder / LOCK).write_text(lock_text(version="1", spec="s", sets=(), tables={"files": table}))
    assert planned(folder, files(a_py="1\n")).removed == ("sub/own.py",)
    written(folder, files(a_py="1\n"))
    assert all(victim.read_text() == text for victim in victims)
    assert (folder / "file_link.py").is_symlink() and (folder / "link").is_symlink()


def test_a_linked_subfolder_is_not_written_through(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "experiment"
    outside.mkdir()
    written(folder, files(a_py="1\n"))
    (folder / "stages").symlink_to(outside)
    with pytest.raises(WriteError, match="is a link"):
        written(folder, files(a_py="1\n", stages__b_py="2\n"))
    assert not list(outside.iterdir())


def test_a_linked_file_is_replaced_not_followed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside.py", tmp_path / "experiment"
    outside.write_text("mine\n")
    written(folder, files(a_py="1\n"))
    (folder / "a.py").unlink()
    (folder / "a.py").symlink_to(outside)
    with pytest.raises(WriteError, match="edited since they were built"):
        written(folder, files(a_py="1\n"))
    written(folder, files(a_py="1\n"), force=True)
    assert outside.read_text() == "mine\n"
    assert not (folder / "a.py").is_symlink()


def test_the_experiment_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    written(tmp_path / "link", files(a_py="1\n"))
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "a.py").is_file()


@pytest.mark.parametrize("new", [True, False])
def test_a_full_disk_changes_nothing(tmp_path: Path, new: bool) -> None:
    folder = tmp_path / "experiment"
    if not new:
        written(folder, files(a_py="1\n"))
    before = tree(tmp_path)
    # A file size limit fails in the middle of a write, as a full disk does.
    script = """
import resource, sys
from pathlib import Path
from specgen.write import WriteError, written
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    written(Path(sys.argv[1]), {"a.py": "2\\n", "b.py": "x" * 50_000})
except WriteError as error:
    print(error, "|", error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True
    )
    hint = "free some space, then build again; the folder is as it was"
    assert done.stdout == f"cannot write `{folder}`: File too large | {hint}\n"
    assert tree(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == ([] if new else ["experiment"])


def test_a_failed_rename_leaves_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(WriteError, match="Read-only file system") as caught:
        written(tmp_path / "experiment", files(a_py="1\n"))
    assert caught.value.hint == "choose a folder that you can write to with `--out`"
    assert not list(tmp_path.iterdir())


def test_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    written(tmp_path, files(a_py="1\n"))
    (tmp_path / "a.py").unlink()
    (tmp_path / "a.py").mkdir()
    with pytest.raises(WriteError, match="is a folder, and a file is to be written there"):
        written(tmp_path, files(a_py="1\n"))


def test_difference_shows_changed_missing_and_left_over(tmp_path: Path) -> None:
    wanted = files(a_py="1\n", b_py="2\n")
    assert "--- /dev/null\n+++ b/a.py\n@@ -0,0 +1 @@\n+1\n" in difference(tmp_path / "new", wanted)
    assert not (tmp_path / "new").exists()
    written(tmp_path, files(a_py="0\n", b_py="2\n", c_py="3"))
    diff = difference(tmp_path, wanted)
    assert "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-0\n+1\n" in diff
    assert "--- a/c.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-3\n\\ No newline at end of file\n" in diff
    assert "b.py" not in diff.split("experiment.lock")[0].split("--- a/c.py")[0]
    written(tmp_path, wanted)
    assert difference(tmp_path, wanted) == ""


@pytest.mark.parametrize("content", [b"edited\n", b"\xff"])
def test_an_edit_by_hand_is_overwritten_by_force_only(tmp_path: Path, content: bytes) -> None:
    wanted = files(a_py="1\n", b_py="2\n")
    written(tmp_path, wanted)
    (tmp_path / "b.py").write_bytes(content)
    assert planned(tmp_path, wanted).overwritten == ("b.py",)
    for texts in (wanted, files(a_py="1\n", b_py="3\n")):
        with pytest.raises(WriteError, match=r"edited since they were built, .*\n  .*b\.py\Z") as caught:
            written(tmp_path, texts)
        assert "`--force` overwrites it" in (caught.value.hint or "")
        assert (tmp_path / "b.py").read_bytes() == content
    lost = losses(tmp_path, wanted)
    assert lost.startswith("--- a/b.py\n+++ b/b.py\n") and "\n+2\n" in lost and "a.py" not in lost
    assert written(tmp_path, wanted, force=True).overwritten == ("b.py",)
    assert (tmp_path / "b.py").read_text() == "2\n"
    assert written(tmp_path, files(a_py="1\n", b_py="3\n")).overwritten == ()


def test_a_file_that_the_lock_does_not_know_is_not_overwritten(tmp_path: Path) -> None:
    written(tmp_path, files(a_py="1\n"))
    (tmp_path / "b.py").write_text("mine\n")
    with pytest.raises(WriteError, match=r"b\.py"):
        written(tmp_path, files(a_py="1\n", b_py="2\n"))
    (tmp_path / "b.py").write_text("2\n")  # what would be written anyway
    assert written(tmp_path, files(a_py="1\n", b_py="2\n")).written == (LOCK,)


HOSTILE_LOCKS = {
    "no TOML": "<<<<<<< ours\n",
    "another type": 'files = "all of them"\n',
    "digests of other types": '[files]\n"a.py" = 1\n"b.py" = ["sha256:"]\n',
    "deep": "files = " + "[" * 100_000 + "\n",
    "a long number": "files = " + "9" * 100_000 + "\n",
    "long": "[files]\n" + "".join(f'"{number}.py" = "sha256:0"\n' for number in range(100_000)),
    "not UTF-8": '[files]\n"a.py" = "\udcff"\n',
    "empty": "",
}


@pytest.mark.parametrize("text", HOSTILE_LOCKS.values(), ids=HOSTILE_LOCKS.keys())
def test_a_harmed_lock_protects_what_it_does_not_name(tmp_path: Path, text: str) -> None:
    written(tmp_path, files(a_py="1\n", b_py="2\n"))
    (tmp_path / LOCK).write_text(text, errors="surrogateescape")
    assert written(tmp_path, files(a_py="1\n", b_py="2\n")).written == (LOCK,)
    (tmp_path / LOCK).write_text(text, errors="surrogateescape")
    with pytest.raises(WriteError, match=r"b\.py"):
        written(tmp_path, files(a_py="1\n", b_py="3\n"))
    assert planned(tmp_path, files(a_py="1\n")).removed == ()
    assert (tmp_path / "b.py").read_text() == "2\n"


def test_a_lock_that_is_a_link_is_not_believed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "experiment", tmp_path / "other.lock"
    written(folder, files(a_py="1\n", b_py="2\n"))
    (folder / LOCK).rename(outside)
    (folder / LOCK).symlink_to(outside)
    assert planned(folder, files(a_py="1\n")).removed == ()
    before = outside.read_text()
    written(folder, files(a_py="1\n"))
    assert outside.read_text() == before and not (folder / LOCK).is_symlink()
