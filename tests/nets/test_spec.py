"""A net as data: what is read, what is refused, what is written back."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from unrolled.core.errors import ConfigError
from unrolled.nets import NetSpec

ISSUE = """
- conv: {channels: 32, kernel: 5}
- lstm: {size: 128, layers: 2, bidirectional: true, dropout: 0.3}
- gru: {size: 64}
- attention: {kind: additive}
- linear: {}
"""


def test_yaml_list() -> None:
    spec = NetSpec.parse(yaml.safe_load(ISSUE))
    assert [layer.name for layer in spec.layers] == ["conv", "lstm", "gru", "attention", "linear"]
    lstm: Any = spec.layers[1]
    assert (lstm.size, lstm.layers, lstm.bidirectional, lstm.dropout) == (128, 2, True, 0.3)


def test_dump_is_json_and_reads_back_equal() -> None:
    spec = NetSpec.parse(
        [*yaml.safe_load(ISSUE)[:-2], {"lstm_projected": {"projection": 7}}, {"linear": {"hidden": [3]}}]
    )
    again = NetSpec.parse(json.loads(json.dumps(spec.dump())))
    assert again == spec
    assert again.dump()[3]["lstm_projected"]["projection"] == 7


def test_a_mapping_with_net_a_bare_name_and_null_options() -> None:
    assert NetSpec.parse({"net": ["gru", {"linear": None}]}) == NetSpec.parse([{"gru": {}}, {"linear": {}}])


def test_names_of_presets_and_of_single_layers() -> None:
    assert NetSpec.parse("gru") == NetSpec.parse(["gru"])
    assert NetSpec.parse({"net": "classify"}) == NetSpec.parse("classify") == NetSpec.parse(NetSpec.parse("classify"))


def test_pooling_and_head_are_added_where_they_miss() -> None:
    assert [layer.name for layer in NetSpec.parse(["gru"]).layers] == ["gru", "pool", "linear"]
    assert [layer.name for layer in NetSpec.parse(["gru", "attention"]).layers] == ["gru", "attention", "linear"]
    decoder = NetSpec.parse(["gru", "segment_decoder"]).layers
    assert [layer.name for layer in decoder] == ["gru", "segment_decoder"]


@pytest.mark.parametrize(
    ("net", "place", "says"),
    [
        (["lsmt"], "net[0]", "did you mean 'lstm'"),
        (["gru", "gru", {"lstm": {"siz": 3}}], "net[2].lstm", "did you mean 'size'"),
        ([{"lstm": {"size": 0}}], "net[0].lstm.size", "greater than or equal to 1"),
        ([{"lstm": {"size": -4}}], "net[0].lstm.size", "greater than or equal to 1"),
        ([{"lstm": {"size": 10**9}}], "net[0].lstm.size", "less than or equal to"),
        ([{"lstm": {"size": "many"}}], "net[0].lstm.size", "integer"),
        ([{"gru": {"dropout": 1.0}}], "net[0].gru.dropout", "less than 1"),
        ([{"conv": {"kernel": 0}}], "net[0].conv.kernel", "greater than"),
        ([{"conv": {"padding": "valid"}}], "net[0].conv.padding", "'same'"),
        ([{"gru": {"initial": {"recurent": "uniform"}}}], "net[0].gru.initial", "did you mean 'recurrent'"),
        ([{"linear": {"hidden": [8, 0]}}], "net[0].linear.hidden.1", "greater than"),
        ([{"lstm_projected": {"size": 4}}], "net[0].lstm_projected.projection", "must be given"),
        ([{"gru": {}, "lstm": {}}], "net[0]", "one layer"),
        ([{"gru": 64}], "net[0].gru", "mapping"),
        ([17], "net[0]", "one layer"),
        ([], "net", "no layers"),
        (["gru"] * 500, "net", "500 layers"),
        (["linear", "gru"], "net[0]", "last layer"),
        (["gru", "linear", "linear"], "net[1]", "last layer"),
        ({"nets": []}, "net spec", "'net'"),
        ({}, "net spec", "'net'"),
        ({"net": "grux"}, "net", "no preset"),
        (17, "net", "list of layers"),
        ("forcast", "net", "did you mean 'forecast'"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_mistakes_are_answered_with_place_and_mend(net: Any, place: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        NetSpec.parse(net)
    assert caught.value.where.startswith(place)
    assert says in str(caught.value).replace("Did you", "did you")
