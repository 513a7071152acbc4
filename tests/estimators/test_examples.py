"""The examples in the docstrings run as printed."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["classifier", "forecaster", "pair_classifier", "recommender", "regressor", "tagger"])
def test_examples(name: str) -> None:
    found = doctest.testmod(import_module(f"unrolled.estimators.{name}"))
    assert found.attempted > 3
    assert not found.failed
