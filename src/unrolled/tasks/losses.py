"""Training losses: one value an entry, then a weighted mean over what is known.

Letters: B batch, S steps, M targets, V values, K classes, L labels of a string.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def pointwise(kind: str, output: Tensor, truth: Tensor, delta: float) -> Tensor:
    """Squared, absolute or Huber (1964) loss of each entry; NaN in the truth gives 0."""
    truth = torch.where(truth.isnan(), output.detach(), truth)
    if kind == "mse":
        return (output - truth) ** 2
    if kind == "mae":
        return (output - truth).abs()
    return functional.huber_loss(output, truth, reduction="none", delta=delta)


def pinball(output: Tensor, truth: Tensor, quantiles: tuple[float, ...]) -> Tensor:
    """Quantile loss of each entry (Koenker & Bassett 1978), the mean over quantiles.

    Args:
        output: ``(B, ..., Q)``.
        truth: ``(B, ...)``; NaN gives 0.
    """
    level = output.new_tensor(quantiles)
    truth = truth[..., None]
    gap = torch.where(truth.isnan(), output.detach(), truth) - output
    return torch.maximum(level * gap, (level - 1) * gap).mean(-1)


def own(function: Callable[..., Any], output: Tensor, truth: Tensor, weight: Tensor | None) -> Tensor:
    """A user's own loss: taken as it is when it is a scalar, averaged when it has one row a sample."""
    loss: Tensor = function(output, truth)
    if loss.ndim == 0:
        return loss
    return mean_over_known(loss, torch.ones_like(loss, dtype=torch.bool), weight)


def mean_over_known(loss: Tensor, known: Tensor, weight: Tensor | None) -> Tensor:
    """Weighted mean of ``loss`` ``(B, ...)`` over the entries that are ``known``; 0 where none is.

    Args:
        loss: 0 at entries that are not known.
        known: booleans of the same shape.
        weight: ``(B,)`` or None.
    """
    share = known.to(loss.dtype)
    if weight is not None:
        share = share * weight.to(loss.dtype).reshape(-1, *[1] * (loss.ndim - 1))
    return (loss * share).sum() / share.sum().clamp_min(torch.finfo(loss.dtype).tiny)


def cross_entropy(
    logits: Tensor, codes: Tensor, *, class_weights: Tensor | None, smoothing: float
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of each sample and target, and the weight of its class.

    Args:
        logits: ``(B, M, K)``.
        codes: ``(B, M)`` class codes as floats; NaN is not known.
        class_weights: ``(M, K)`` or None.
        smoothing: share of the probability spread over all classes (Szegedy et al. 2016).

    Returns:
        ``(B, M)`` losses and ``(B, M)`` weights, 0 where the label is not known.
    """
    classes = logits.shape[-1]
    known = ~codes.isnan()
    label = torch.where(known, codes, torch.zeros_like(codes)).long()
    loss = functional.cross_entropy(logits.movedim(-1, 1), label, reduction="none", label_smoothing=smoothing)
    weight = known.to(loss.dtype)
    if class_weights is not None:
        own = class_weights.to(loss).expand(*label.shape, classes).gather(-1, label[..., None])[..., 0]
        weight = weight * own
    return loss, weight


def ctc(logits: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    """Minus the log probability of each string, divided by its length (Graves et al. 2006, eq. 8 and 12).

    Args:
        logits: ``(B, S, V)``, value 0 the blank, which is certain behind the end of a sequence.
        codes: ``(B, L)`` labels, of which 0 is value 1; NaN behind the end of each string.

    Returns:
        ``(B,)`` losses, 0 where there is no string, and which there are.
    """
    known = ~codes.isnan()
    count = known.sum(1)
    steps = torch.full_like(count, logits.shape[1])
    labels = torch.where(known, codes + 1, torch.zeros_like(codes)).long()
    rows = functional.log_softmax(logits.float(), -1).transpose(0, 1)
    loss = functional.ctc_loss(rows, labels, steps, count, blank=0, reduction="none")
    return torch.where(count > 0, loss / count.clamp_min(1), torch.zeros_like(loss)), count > 0


def contrastive(cosine: Tensor, truth: Tensor, margin: float) -> Tensor:
    """``(1 - c)^2`` of pairs that are alike, ``max(0, c - margin)^2`` of others; NaN gives 0.

    The loss of Hadsell, Chopra & LeCun 2006 (eq. 4) with the distance ``1 - c``.
    """
    apart = torch.where(truth > 0.5, 1 - cosine, (cosine - margin).clamp(min=0))
    return torch.where(truth.isnan(), torch.zeros_like(cosine), apart.square())


def binary_cross_entropy(logits: Tensor, truth: Tensor, positive_weight: float) -> Tensor:
    """Binary cross-entropy of each entry, positives counted ``positive_weight`` times; NaN gives 0."""
    known = ~truth.isnan()
    loss = functional.binary_cross_entropy_with_logits(
        logits,
        torch.where(known, truth, torch.zeros_like(truth)),
        reduction="none",
        pos_weight=logits.new_tensor(positive_weight),
    )
    return torch.where(known, loss, torch.zeros_like(loss))
