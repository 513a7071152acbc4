"""Net specs from anywhere: any nonsense is a ConfigError that names its place, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.core.errors import ConfigError
from unrolled.nets import Net, NetSpec
from unrolled.nets.layers import layer_kinds
from unrolled.program.shapes import Inputs, Outputs

words = st.sampled_from(
    ["size", "layers", "kind", "kernel", "channels", "hidden", "length", "initial", "os.system", ""]
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from([*layer_kinds(), "exec", "__class__"])
entries = st.dictionaries(names, st.dictionaries(words, values, max_size=2) | values, max_size=2) | names | values
SERIES = (Inputs(numbers=2, targets=2), Outputs(steps=3, targets=2))


@settings(max_examples=300, deadline=None)
@given(net=st.lists(entries, max_size=4) | values)
def test_nonsense_is_answered_with_its_place(net: Any) -> None:
    try:
        spec = NetSpec.parse(net)
    except ConfigError as error:
        assert error.where.startswith("net") and len(str(error)) < 1000
        return
    assert NetSpec.parse(spec.dump()) == spec


@settings(max_examples=150, deadline=None)
@given(net=st.lists(names, min_size=1, max_size=5))
def test_any_order_of_layers_builds_or_says_why_not(net: list[str]) -> None:
    try:
        Net(net, *SERIES)
    except ConfigError as error:
        assert error.where.startswith("net[")


def test_yaml_that_asks_for_objects_is_not_our_yaml() -> None:
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load("net: !!python/object/apply:os.system ['true']")


def test_a_size_that_would_fill_the_memory_is_refused_before() -> None:
    for entry in ({"lstm": {"size": 10**6}}, {"conv": {"channels": 10**6}}, {"linear": {"hidden": [10**6]}}):
        with pytest.raises(ConfigError, match="less than or equal to 16384"):
            NetSpec.parse([entry])
