"""Spaces: what is found in a config, what is refused, what comes out."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.core.errors import ConfigError
from unrolled.core.search import Value
from unrolled.search import Axis, Space

TREE: dict[str, Any] = {
    "data": {"path": "prices.csv", "window": {"choice": [8, None]}},
    "net": {
        "choice": [
            "gru",
            [{"lstm": {"size": {"low": 8, "high": 32, "step": 8}}}],
            [{"conv": {"channels": 4}}, {"gru": {"size": {"choice": [4, 16]}}}],
        ]
    },
    "train": {"learning_rate": {"low": "1e-4", "high": 1e-2, "log": True}, "epochs": 3},
}


def _at(point: dict[str, Value], axis: Axis) -> Value:
    return point[axis.path]


def test_axes_are_found_by_their_paths() -> None:
    axes = {axis.path: axis for axis in Space.parse(TREE).axes}
    assert list(axes) == [
        "data.window",
        "net",
        "net(lstm).0.lstm.size",
        "net(conv+gru).1.gru.size",
        "train.learning_rate",
    ]
    assert axes["net"].options == ("gru", "lstm", "conv+gru") and axes["data.window"].options == (8, None)
    assert axes["net(lstm).0.lstm.size"].points() == [8, 16, 24, 32]
    assert axes["net(lstm).0.lstm.size"].under == (("net", "lstm"),)
    rate = axes["train.learning_rate"]
    assert (rate.low, rate.high, rate.log, rate.whole) == (1e-4, 1e-2, True, False)


def test_only_what_counts_is_asked_for() -> None:
    asked: list[str] = []

    def pick(axis: Axis) -> Value:
        asked.append(axis.path)
        chosen: dict[str, Value] = {"net": "conv+gru", "net(conv+gru).1.gru.size": 16}
        return chosen.get(axis.path, axis.ends()[0])

    filled = Space.parse(TREE).fill(pick)
    assert filled["net"] == [{"conv": {"channels": 4}}, {"gru": {"size": 16}}]
    assert filled["train"] == {"learning_rate": 1e-4, "epochs": 3} and filled["data"]["window"] == 8
    assert "net(lstm).0.lstm.size" not in asked


def test_a_grid_is_every_combination_once() -> None:
    tree = {**TREE, "train": {"learning_rate": {"choice": [0.1, 0.2]}}}
    points = Space.parse(tree).grid()
    assert len(points) == 2 * (1 + 4 + 2) * 2
    assert len({tuple(sorted(map(repr, point.items()))) for point in points}) == len(points)
    space = Space.parse(tree)
    configs = [repr(space.fill(partial(_at, point))) for point in points]
    assert len(set(configs)) == len(points)
    with pytest.raises(ConfigError, match=r"train.learning_rate: a grid needs values it can count"):
        Space.parse(TREE).grid()


def test_every_option_is_met_in_a_corner() -> None:
    met = {(axis.path, value) for axis, value, _ in Space.parse(TREE).corners()}
    assert met == {(axis.path, value) for axis in Space.parse(TREE).axes for value in axis.ends()}
    for axis, value, tree in Space.parse(TREE).corners():
        if axis.path == "net(lstm).0.lstm.size":
            assert tree["net"] == [{"lstm": {"size": value}}]


WRONG: dict[str, dict[str, Any]] = {
    "choice is empty": {"a": {"choice": []}},
    "not a list": {"a": {"choice": 5}},
    "a value twice": {"a": {"choice": [1, 2, 1]}},
    "a choice has no 'low'": {"a": {"choice": [1], "low": 2}},
    "a range has no high": {"a": {"low": 1}},
    "a range has no low": {"a": {"high": 1}},
    "nothing lies between": {"a": {"low": 2, "high": 1}},
    "log is for numbers above 0": {"a": {"low": 0, "high": 1, "log": True}},
    "log and step contradict": {"a": {"low": 1, "high": 9, "log": True, "step": 2}},
    "does not fit between": {"a": {"low": 1, "high": 3, "step": 5}},
    "a range has no 'lgo'": {"a": {"low": 1, "high": 3, "lgo": True}},
    "'x' is not a number": {"a": {"low": "x", "high": 3}},
    "True is not a number": {"a": {"low": True, "high": 3}},
    "nan is not a number": {"a": {"low": float("nan"), "high": 3}},
    "not true or false": {"a": {"low": 1, "high": 3, "log": "yes"}},
    "there is nothing to choose": {"a": {"b": 1}},
}


@pytest.mark.parametrize("said", WRONG)
def test_what_makes_no_sense_is_refused(said: str) -> None:
    with pytest.raises(ConfigError, match=r"a: |a\.low: |the config: ") as caught:
        Space.parse(WRONG[said])
    assert said in str(caught.value)


def test_true_and_one_are_two_options() -> None:
    space = Space.parse({"a": {"choice": [True, 1, 1.0]}})
    assert [type(space.fill(partial(_at, {"a": value}))["a"]) for value in (True, 1, 1.0)] == [bool, int, float]


LEAVES = st.one_of(
    st.integers(),
    st.lists(st.integers(), min_size=1, max_size=3, unique=True).map(lambda options: {"choice": options}),
    st.integers(1, 5).map(lambda high: {"low": 0, "high": high}),
)
TREES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.dictionaries(st.sampled_from("abc"), parts, max_size=3),
        st.lists(parts, max_size=2),
        st.lists(parts, min_size=1, max_size=2).map(lambda options: {"choice": [[option] for option in options]}),
    ),
    max_leaves=6,
)


@given(TREES, st.integers())
def test_any_tree_is_filled_with_points_of_its_grid(tree: Any, seed: int) -> None:
    try:
        space = Space.parse({"root": tree})
    except ConfigError as error:
        assert "nothing to choose" in str(error)
        return
    drawn = random.Random(seed)
    chosen: dict[str, Value] = {}

    def pick(axis: Axis) -> Value:
        return chosen.setdefault(axis.path, drawn.choice(axis.points()))

    filled = space.fill(pick)
    assert "choice" not in repr(filled) and "low" not in repr(filled)
    assert chosen in space.grid()
