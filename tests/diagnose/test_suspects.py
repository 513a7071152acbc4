"""Confident learning against a case by hand, and on real labels some of which were turned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from unrolled.diagnose.suspects import label_suspects, worst
from unrolled.prepare.read import read


def test_a_case_by_hand() -> None:
    probability = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9], [0.6, 0.4]])
    labels = np.array([0, 0, 0, 1, 1, 1])
    # mean of the own probability: class 0 (0.9 + 0.8 + 0.2) / 3 = 0.633, class 1 (0.7 + 0.9 + 0.4) / 3 = 0.667
    found = label_suspects(probability, labels)
    assert found.samples.tolist() == [2]
    assert found.margins.tolist() == pytest.approx([-0.6])
    assert found.joint.tolist() == [[2, 1], [0, 2]]  # the last sample reaches neither mean and is not counted
    assert found.share == pytest.approx(1 / 5)


def test_a_class_that_nobody_has_is_never_likely() -> None:
    found = label_suspects(np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]), np.array([0, 0]))
    assert len(found.samples) == 0 and found.joint[:, 2].sum() == 0


@pytest.mark.shared
def test_turned_labels_of_speakers_are_found(shared_data: Path) -> None:
    """Japanese vowels, every twentieth label turned; probabilities are out of sample, by cross-validation."""
    table = read(shared_data / "ucr_uea" / "JapaneseVowels" / "JapaneseVowels_TRAIN.ts")
    assert table.starts is not None
    columns = np.stack(list(table.columns.values()), 1)
    means = np.stack([columns[a:b].mean(0) for a, b in zip(table.starts[:-1], table.starts[1:], strict=True)])
    truth = np.unique(table.case_columns["label"], return_inverse=True)[1]
    turned = np.arange(0, len(truth), 20)
    labels = truth.copy()
    labels[turned] = (truth[turned] + 1 + np.arange(len(turned)) % 8) % 9
    model = LogisticRegression(max_iter=2000, C=10.0)
    probability = cross_val_predict(model, means / means.std(0), labels, cv=5, method="predict_proba")
    found = label_suspects(probability, labels)
    first = set(found.samples[: len(turned)].tolist())
    assert len(first & set(turned.tolist())) > len(turned) / 2  # by chance it would be one in twenty


def test_the_worst_leave_out_what_is_not_known() -> None:
    assert worst(np.array([1.0, np.nan, 3.0, 2.0, np.inf]), 2).tolist() == [2, 3]
