"""The record of everything a job can be told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.core.errors import ConfigError
from unrolled.workflow.config import Config

_TRAIN = st.dictionaries(st.sampled_from(["epochs", "clip_norm", "patience"]), st.none() | st.integers(1, 9))
_GIVEN = st.fixed_dictionaries(
    {}, optional={"seed": st.none() | st.integers(0, 99), "train": _TRAIN, "data": st.just({"split": {"test": 0}})}
)


@given(_GIVEN, _GIVEN)
def test_over_takes_what_is_given_and_leaves_the_rest(base: dict[str, Any], given_: dict[str, Any]) -> None:
    config = Config.parse({key: value for key, value in base.items() if value is not None})
    after = config.over(given_)
    said = {key: value for key, value in given_.get("train", {}).items() if value is not None}
    assert after.train == {**config.train, **said}
    assert after.seed == (config.seed if given_.get("seed") is None else given_["seed"])
    assert after.data.split.test == (0 if "data" in given_ else config.data.split.test)
    assert after.data.split.valid == config.data.split.valid
    assert after.over({}) == after == after.over(given_)


def test_over_names_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match=r"options\.data\.split\.tset.*\n.*test"):
        Config().over({"data": {"split": {"tset": 0}}})
    with pytest.raises(ConfigError, match="seed"):
        Config().over({"seed": "many"}, where="")
