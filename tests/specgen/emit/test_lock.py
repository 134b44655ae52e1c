"""The lock as TOML."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from specgen.emit.lock import digest, lock_text, locked_files

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXTS, st.lists(TEXTS, max_size=3), st.dictionaries(TEXTS, TEXTS, max_size=4))
def test_any_text_survives(spec: str, sets: list[str], files: dict[str, str]) -> None:
    text = lock_text(version="1", spec=spec, sets=tuple(sets), tables={"files": files})
    assert tomllib.loads(text) == {"specgen": "1", "spec": spec, "set": sets, "files": files}
    assert locked_files(text) == files


def test_entries_are_sorted() -> None:
    text = lock_text(version="1", spec="s", sets=(), tables={"files": {"b": "2", "a": "1"}})
    assert text.splitlines()[-3:] == ["[files]", '"a" = "1"', '"b" = "2"']


def test_a_lock_that_is_none_lists_nothing() -> None:
    for text in ("", "files = 3", "[files]\na = 1", "no toml", "[" * 100000):
        assert locked_files(text) == {}


def test_digest_is_of_the_bytes_on_disk() -> None:
    # printf "\\303\\251\\n" | sha256sum
    assert digest("é\n") == "sha256:edd3a863872a04239eb29ad4bc12fc892b3d4ae57cc7e786a3697816f8e141c2"
