"""Ranking losses over a few candidates, of GRU4Rec.

Hidasi & Karatzoglou 2018, "Recurrent Neural Networks with Top-k Gains for Session-based Recommendations".

Letters: n samples, C candidates.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def bpr_max(scores: Tensor, place: Tensor, penalty: float) -> Tensor:
    """``-log sum_j s_j sigmoid(r_i - r_j) + penalty sum_j s_j r_j^2`` of each sample (eq. 10).

    Args:
        scores: ``(n, C)`` r.
        place: ``(n,)`` column i of the truth; all others are negatives, and s is a softmax of their scores.
        penalty: of high scores of negatives.
    """
    truth, share = _against(scores, place)
    # log sigmoid and log s are added before they are summed, so that neither vanishes
    gain = torch.logsumexp(functional.logsigmoid(truth - scores) + share, dim=1)
    return penalty * (share.exp() * scores**2).sum(1) - gain


def top1_max(scores: Tensor, place: Tensor) -> Tensor:
    """``sum_j s_j (sigmoid(r_j - r_i) + sigmoid(r_j^2))`` of each sample (eq. 9); arguments as of ``bpr_max``."""
    truth, share = _against(scores, place)
    return (share.exp() * (torch.sigmoid(scores - truth) + torch.sigmoid(scores**2))).sum(1)


def _against(scores: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
    """``(n, 1)`` score of the truth, and ``(n, C)`` logarithm of the softmax over the negatives (the truth: none)."""
    column = place[:, None]
    lowest = torch.finfo(scores.dtype).min
    return scores.gather(1, column), torch.log_softmax(scores.scatter(1, column, lowest), dim=1)
