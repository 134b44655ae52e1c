import pytest
import torch

from runtime.errors import RunError
from runtime.training.nonfinite_loss import NonfiniteLossGuard


def test_finite_losses_pass():
    guard = NonfiniteLossGuard()
    guard.watch({"a": torch.tensor(1.0), "b": torch.tensor(3e38)}, ["t1"], 0)
    guard.check()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_the_message_names_loss_and_tokens(value):
    losses = {"seg/loss": torch.tensor(1.0), "det/loss": torch.tensor(value, requires_grad=True)}
    with pytest.raises(RunError) as caught:
        NonfiniteLossGuard().watch(losses, ["t1", "t2"], 41)
    assert caught.value.message == (
        f"loss is not finite at step 41: `det/loss` = {value}; sample tokens of the batch: t1, t2"
    )


def test_on_a_device_the_batch_is_judged_when_the_next_one_comes(monkeypatch):
    """The meta device stands for one whose values cannot be read at once."""
    guard = NonfiniteLossGuard()
    guard.watch({"a": torch.zeros((), device="meta")}, ["t1"], 0)
    assert guard._waiting is not None
    guard._waiting = (torch.tensor([float("nan")]), ["a"], ["t1"], 0)
    with pytest.raises(RunError, match=r"step 0: `a` = nan; .* t1\n"):
        guard.watch({"a": torch.zeros((), device="meta")}, ["t2"], 1)
