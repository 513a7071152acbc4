"""The whole road, from a file to a run's folder, for every task."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.workflow.small import NET, SETTINGS, config, gestures, job, levels, prices, sales, weights, write
from torch import Tensor, nn

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError, ConfigError
from unrolled.core.records import Run
from unrolled.core.tolerances import TOLERANCES
from unrolled.data import whole
from unrolled.evaluate import Backtest
from unrolled.prepare.arrays import Arrays
from unrolled.report.words import Words
from unrolled.runtime import Predictor
from unrolled.train import Fitting, Hook
from unrolled.workflow.config import Config
from unrolled.workflow.evaluate import backtest_bundle, evaluate_bundle
from unrolled.workflow.listener import Silent
from unrolled.workflow.predict import predict
from unrolled.workflow.train import Trained, resume, train

BASELINES = {
    "forecast": {"persistence", "seasonal_naive", "linear"},
    "classify": {"majority"},
    "regress": {"mean"},
    "failure": {"prior", "logistic"},
}
COLUMNS = {
    "forecast": ["id", "time", "step", "Close", "Close_low", "Close_high"],
    "classify": ["id", "kind", "kind_probability_fast", "kind_probability_slow"],
    "regress": ["id", "level", "level_low", "level_high"],
    "failure": ["id", "time", "probability", "alarm"],
}


@pytest.mark.parametrize("task", SETTINGS)
def test_the_whole_road(task: str, tmp_path: Path) -> None:
    trained = job(task, tmp_path, out="run")
    home = tmp_path / "run"
    assert Bundle.read(home / "model.unrolled").manifest == trained.bundle.manifest.model_copy(
        update={"weights_sha256": Bundle.read(home / "model.unrolled").manifest.weights_sha256}
    )
    assert Run.model_validate_json((home / "run.json").read_bytes()) == trained.run
    assert [json.loads(line)["epoch"] for line in (home / "metrics.jsonl").read_text().splitlines()] == [1, 2]
    assert trained.run.evaluation.verdict.en in (home / "report.html").read_text(encoding="utf-8")
    assert {scores.name for scores in trained.run.evaluation.baselines} == BASELINES[task]
    assert trained.run.evaluation.part == "test" and set(trained.run.data.parts) == {"train", "valid", "test"}
    named = (
        {
            metric.name
            for scores in (trained.run.evaluation.model, *trained.run.evaluation.baselines)
            for metric in scores.metrics
        }
        | BASELINES[task]
        | set(trained.run.curves[0]) - {"epoch", "seconds"}
    )
    plain = {name.removeprefix("train_").removeprefix("valid_") for name in named if not name.startswith("alarm_")}
    assert all(Words("en").name(name) != name for name in plain)  # each has a name for people
    found = predict(home, tmp_path / f"{task}.csv")
    assert list(found.table().columns) == COLUMNS[task]
    again = evaluate_bundle(home, tmp_path / f"{task}.csv")
    assert math.isfinite(again.model.metrics[0].value) and again.count > trained.run.evaluation.count


@pytest.mark.parametrize("task", SETTINGS)
def test_the_bundle_answers_as_the_live_net(task: str, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"forecast": {"data": {"known": ["Volume"]}}}.get(task, {})
    model = job(task, tmp_path, **changes).model
    series = model.task.derive(model.predictor.series(tmp_path / f"{task}.csv"))
    samples = model.task.samples(series, whole(series), window=model.window)
    live = model.output(series, samples)  # torch
    arrays = model.preprocessor.arrays(series, samples, truth=False)
    bundled = Predictor(model.predictor.bundle).output(arrays)  # NumPy
    np.testing.assert_allclose(bundled, live, **TOLERANCES["float32"]._asdict())


def test_a_config_that_was_written_trains_the_same_model(tmp_path: Path) -> None:
    first = job("forecast", tmp_path, out="first")
    again = train(Config.read(tmp_path / "first" / "config.yaml"))
    assert weights(again) == weights(first)
    assert again.run.evaluation == first.run.evaluation


class _Killed(Exception):
    """As a kill: nothing after it runs."""


class _Until(Silent):
    """Kills the job in the epoch with this number."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def hooks(self) -> tuple[Hook, ...]:
        outer = self

        class Kill(Hook):
            def on_batch(self, fitting: Fitting) -> None:
                if fitting.epoch + 1 == outer.epoch and fitting.batch == 2:
                    raise _Killed

        return (Kill(),)


