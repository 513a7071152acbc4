"""A bundle at work: the answers are those of the torch net behind it, on new data, in original units."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.fixtures import make_bundle

from unrolled.core.bundle import Bundle, Manifest
from unrolled.core.errors import BundleError, ConfigError, DataError
from unrolled.nets import CustomNet, Net
from unrolled.prepare.build import build
from unrolled.prepare.decoding import AlarmDecoding, ClassDecoding, Decoding, NumberDecoding
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import infer
from unrolled.prepare.series import Series
from unrolled.prepare.table import Table
from unrolled.program.shapes import Outputs
from unrolled.runtime import Predictor, predictor

FIXTURES = Path(__file__).parents[1] / "fixtures"


@dataclass(frozen=True)
class Fitted:
    """A bundle, and the torch net and the fitted transforms it was made of."""

    bundle: Bundle
    net: torch.nn.Module
    preprocessor: Preprocessor
    series: Series

    def raw(self, series: Series, samples: Samples) -> np.ndarray[Any, np.dtype[np.float32]]:
        arrays = self.preprocessor.arrays(series, samples, truth=False)
        tensors = {k: None if v is None else torch.from_numpy(v) for k, v in arrays.inputs().items()}
        with torch.no_grad():
            return np.asarray(self.net(**tensors).numpy())


def fitted(
    table: Table,
    net: list[Any],
    outputs: Outputs,
    decoding: Decoding,
    *,
    window: int | None,
    horizon: int = 0,
    transforms: Any = None,
    **flags: Any,
) -> Fitted:
    schema, _ = infer(table, task=decoding.task, **flags)
    series = build(table, schema)
    spans = [(s, int(series.starts[s]), int(series.starts[s + 1])) for s in range(len(series.ids))]
    preprocessor = Preprocessor(schema, horizon=horizon, transforms=transforms).fit(series, spans)
    torch.manual_seed(0)
    model = Net(net, preprocessor.inputs(window), outputs).eval()
    manifest = Manifest(
        task=decoding.task,
        settings={
            "decoding": decoding.model_dump(mode="json"),
            "window": window,
            "schema": schema.model_dump(mode="json"),
        },
        preprocessing=json.loads(json.dumps(preprocessor.to_json())),
        net=model.spec.dump(),
        inputs=model.inputs.model_dump(mode="json"),
        outputs=outputs.model_dump(mode="json"),
        plan=model.plan().model_dump(mode="json"),
    )
    bundle = Bundle(manifest, {name: tensor.numpy() for name, tensor in model.state_dict().items()})
    return Fitted(bundle, model, preprocessor, series)


def shops(days: int = 40, shops: int = 3, seed: int = 0) -> Table:
    """Daily sales with a covariate that is known in advance."""
    random = np.random.default_rng(seed)
    day = np.datetime64("2024-01-01", "ns") + np.arange(days) * np.timedelta64(1, "D")
    columns = {
        "day": np.tile(day, shops),
        "shop": np.repeat(np.array([f"shop {k}" for k in range(shops)], dtype=object), days),
        "sales": random.normal(100, 20, days * shops),
        "price": random.normal(5, 1, days * shops),
    }
    return Table(columns=columns, source="shops.csv")


def cut(table: Table, rows: Any) -> Table:
    return replace(table, columns={name: column[rows] for name, column in table.columns.items()})


def forecaster(**flags: Any) -> Fitted:
    decoding = NumberDecoding(task="forecast", targets=("sales",), horizon=3)
    net = [{"window_norm": {}}, {"gru": {"size": 5}}]
    roles = {"target": "sales", "time": "day", "group": "shop", **flags}
    return fitted(shops(), net, Outputs(steps=3), decoding, window=10, horizon=3, **roles)


def test_forecast_of_the_next_days() -> None:
    model = forecaster()
    found = Predictor(model.bundle).predict(shops(days=25, seed=1))
    series = build(shops(days=25, seed=1), model.preprocessor.schema)
    ends = series.starts[1:]
    samples = Samples(ends - 10, ends, np.arange(3))
    expected = model.preprocessor.invert(model.raw(series, samples)[..., 0], series, samples)
    np.testing.assert_allclose(found.answer.value, expected, rtol=1e-4)
    table = found.table()
    assert table.columns["id"].tolist() == [name for name in series.ids for _ in range(3)]
    first = np.datetime64("2024-01-26", "ns")
    np.testing.assert_array_equal(table.columns["time"], np.tile(first + np.arange(3) * np.timedelta64(1, "D"), 3))


def test_every_window_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Predictor(forecaster().bundle)
    whole = model.predict(shops(seed=2), which="all", stride=4)
    assert len(whole.answer) == 3 * len(range(10, 41, 4)) == len(whole.ids)
    last = model.predict(shops(seed=2), which="all").answer.value.reshape(3, 31, 3)[:, -1]
    np.testing.assert_allclose(last, model.predict(shops(seed=2)).answer.value[..., 0])
    monkeypatch.setattr(predictor, "_MOST", 2)
    np.testing.assert_allclose(model.predict(shops(seed=2), which="all", stride=4).answer.value, whole.answer.value)


def test_memory_of_a_chunk_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor, "_NUMBERS", 10 * predictor._UNITS * 7)
    model = forecaster()
    seen: list[int] = []

    class Counting:
        def __call__(self, x: Any, lengths: Any = None, static: Any = None, known: Any = None) -> Any:
            seen.append(len(x))
            return np.zeros((len(x), 3, 1, 1), np.float32)

    Predictor(model.bundle, Counting()).predict(shops(), which="all")
    assert max(seen) == 7 and sum(seen) == 3 * 31


def test_rows_ahead_say_what_is_known() -> None:
    model = forecaster(known="price")
    ahead = shops(days=30, seed=3)
    ahead.columns["sales"].reshape(3, 30)[:, 27:] = np.nan
    found = Predictor(model.bundle).predict(ahead)
    series = build(ahead, model.preprocessor.schema)
    samples = Samples(series.starts[1:] - 13, series.starts[1:] - 3, np.arange(3))
    expected = model.preprocessor.invert(model.raw(series, samples)[..., 0], series, samples)
    np.testing.assert_allclose(found.answer.value, expected, rtol=1e-4)
    np.testing.assert_array_equal(np.unique(found.times), series.time[27:30])  # type: ignore[index,arg-type]
    with pytest.raises(DataError, match="known in advance"):
        Predictor(model.bundle).predict(shops(days=30))


def test_one_step_net_is_rolled_out() -> None:
    decoding = NumberDecoding(task="forecast", targets=("sales",), horizon=4)
    flags = {"target": "sales", "time": "day", "group": "shop", "features": "sales", "calendar": ()}
    model = fitted(shops(), [{"gru": {"size": 4}}], Outputs(), decoding, window=8, horizon=4, **flags)
    found = Predictor(model.bundle).predict(shops(days=12))
    series = build(shops(days=12), model.preprocessor.schema)
    samples = Samples(series.starts[1:] - 8, series.starts[1:], np.arange(3))
    x = torch.from_numpy(model.preprocessor.arrays(series, samples, truth=False).x)
    steps = []
    with torch.no_grad():
        for _ in range(4):
            steps.append(model.net(x)[:, 0])
            x = torch.cat([x[:, 1:], steps[-1]], dim=1)
    expected = model.preprocessor.invert(torch.stack(steps, 1)[..., 0].numpy(), series, samples)
    np.testing.assert_allclose(found.answer.value, expected, rtol=1e-4)


def gestures(seed: int = 0, lengths: tuple[int, ...] = (5, 9, 7, 12)) -> Table:
    """Labelled sequences of different lengths."""
    random = np.random.default_rng(seed)
    labels = np.array(["wave", "point", "wave", "point"], dtype=object)[: len(lengths)]
    return Table(
        columns={"u": random.normal(size=sum(lengths)), "v": random.normal(size=sum(lengths))},
        source="gestures.ts",
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        case_columns={"label": labels},
        case_ids=tuple(f"case {k}" for k in range(len(lengths))),
    )


def test_one_label_a_sequence_without_any_target_column() -> None:
    decoding = ClassDecoding(targets=("label",), classes=(("point", "wave"),))
    net = [{"lstm": {"size": 4, "bidirectional": True}}, "attention"]
    model = fitted(gestures(), net, Outputs(values=2), decoding, window=None, target="label")
    fresh = replace(gestures(seed=1), case_columns={})
    found = Predictor(model.bundle).predict(fresh)
    assert {note.code for note in found.notes} >= {"no_target_column"}
    series = build(fresh, model.preprocessor.schema)
    samples = Samples(series.starts[:-1], series.starts[1:], np.arange(4))
    logits = model.raw(series, samples)[:, 0, 0].astype(np.float64)
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert found.answer.probability is not None and found.times is None
    np.testing.assert_allclose(found.answer.probability[:, 0], chance, rtol=1e-4)
    columns = found.table().columns
    assert columns["id"].tolist() == list(fresh.case_ids or ())
    assert columns["label"].tolist() == [("point", "wave")[k] for k in chance.argmax(axis=1)]


def engines(rows: int = 20, engines: int = 3) -> Table:
    """Sensor histories that run to a failure."""
    random = np.random.default_rng(0)
    return Table(
        columns={
            "engine": np.repeat(np.arange(engines, dtype=np.float64), rows),
            "cycle": np.tile(np.arange(1.0, rows + 1), engines),
            "heat": random.normal(size=rows * engines),
            "life": np.tile(np.arange(rows, 0, -1.0), engines),
        },
        source="engines.csv",
    )


def test_a_number_for_every_row() -> None:
    decoding = NumberDecoding(task="regress", targets=("life",))
    flags: dict[str, Any] = {"target": "life", "time": "cycle", "group": "engine"}
    model = fitted(engines(), [{"gru": {"size": 4}}], Outputs(), decoding, window=6, **flags)
    found = Predictor(model.bundle).predict(engines())
    ends = (model.series.starts[:-1, None] + np.arange(6, 21)).reshape(-1)
    samples = Samples(ends - 6, ends, np.repeat(np.arange(3), 15))
    raw = model.raw(model.series, samples)
    expected = model.preprocessor.invert(raw[..., 0], model.series, samples)[:, 0]
    np.testing.assert_allclose(found.answer.value, expected, rtol=1e-4)
    assert found.times is not None
    np.testing.assert_array_equal(found.times, np.tile(np.arange(6.0, 21), 3))
    newest = Predictor(model.bundle).predict(engines(), which="last")
    np.testing.assert_allclose(newest.answer.value, expected[14::15])


def test_short_histories_are_used_as_they_are_where_the_truth_is_in_the_window() -> None:
    decoding = NumberDecoding(task="regress", targets=("life",))
    flags: dict[str, Any] = {"target": "life", "time": "cycle", "group": "engine"}
    model = fitted(engines(), [{"gru": {"size": 4}}], Outputs(), decoding, window=6, **flags)
    found = Predictor(model.bundle).predict(cut(engines(), slice(0, 23)))
    assert found.ids == ("0",) * 15 + ("1",)


def test_alarms() -> None:
    decoding = AlarmDecoding(target="life", horizon=5, threshold=0.5)
    flags: dict[str, Any] = {"target": "life", "time": "cycle", "group": "engine"}
    model = fitted(engines(), [{"gru": {"size": 4}}], Outputs(), decoding, window=6, **flags)
    answer = Predictor(model.bundle).predict(engines()).answer
    assert answer.probability is not None and answer.probability.shape == (45, 1, 2)
    np.testing.assert_array_equal(answer.value, answer.probability[..., 1] >= 0.5)


def test_series_that_are_too_short_are_named() -> None:
    model = Predictor(forecaster().bundle)
    mixed = cut(shops(days=15), slice(0, 35))
    found = model.predict(mixed)
    assert found.ids == ("shop 0", "shop 1")
    note = next(note for note in found.notes if note.code == "series_too_short")
    assert "shop 2" in note.en and "shop 2" in note.zh and note.level == "warning"
    with pytest.raises(DataError, match=r"looks back on 10 rows.* has 9"):
        model.predict(cut(shops(days=9), slice(0, 9)))


def test_new_data_that_does_not_fit() -> None:
    model = Predictor(forecaster().bundle)
    table = shops()
    del table.columns["price"]
    with pytest.raises(DataError, match="'price'"):
        model.predict(table)
    with pytest.raises(ConfigError, match="stride"):
        model.predict(shops(), which="all", stride=0)
    with pytest.raises(ConfigError, match=r"stride of 2 is between several"):
        model.predict(shops(), stride=2)


def test_a_torch_net_can_take_the_place_of_the_plan() -> None:
    model = forecaster()
    own = CustomNet(model.net, model.preprocessor.inputs(10), Outputs(steps=3))
    manifest = model.bundle.manifest.model_copy(update={"plan": None, "net": None, "custom": own.path})
    bundle = Bundle(manifest, model.bundle.weights)
    with pytest.raises(BundleError, match=r"unrolled\.nets\.net:Net.*no plan"):
        Predictor(bundle)

    class Torch:
        def __call__(self, x: Any, lengths: Any = None, static: Any = None, known: Any = None) -> Any:
            with torch.no_grad():
                return own(torch.from_numpy(x), known=torch.from_numpy(known)).numpy()

    expected = Predictor(model.bundle).predict(shops(seed=4)).answer.value
    np.testing.assert_allclose(Predictor(bundle, Torch()).predict(shops(seed=4)).answer.value, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("task", "regress", "task"),
        ("outputs", {"steps": 2, "targets": 1, "values": 1}, "steps"),
        ("outputs", {"steps": 3, "targets": 1, "values": 2}, "outputs"),
        ("outputs", {"steps": 3, "targets": 2, "values": 1}, "number of targets"),
        ("outputs", {}, "outputs"),
        ("settings", {}, "'decoding'"),
        ("preprocessing", {}, "preprocessing"),
        ("plan", None, "no plan"),
        ("plan", {}, "the plan"),
    ],
)
def test_bundles_whose_parts_do_not_fit(key: str, value: Any, says: str) -> None:
    bundle = forecaster().bundle
    with pytest.raises(BundleError, match=says):
        Predictor(Bundle(bundle.manifest.model_copy(update={key: value}), bundle.weights))


def test_old_bundles_stay_readable_and_say_the_same() -> None:
    found = Predictor(Bundle.read(FIXTURES / "bundle_v1.unrolled")).predict(make_bundle.table())
    expected = json.loads((FIXTURES / "bundle_v1.json").read_text())
    np.testing.assert_allclose(found.answer.value, expected, rtol=1e-5)


def test_the_base_install_suffices() -> None:
    code = f"""
import sys
for name in ("torch", "polars", "sklearn", "pandas", "wfdb", "lightning_fabric"):
    sys.modules[name] = None
sys.path.insert(0, {str(FIXTURES.parents[1])!r})
from tests.hostile.fuzz_bundle import FIXTURE, new_data
from unrolled.core.bundle import Bundle
from unrolled.runtime import Predictor
assert Predictor(Bundle.read(FIXTURE)).predict(new_data()).answer.value.shape == (1, 4, 1)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
