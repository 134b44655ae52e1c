import errno
import os
import pickle
import resource

import pytest
import torch

from runtime.atomic_file import write_bytes, write_json
from runtime.errors import RunError
from runtime.training.weights_file import (
    load_metadata,
    load_state,
    load_weights,
    model_fingerprint,
    save_state,
    save_weights,
)


def test_weights_and_metadata_come_back_bit_for_bit(tmp_path):
    weights = {
        "a.weight": torch.randn(3, 4),
        "a.count": torch.tensor(7),
        "b": torch.randn(2).to(torch.bfloat16),
    }
    save_weights(tmp_path / "w.safetensors", weights, {"epoch": 3, "metrics": {"bev_det": {"NDS": 0.5}}})
    loaded, metadata = load_weights(tmp_path / "w.safetensors")
    assert list(loaded) == sorted(weights)
    assert all(
        torch.equal(loaded[key], value) and loaded[key].dtype == value.dtype for key, value in weights.items()
    )
    assert metadata == {
        "epoch": 3,
        "metrics": {"bev_det": {"NDS": 0.5}},
        "fingerprint": model_fingerprint(weights),
    }
    assert load_metadata(tmp_path / "w.safetensors") == metadata


def test_tensors_that_share_memory_are_saved_apart(tmp_path):
    base = torch.arange(6.0)
    save_weights(tmp_path / "w.safetensors", {"whole": base, "part": base[2:4]}, {})
    loaded, _ = load_weights(tmp_path / "w.safetensors")
    assert loaded["part"].tolist() == [2.0, 3.0]


def test_the_fingerprint_is_of_the_architecture_not_of_the_values():
    weights = {"a": torch.zeros(2, 3), "b": torch.zeros(1)}
    assert model_fingerprint({"b": torch.ones(1), "a": torch.ones(2, 3)}) == model_fingerprint(weights)
    assert model_fingerprint({"a": torch.zeros(3, 2), "b": torch.zeros(1)}) != model_fingerprint(weights)
    assert model_fingerprint({"a": torch.zeros(2, 3), "c": torch.zeros(1)}) != model_fingerprint(weights)


def test_missing_and_truncated_files_are_told_apart(tmp_path):
    with pytest.raises(RunError, match="no such checkpoint"):
        load_weights(tmp_path / "none.safetensors")
    save_weights(tmp_path / "w.safetensors", {"a": torch.zeros(100)}, {})
    (tmp_path / "w.safetensors").write_bytes((tmp_path / "w.safetensors").read_bytes()[:200])
    with pytest.raises(RunError, match=r"not a readable `\.safetensors` file, 200 bytes"):
        load_weights(tmp_path / "w.safetensors")


def test_state_comes_back_and_code_in_it_is_refused(tmp_path):
    state = {
        "step": 3,
        "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]},
    }
    save_state(tmp_path / "s.state.pt", state)
    loaded = load_state(tmp_path / "s.state.pt")
    assert loaded["optimizer"]["param_groups"] == [{"lr": 0.1}]
    assert loaded["optimizer"]["state"][0]["exp_avg"].tolist() == [1.0, 1.0]

    torch.save({"evil": _Evil(str(tmp_path / "ran"))}, tmp_path / "evil.state.pt")
    with pytest.raises(RunError, match="not a readable trainer state"):
        load_state(tmp_path / "evil.state.pt")
    assert not (tmp_path / "ran").exists()
    # The file is as bad as it claims to be: a plain unpickling runs it.
    pickle.loads(pickle.dumps(_Evil(str(tmp_path / "ran"))))
    assert (tmp_path / "ran").exists()


class _Evil:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


def test_when_the_file_does_not_fit_the_old_one_stays(tmp_path):
    """A real limit on file size makes the system refuse in the middle of the write."""
    path = tmp_path / "last.safetensors"
    save_weights(path, {"a": torch.ones(4)}, {})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(RunError, match="no space left on the disk") as caught:
            save_weights(path, {"a": torch.ones(100_000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(path) in str(caught.value) and "cannot write 0.4 MB" in str(caught.value)
    assert load_weights(path)[0]["a"].tolist() == [1.0] * 4
    assert [file.name for file in tmp_path.iterdir()] == ["last.safetensors"]


def test_a_full_disk_is_named_as_such(tmp_path, monkeypatch):
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RunError, match="no space left on the disk"):
        write_bytes(tmp_path / "file", b"12")
    assert list(tmp_path.iterdir()) == []


def test_json_has_no_nan(tmp_path):
    write_json(tmp_path / "m.json", {"a": [float("nan"), 1.0], "b": float("inf")})
    assert (tmp_path / "m.json").read_text() == '{\n  "a": [\n    null,\n    1.0\n  ],\n  "b": null\n}\n'