def test_threads_are_those_the_run_began_with(tmp_path: Path) -> None:
    """Sums over threads differ in the last digits: a run that goes on elsewhere must not take that place's number."""
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        first = job("forecast", tmp_path, out="first")
        torch.set_num_threads(1)
        again = train(Config.read(tmp_path / "first/config.yaml"), folder=tmp_path / "again")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
    assert Config.read(tmp_path / "first/config.yaml").train["threads"] == 2
    assert weights(again) == weights(first)


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_killed_run_goes_on_to_the_numbers_of_one_that_never_was(epoch: int, tmp_path: Path) -> None:
    asked = config("classify", tmp_path, train={"epochs": 4, "batch_size": 4, "checkpoint_seconds": 0}).over(
        {"net": _DROPOUT}
    )
    whole_run = train(asked, folder=tmp_path / "whole")
    with pytest.raises(_Killed):
        train(asked, folder=tmp_path / "cut", listener=_Until(epoch))
    assert not (tmp_path / "cut" / "model.unrolled").exists()
    resumed = resume(tmp_path / "cut")
    assert weights(resumed) == weights(whole_run)
    assert resumed.run.evaluation == whole_run.run.evaluation
    assert resumed.run.facts.assumptions == whole_run.run.facts.assumptions
    assert resumed.bundle.manifest.settings == whole_run.bundle.manifest.settings


_DROPOUT: list[Any] = [{"gru": {"size": 4}}, {"dropout": {"rate": 0.5}}, {"linear": {}}]


class _Stop(Silent):
    """Ctrl-C after one epoch."""

    def hooks(self) -> tuple[Hook, ...]:
        class Stop(Hook):
            def on_epoch(self, fitting: Fitting) -> None:
                fitting.stop = "interrupted"

        return (Stop(),)


def test_an_interrupted_run_keeps_what_it_learnt(tmp_path: Path) -> None:
    found = train(config("forecast", tmp_path), folder=tmp_path / "run", listener=_Stop())
    assert found.interrupted and found.run.facts.epochs == 1
    assert predict(tmp_path / "run", tmp_path / "forecast.csv").answer.value.shape == (1, 3, 1)
    assert resume(tmp_path / "run").run.facts.epochs == 2


def test_a_run_is_never_overwritten(tmp_path: Path) -> None:
    job("forecast", tmp_path, out="run")
    before = (tmp_path / "run" / "model.unrolled").read_bytes()
    with pytest.raises(ConfigError, match=r"holds a run already\n.*--out"):
        train(Config.parse({"data": {"path": "no such file"}}), folder=tmp_path / "run")
    assert (tmp_path / "run" / "model.unrolled").read_bytes() == before
    ids = [job("forecast", tmp_path).folder, train(config("forecast", tmp_path), runs=tmp_path / "runs").folder]
    assert ids[0] is None and ids[1] is not None and ids[1].path.parent == tmp_path / "runs"


