"""Bundles that answer row by row: as the net would on everything so far."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tests.runtime.test_predictor import Fitted, cut, engines, fitted, gestures, shops

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.build import build
from unrolled.prepare.decoding import AlarmDecoding, ClassDecoding, NumberDecoding
from unrolled.prepare.samples import Samples
from unrolled.prepare.table import Table
from unrolled.program.shapes import Outputs
from unrolled.runtime import Predictor, RowStream

_LIFE: dict[str, Any] = {"target": "life", "time": "cycle", "group": "engine"}
_SALES: dict[str, Any] = {"target": "sales", "time": "day", "group": "shop"}
_NET = [{"conv": {"channels": 4, "kernel": 3, "padding": "causal"}}, {"gru": {"size": 5}}]


def _regressor(**options: Any) -> Fitted:
    decoding = NumberDecoding(task="regress", targets=("life",))
    return fitted(_holed(engines()), _NET, Outputs(), decoding, window=6, **{**_LIFE, **options})


def _forecaster(**options: Any) -> Fitted:
    decoding = NumberDecoding(task="forecast", targets=("sales",), horizon=3)
    given = {**_SALES, "features": ("sales", "price"), **options}
    return fitted(_holed(shops()), [{"lstm": {"size": 5}}], Outputs(steps=3), decoding, window=10, horizon=3, **given)


def _holed(table: Table) -> Table:
    for name in ("heat", "price"):
        if name in table.columns:
            table.columns[name][[4, 5, 24, 25, 26]] = np.nan
    return table


def _expected(predictor: Predictor, table: Table) -> npt.NDArray[Any]:
    """Values of every row, each from its whole sequence so far."""
    series = build(table, predictor.settings.reading)
    begin = np.repeat(series.starts[:-1], series.lengths)
    samples = Samples(begin, np.arange(1, len(begin) + 1), np.repeat(np.arange(len(series.ids)), series.lengths))
    return np.asarray(predictor.answer(series, samples).value)


_FORMS: dict[str, tuple[Any, dict[str, Any], Any]] = {
    "regression": (_regressor, {}, engines),
    "holes filled from the past": (_regressor, {"missing": "fill_forward"}, engines),
    "holes as inputs": (_regressor, {"missing": "mask"}, engines),
    "forecast with a calendar": (_forecaster, {"calendar": ("day_of_week",)}, shops),
    "forecast of changes": (_forecaster, {"transforms": {"target": ["difference", "standard"]}}, shops),
    "changes and holes filled": (
        _forecaster,
        {"transforms": {"target": ["difference"], "feature": ["difference"]}, "missing": "fill_forward"},
        shops,
    ),
    "time between rows": (_forecaster, {"time_delta": True}, shops),
}


@pytest.mark.parametrize("form", _FORMS)
def test_each_row_is_answered_as_the_whole_sequence_so_far(form: str) -> None:
    make, options, data = _FORMS[form]
    predictor = Predictor(make(**options).bundle)
    table = _holed(data())
    expected = _expected(predictor, table)
    whole = predictor.stream().process(table)
    np.testing.assert_allclose(whole.answer.value, expected, rtol=1e-4, atol=1e-4)
    stream, at = predictor.stream(), 0
    for size in (1, 1, 5, 1, 12, *[20] * 5):  # pieces of the table, across the borders of sequences
        piece = slice(at, at + size)
        if at < table.rows:
            found = stream.process(cut(table, piece))
            np.testing.assert_allclose(found.answer.value, expected[piece], rtol=1e-4, atol=1e-4)
            assert whole.times is not None and found.times is not None
            np.testing.assert_array_equal(found.times, whole.times[piece])
        at += size


def test_rows_of_several_sequences_in_turn_as_mappings() -> None:
    predictor = Predictor(_regressor().bundle)
    table = engines()
    expected, stream = _expected(predictor, table), predictor.stream()
    for row in range(5):
        for engine in (2, 0, 1):
            at = 20 * engine + row
            found = stream.step({name: column[at] for name, column in table.columns.items() if name != "life"})
            assert found.ids == (str(engine),)
            np.testing.assert_allclose(found.answer.value, expected[at : at + 1], rtol=1e-4, atol=1e-4)


def test_a_label_so_far_with_what_is_static() -> None:
    decoding = ClassDecoding(targets=("label",), classes=(("point", "wave"),))
    model = fitted(gestures(), [{"lstm": {"size": 4}}], Outputs(values=2), decoding, window=None, target="label")
    predictor = Predictor(model.bundle)
    series = build(gestures(seed=1), predictor.settings.reading)
    found = predictor.stream().process(series)
    last = predictor.predict(series).answer
    assert found.answer.probability is not None and last.probability is not None
    np.testing.assert_allclose(found.answer.probability[series.starts[1:] - 1], last.probability, rtol=1e-4)
    assert len(found.answer) == len(series.values)


def test_alarms_and_a_new_beginning() -> None:
    decoding = AlarmDecoding(target="life", horizon=5, threshold=0.5)
    model = fitted(engines(), [{"gru": {"size": 4}}], Outputs(), decoding, window=6, **_LIFE)
    stream = Predictor(model.bundle).stream()
    first = stream.process(cut(engines(), slice(0, 8))).answer.probability
    with pytest.raises(DataError, match=r"time 1.* is not after 8"):
        stream.process(cut(engines(), slice(0, 8)))
    assert isinstance(stream, RowStream)
    stream.reset("0")
    again = stream.process(cut(engines(), slice(0, 8))).answer.probability
    assert first is not None and again is not None and np.array_equal(first, again)


@pytest.mark.parametrize(
    ("make", "options", "why"),
    [
        (_forecaster, {"transforms": {"target": ["instance"]}}, "the transform instance measures the whole window"),
        (_regressor, {"missing": "interpolate"}, "interpolated from the rows after them"),
        (_forecaster, {"known": "price", "features": ("sales",)}, "'price' must be known over the whole horizon"),
    ],
)
def test_what_cannot_stream_says_which_and_why(make: Any, options: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Predictor(make(**options).bundle).stream()


def test_a_net_that_reads_backwards_is_named() -> None:
    decoding = NumberDecoding(task="regress", targets=("life",))
    net = [{"gru": {"size": 4, "bidirectional": True}}]
    model = fitted(engines(), net, Outputs(), decoding, window=6, **_LIFE)
    with pytest.raises(ConfigError, match=r"'recurrent'.* needs the whole sequence"):
        Predictor(model.bundle).stream()


def test_bad_rows_are_named_by_their_number() -> None:
    stream = Predictor(_regressor().bundle).stream()
    stream.step({"engine": 1, "cycle": 1, "heat": 0.5})
    with pytest.raises(DataError, match="heat"):
        stream.step({"engine": 1, "cycle": 2})
    with pytest.raises(DataError, match=r"the stream, row 3.*'heat' is a list"):
        stream.step({"engine": 1, "cycle": 2, "heat": [1, 2]})


def test_lines_are_answered_before_the_next_is_sent(tmp_path: Path) -> None:
    model, table = _regressor(), engines()
    model.bundle.write(tmp_path / "model.unrolled")
    expected = _expected(Predictor(model.bundle), table)
    command = [sys.executable, "-m", "unrolled", "predict", str(tmp_path / "model.unrolled"), "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    for at in range(3):
        row = {name: float(column[at]) for name, column in table.columns.items() if name != "life"}
        process.stdin.write(json.dumps(row) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert answer["life"] == pytest.approx(expected[at].item(), rel=1e-4) and answer["time"] == at + 1
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()
