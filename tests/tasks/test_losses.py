"""Losses against torch, and what they promise about gaps and weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from unrolled.tasks.losses import (
    binary_cross_entropy,
    cross_entropy,
    mean_over_known,
    own,
    pinball,
    pointwise,
)

ORACLES = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "huber": lambda output, truth: functional.huber_loss(output, truth, delta=0.7),
}


@pytest.mark.parametrize("kind", ORACLES)
def test_without_gaps_and_weights_a_loss_is_torchs(kind: str) -> None:
    torch.manual_seed(0)
    output, truth = torch.randn(5, 3, 2), torch.randn(5, 3, 2)
    loss = mean_over_known(pointwise(kind, output, truth, 0.7), torch.ones_like(truth, dtype=torch.bool), None)
    torch.testing.assert_close(loss, ORACLES[kind](output, truth))


@pytest.mark.parametrize("kind", [*ORACLES, "pinball"])
def test_gaps_give_no_gradient_and_do_not_count(kind: str) -> None:
    torch.manual_seed(1)
    output, truth = torch.randn(5, 3, 2, requires_grad=True), torch.randn(5, 3, 2)
    truth[1, 2, 0] = truth[4] = torch.nan
    known = ~truth.isnan()

    def loss_of(output: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        if kind == "pinball":
            return pinball(output[..., None], truth, (0.3,))
        return pointwise(kind, output, truth, 0.7)

    loss = mean_over_known(loss_of(output, truth), known, None)
    loss.backward()  # type: ignore[no-untyped-call]
    assert output.grad is not None and loss.isfinite()
    assert (output.grad[~known] == 0).all() and (output.grad[known] != 0).all()
    torch.testing.assert_close(loss, loss_of(output[known], truth[known]).mean())


def test_weights_repeat_samples() -> None:
    torch.manual_seed(2)
    output, truth = torch.randn(3, 4, 1), torch.randn(3, 4, 1)
    everything = torch.ones_like(truth, dtype=torch.bool)
    weighted = mean_over_known((output - truth) ** 2, everything, torch.tensor([1.0, 0.0, 2.0]))
    torch.testing.assert_close(weighted, functional.mse_loss(output[[0, 2, 2]], truth[[0, 2, 2]]))
    nothing = mean_over_known((output - truth) ** 2, everything, torch.zeros(3))
    assert nothing == 0


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 0.95), st.integers(0, 99))
def test_the_pinball_loss_is_least_at_the_quantile(level: float, seed: int) -> None:
    sample = torch.tensor(np.random.default_rng(seed).exponential(size=101))
    candidates = sample.sort().values
    losses = pinball(candidates[:, None, None].expand(-1, 101, 1), sample.expand(101, -1), (level,)).mean(1)
    best = float(candidates[losses.argmin()])
    assert (losses >= 0).all()
    assert (
        np.quantile(sample, level, method="lower") - 1e-9 <= best <= np.quantile(sample, level, method="higher") + 1e-9
    )


def test_several_quantiles_are_averaged() -> None:
    output, truth = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[3.0]])
    torch.testing.assert_close(pinball(output, truth, (0.1, 0.9)), torch.tensor([[(0.1 * 2 + 0.9 * 1) / 2]]))


def test_cross_entropy_is_torchs_with_class_weights_and_smoothing() -> None:
    torch.manual_seed(3)
    logits, codes = torch.randn(8, 1, 4), torch.randint(0, 4, (8, 1)).float()
    weights = torch.tensor([[1.0, 2.0, 0.5, 3.0]])
    loss, known = cross_entropy(logits, codes, class_weights=weights, smoothing=0.0)
    expected = functional.cross_entropy(logits[:, 0], codes[:, 0].long(), weight=weights[0])
    torch.testing.assert_close(mean_over_known(loss, known, None), expected)
    loss, known = cross_entropy(logits, codes, class_weights=None, smoothing=0.2)
    expected = functional.cross_entropy(logits[:, 0], codes[:, 0].long(), label_smoothing=0.2)
    torch.testing.assert_close(mean_over_known(loss, known, None), expected)


def test_an_unknown_label_has_weight_zero() -> None:
    logits = torch.randn(3, 2, 4, requires_grad=True)
    codes = torch.tensor([[0.0, torch.nan], [torch.nan, 2.0], [3.0, 1.0]])
    loss, known = cross_entropy(logits, codes, class_weights=None, smoothing=0.0)
    mean_over_known(loss, known, None).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert (logits.grad[0, 1] == 0).all() and (logits.grad[1, 0] == 0).all() and (logits.grad[2] != 0).all()


def test_binary_cross_entropy_is_torchs() -> None:
    torch.manual_seed(4)
    logits, truth = torch.randn(9, 1), torch.randint(0, 2, (9, 1)).float()
    loss = binary_cross_entropy(logits, truth, 3.0).mean()
    expected = functional.binary_cross_entropy_with_logits(logits, truth, pos_weight=torch.tensor(3.0))
    torch.testing.assert_close(loss, expected)
    truth[2] = torch.nan
    assert binary_cross_entropy(logits, truth, 3.0)[2] == 0


def test_a_users_loss_is_a_scalar_or_a_row_a_sample() -> None:
    output, truth, weight = torch.randn(4, 1, 1, 1), torch.randn(4, 1), torch.tensor([1.0, 0, 0, 0])
    whole = own(lambda o, t: (o[:, 0, :, 0] - t).abs().sum(), output, truth, weight)
    torch.testing.assert_close(whole, (output[:, 0, :, 0] - truth).abs().sum())
    rows = own(lambda o, t: (o[:, 0, :, 0] - t).abs(), output, truth, weight)
    torch.testing.assert_close(rows, (output[0] - truth[0]).abs().squeeze())