def test_preparation_sees_the_training_part_only(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    first = job("forecast", one)
    lines = prices(two / "forecast.csv").read_text().splitlines()
    cut = 1 + round(120 * 0.8)  # from here on: the test part, a fifth
    wild = [f"{line.split(',')[0]},1000,{500 + at * 7},9" for at, line in enumerate(lines[cut:])]
    (two / "changed.csv").write_text("\n".join([*lines[:cut], *wild]) + "\n")
    second = train(config("forecast", two, data={"path": str(two / "changed.csv")}))
    assert second.bundle.manifest.preprocessing == first.bundle.manifest.preprocessing
    assert weights(second) == weights(first)
    assert second.run.evaluation.model != first.run.evaluation.model


def test_groups_stay_together(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 3)
    x, y = random.normal(size=(36, 8)), np.tile(["a", "b", "c"], 12)
    asked = Config.parse({"net": NET, "train": {"epochs": 1}, "task": {"name": "classify"}})
    found = train(asked, data=(x, y, groups))
    assert "took_cluster" in {note.code for note in found.run.facts.assumptions}
    assert "split_by_group" in {note.code for note in found.run.facts.assumptions}
    sizes = found.run.data.parts
    assert sum(sizes.values()) == 36 and all(size % 3 == 0 for size in sizes.values())


def _steps(trained: Trained, path: Path) -> list[float]:
    return [float(v) for v in predict(trained.bundle, path).answer.value[0, :, 0]]


def test_a_recursive_forecast_feeds_its_answers_back(tmp_path: Path) -> None:
    data = {"target": "Close", "window": 8, "features": [], "calendar": ["day_of_week"], "scale_by": "column"}
    trained = job("forecast", tmp_path, data=data, task={"strategy": "recursive"})
    assert trained.bundle.manifest.outputs["steps"] == 1
    path, found = tmp_path / "forecast.csv", []
    for day in ("2024-04-30", "2024-05-01", "2024-05-02"):  # the file ends on the day before
        found.append(_steps(trained, path)[0])
        path.write_text(path.read_text() + f"{day},0,{found[-1]!r},0\n")
    prices(path)
    np.testing.assert_allclose(_steps(trained, path), found, rtol=1e-5)


def test_a_recursive_forecast_refuses_inputs_without_a_future_before_it_trains(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="2 input columns is not known"):
        job("forecast", tmp_path, out="run", task={"strategy": "recursive"})
    assert not (tmp_path / "run").exists()


def test_quantiles(tmp_path: Path) -> None:
    task = {"loss": "quantile", "quantiles": [0.1, 0.5, 0.9]}
    trained = job("forecast", tmp_path, task=task, data={"split": {"valid": 0.2}})
    assert trained.bundle.manifest.outputs["values"] == 3
    answer = predict(trained.bundle, tmp_path / "forecast.csv", which="all").answer
    assert answer.quantiles is not None and answer.quantiles.shape[-1] == 3
    assert (np.diff(answer.quantiles, axis=-1) >= 0).all()
    names = {metric.name for metric in trained.run.evaluation.model.metrics}
    assert {"crps", "coverage"} <= names


@pytest.mark.parametrize("transform", ["none", "difference", "log_return"])
def test_intervals_cover_what_they_were_calibrated_on(transform: str, tmp_path: Path) -> None:
    data = {"split": {"valid": 0.3}, "transform": transform}
    trained = job("forecast", tmp_path, data=data, task={"coverage": 0.8})
    model = trained.model
    series = model.predictor.series(tmp_path / "forecast.csv")
    rows = len(series.values)
    held = model.task.samples(series, [(0, round(rows * 0.5), round(rows * 0.8))], window=8)
    answer, truth = model.predictor.answer(series, held), model.truth(series, held)
    assert answer.quantiles is not None and answer.levels[0] == pytest.approx(0.1)
    inside = (truth >= answer.quantiles[..., 0]) & (truth <= answer.quantiles[..., -1])
    assert 0.8 <= inside.mean() <= 0.95
    assert (answer.quantiles[..., 0] <= answer.value).all() and (answer.value <= answer.quantiles[..., -1]).all()


def test_calibration_takes_the_validation_part_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large one would not fit into memory at once."""
    whole_part = job("forecast", tmp_path, data={"split": {"valid": 0.3}})
    sizes = []
    output = Predictor.output

    def watched(self: Predictor, arrays: Arrays) -> Any:
        sizes.append(len(arrays.x))
        return output(self, arrays)

    monkeypatch.setattr(Predictor, "output", watched)
    monkeypatch.setattr("unrolled.workflow.model._CHUNK", 5)
    pieces = job("forecast", tmp_path, data={"split": {"valid": 0.3}})
    assert max(sizes) == 5 and len(sizes) > 6
    one, other = (trained.bundle.manifest.settings["decoding"] for trained in (whole_part, pieces))
    assert one["calibrated_on"] == other["calibrated_on"] > 20
    np.testing.assert_allclose(one["offsets"], other["offsets"], rtol=1e-5)


def test_what_is_known_in_advance_changes_the_forecast(tmp_path: Path) -> None:
    path = sales(tmp_path / "sales.csv")
    data = {"path": str(path), "target": "sales", "known": ["promotion"], "window": 6, "ignore": ["weather"]}
    asked = Config.parse({"data": data, "task": {"name": "forecast", "horizon": 2}, "net": NET, "train": {"epochs": 8}})
    trained = train(asked)
    answers = []
    for promotions in ((0, 0), (0, 1)):
        later = sales(tmp_path / "later.csv", promotions=promotions, blank=2)
        found = predict(trained.bundle, later)
        assert found.times is not None
        assert [str(time)[:10] for time in found.times[0]] == ["2024-04-28", "2024-04-29"]
        answers.append(found.answer.value[0, :, 0])
    assert abs(answers[1][1] - answers[0][1]) > 1e-3


def test_static_and_categorical_columns_are_inputs(tmp_path: Path) -> None:
    trained = job("regress", tmp_path)
    assert trained.bundle.manifest.inputs["static_categories"] == [3]
    values = [
        predict(trained.bundle, levels(tmp_path / f"{city}.csv", cities=(city,))).answer.value
        for city in ("rome", "oslo")
    ]
    assert np.abs(values[0] - values[1]).max() > 1e-6
    unseen = predict(trained.bundle, levels(tmp_path / "lima.csv", cities=("lima",)))
    assert "unseen_categories" in {note.code for note in unseen.notes}


class Own(nn.Module):
    """A user's own net: what it must take and return is all it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(1, 3, batch_first=True), nn.Linear(3, 2)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        end = torch.full((len(x),), x.shape[1]) if lengths is None else lengths
        answer: Tensor = self.head(self.rnn(x)[0][torch.arange(len(x)), end - 1])
        return answer


def test_a_users_own_net(tmp_path: Path) -> None:
    own = Own()
    before = own.head.weight.detach().clone()
    trained = train(config("classify", tmp_path), net=own, folder=tmp_path / "run")
    assert not torch.equal(own.head.weight, before)
    assert trained.bundle.manifest.custom == f"{__name__}:Own" and trained.bundle.manifest.plan is None
    live = trained.model.predictor.predict(tmp_path / "classify.csv").answer.value
    assert live.shape == (24, 1)
    with pytest.raises(BundleError, match=f"{__name__}:Own"):
        predict(tmp_path / "run", tmp_path / "classify.csv")


def own_loss(output: Tensor, truth: Tensor) -> Tensor:
    """The mean absolute error of the first value, as the built-in one."""
    return (output[..., 0] - truth).abs().mean()


def worst_error(truth: np.ndarray[Any, Any], value: np.ndarray[Any, Any]) -> float:
    return float(np.abs(truth - value).max())


def test_a_users_own_loss_and_metric(tmp_path: Path) -> None:
    built_in = job("forecast", tmp_path, task={"loss": "mae"})
    named = f"{__name__}:own_loss"
    for loss in (named, own_loss):
        mine = job("forecast", tmp_path, task={"loss": loss, "metrics": [worst_error]})
        assert mine.run.config["task"]["loss"] == named
        for name, tensor in mine.bundle.weights.items():
            np.testing.assert_allclose(tensor, built_in.bundle.weights[name], **TOLERANCES["float32"]._asdict())
        figure = mine.run.evaluation.model["worst_error"]
        assert figure.value > mine.run.evaluation.model["mae"].value and figure.better == "lower"


@pytest.mark.parametrize("calendar", [None, [], ["month_of_year"]])
def test_fine_tuning_keeps_what_the_model_was(calendar: list[str] | None, tmp_path: Path) -> None:
    first = job("forecast", tmp_path, out="first", data={"calendar": calendar})
    asked = Config.parse(
        {
            "data": {"path": str(prices(tmp_path / "new.csv", seed=9)), "target": "Close"},
            "start_from": str(tmp_path / "first"),
            "train": {"epochs": 1, "learning_rate": 1e-9},
        }
    )
    tuned = train(asked)
    for key in ("window", "task"):
        assert tuned.bundle.manifest.settings[key] == first.bundle.manifest.settings[key]
    assert tuned.bundle.manifest.net == first.bundle.manifest.net
    assert tuned.bundle.manifest.inputs == first.bundle.manifest.inputs
    for name, tensor in tuned.bundle.weights.items():
        np.testing.assert_allclose(tensor, first.bundle.weights[name], atol=1e-6)
    with pytest.raises(BundleError, match="no bundle in this folder"):
        train(asked.over({"start_from": str(tmp_path)}))


def test_a_job_without_other_parts_is_judged_on_training_and_says_so(tmp_path: Path) -> None:
    found = job("classify", tmp_path, data={"split": {"valid": 0, "test": 0}}).run.evaluation
    assert found.part == "train" and "judged_on_training" in {note.code for note in found.notes}


def test_a_backtest_of_a_bundle(tmp_path: Path) -> None:
    trained = job("forecast", tmp_path)
    found = backtest_bundle(trained.bundle, tmp_path / "forecast.csv", count=3, step=5)
    assert isinstance(found, Backtest)
    assert [origin.origin for origin in found.origins] == ["2024-04-17", "2024-04-22", "2024-04-27"]
    assert found.origins[0].model.metrics[0].name == "rmse"
    whole_file = predict(trained.bundle, tmp_path / "forecast.csv", which="all").answer.value
    truth = np.array([float(line.split(",")[2]) for line in (tmp_path / "forecast.csv").read_text().split()[1:]])
    error = whole_file[-4, :, 0] - truth[-3:]  # the last forecast whose horizon lies in the file
    assert found.origins[-1].model["rmse"].value == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-5)
    assert set(found.summary) == {"model", "persistence", "seasonal_naive", "linear"}
    short = tmp_path / "short.csv"
    short.write_text("".join((tmp_path / "forecast.csv").read_text().splitlines(keepends=True)[: 1 + 107 + 3]))
    alone = backtest_bundle(trained.bundle, short, count=1)  # what comes after the first origin changes nothing there
    assert alone.origins[0] == found.origins[0]
    with pytest.raises(ConfigError, match="a backtest is for forecasts, this bundle is for 'classify'"):
        backtest_bundle(job("classify", tmp_path).bundle, tmp_path / "classify.csv", count=2)


def test_the_bundle_reads_later_files_as_the_first(tmp_path: Path) -> None:
    """Options of reading, and the layout with a series a row, need not be said again."""
    lines = [f"{name};" + ";".join(f"{at + t % 7},5" for t in range(60)) for at, name in enumerate(("u", "v", "w"))]
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([";".join(["name", *(f"t{t}" for t in range(60))]), *lines]) + "\n")
    data = {"path": str(path), "wide": True, "window": 7, "options": {"delimiter": ";", "decimal": ","}}
    trained = train(Config.parse({"data": data, "task": {"horizon": 2}, "net": NET, "train": {"epochs": 1}}))
    found = predict(trained.bundle, path)
    assert found.ids == ("u", "v", "w") and found.answer.value.shape == (3, 2, 1)
    assert np.abs(found.answer.value[2] - found.answer.value[0] - 2).max() < 1  # each in its own units
    assert evaluate_bundle(trained.bundle, path).count > 100


def test_labels_of_a_wide_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = [("slow" if at % 2 else "fast", *random.normal(size=10).round(3)) for at in range(20)]
    path = write(tmp_path / "wide.csv", ("kind", *(f"t{t}" for t in range(10))), rows)
    asked = {"data": {"path": str(path), "wide": True, "target": "kind"}, "net": NET, "train": {"epochs": 1}}
    trained = train(Config.parse(asked))
    assert trained.bundle.manifest.task == "classify"
    bare = write(tmp_path / "bare.csv", [f"t{t}" for t in range(10)], [row[1:] for row in rows])
    np.testing.assert_array_equal(
        predict(trained.bundle, bare).answer.value, predict(trained.bundle, path).answer.value
    )


def test_gestures_differ(tmp_path: Path) -> None:
    """The data of these tests can be learnt: a job that runs long enough learns it."""
    path = gestures(tmp_path / "long.csv", count=60)
    asked = {"data": {"path": str(path), "target": "kind"}, "train": {"epochs": 40, "batch_size": 16}}
    trained = train(Config.parse({**asked, "net": [{"gru": {"size": 8}}]}))
    assert trained.run.evaluation.model["accuracy"].value > 0.8
