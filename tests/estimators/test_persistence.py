"""A fitted estimator elsewhere: pickles, bundles, folders, reports, copies."""

from __future__ import annotations

import copy
import io
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]  # it has no types
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn

import unrolled
from unrolled import Classifier, Forecaster, Regressor
from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError
from unrolled.workflow.config import Config
from unrolled.workflow.predict import predict
from unrolled.workflow.train import train

X = np.random.default_rng(0).normal(size=(80, 6))
Y = np.where(X.sum(1) > 0, 3, -2)
WAVE = np.sin(np.arange(120) / 4)
SMALL: dict[str, Any] = {"net": [{"gru": {"size": 4}}], "epochs": 2, "learning_rate": 0.03, "random_state": 0}


class Own(nn.Module):
    """A user's module, as one writes it in a notebook."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(1, 4, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.rnn(x)[0][:, -1])
        return out


def classifier(**changes: Any) -> Classifier:
    return Classifier(**{**SMALL, **changes}).fit(X, Y)


def fitted() -> list[tuple[Any, Any]]:
    """Estimators with data to predict on."""
    return [
        (classifier(), X),
        (Regressor(**SMALL).fit(X, X.sum(1)), X),
        (Forecaster(2, window=8, **SMALL).fit(WAVE), None),
        (classifier(net=Own()), X),
    ]


def through_joblib(model: Any) -> Any:
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize("way", [lambda m: pickle.loads(pickle.dumps(m)), through_joblib, copy.deepcopy, copy.copy])
def test_copies_predict_the_same(way: Any) -> None:
    for model, data in fitted():
        other = way(model)
        np.testing.assert_array_equal(other.predict(data), model.predict(data))
        assert other.evaluation_ == model.evaluation_
        other.fit(X[:20], Y[:20]) if data is not None else other.fit(WAVE[:60])
        np.testing.assert_array_equal(way(model).predict(data), model.predict(data))  # the copy shares nothing


def test_a_pickle_holds_the_bundles_bytes() -> None:
    model = classifier()
    state = model.__getstate__()
    assert Bundle.from_bytes(state["bundle_"]).manifest.task == "classify"
    assert isinstance(model.bundle_, Bundle)
    assert not any(isinstance(value, nn.Module) for value in state.values())


@pytest.mark.parametrize("kind", [Classifier, Regressor, Forecaster])
def test_save_and_load(kind: Any, tmp_path: Path) -> None:
    model, data = next((model, data) for model, data in fitted() if type(model) is kind)
    data = WAVE if data is None else data
    model.save(tmp_path / "model.unrolled")
    loaded = kind.load(tmp_path / "model.unrolled")
    np.testing.assert_array_equal(loaded.predict(data), model.predict(data))
    assert loaded.predict(data).dtype == model.predict(data).dtype
    assert loaded.predict_table(data).equals(model.predict_table(data))
    assert loaded.n_features_in_ == model.n_features_in_
    again = pickle.loads(pickle.dumps(loaded))
    np.testing.assert_array_equal(again.predict(data), model.predict(data))
    assert clone(loaded).get_params().keys() == model.get_params().keys()
    with pytest.raises(NotFittedError, match="a bundle alone holds no record"):
        loaded.report(tmp_path / "report.html")
    with pytest.raises(NotFittedError):
        _ = loaded.evaluation_


def test_a_loaded_forecaster_asks_for_the_past(tmp_path: Path) -> None:
    model = Forecaster(2, window=8, **SMALL).fit(WAVE)
    model.save(tmp_path / "m")
    loaded = Forecaster.load(tmp_path / "m")
    assert (loaded.horizon, loaded.window) == (2, 8)
    with pytest.raises(ValueError, match="does not hold the series"):
        loaded.predict()


def test_a_loaded_estimator_knows_the_columns(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame(X, columns=list("abcdef"))
    Classifier(**SMALL).fit(frame, Y).save(tmp_path / "m")
    loaded = Classifier.load(tmp_path / "m")
    assert loaded.feature_names_in_.tolist() == list("abcdef")
    np.testing.assert_array_equal(loaded.predict(frame), loaded.predict(frame))
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(frame[list("fedcba")])


def test_a_bundle_of_the_command_lines_road(tmp_path: Path) -> None:
    """Nobody wrote down the type of its labels: they are the file's words."""
    config = Config.parse({"task": {"name": "classify"}, "net": SMALL["net"], "train": {"epochs": 2}})
    trained = train(config, data=(X, Y), folder=tmp_path / "run")
    loaded = Classifier.load(tmp_path / "run")
    assert loaded.classes_.tolist() == ["-2", "3"]
    codes = trained.model.predictor.predict(X).answer.value[:, 0].astype(int)
    assert loaded.predict(X).tolist() == [["-2", "3"][code] for code in codes]


def test_the_runs_folder_holds_all(tmp_path: Path) -> None:
    model = Classifier(**SMALL).fit(X, Y, folder=tmp_path / "run")
    assert {"config.yaml", "model.unrolled", "report.html", "run.json"} <= {
        p.name for p in (tmp_path / "run").iterdir()
    }
    loaded = Classifier.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.predict(X).dtype.kind == "i"
    np.testing.assert_array_equal(predict(tmp_path / "run", X).answer.value[:, 0], (model.predict(X) == 3).astype(int))


def test_nothing_is_written_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = classifier()
    model.predict(X)
    assert list(tmp_path.iterdir()) == []
    model.report("report.html")
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_wrong_bundles_are_refused(tmp_path: Path) -> None:
    model = classifier()
    model.save(tmp_path / "m")
    with pytest.raises(BundleError, match="'classify', Regressor is for 'regress'"):
        Regressor.load(tmp_path / "m")
    settings = model.bundle_.manifest.settings
    for damaged in ({"classes": [[1, 2, 3]]}, {"classes": [[1, None]]}, {"features": 0}, 7):
        changed = model.bundle_.manifest.model_copy(update={"settings": {**settings, "estimator": damaged}})
        Bundle(changed, model.bundle_.weights).write(tmp_path / "bad")
        with pytest.raises(BundleError):
            Classifier.load(tmp_path / "bad")


def test_a_forecasters_bundle_without_a_horizon(tmp_path: Path) -> None:
    bundle = Forecaster(2, window=8, **SMALL).fit(WAVE).bundle_
    settings = {key: value for key, value in bundle.manifest.settings.items() if key != "decoding"}
    Bundle(bundle.manifest.model_copy(update={"settings": settings}), bundle.weights).write(tmp_path / "bad")
    with pytest.raises(BundleError, match="decoding"):
        Forecaster.load(tmp_path / "bad")


def test_a_users_own_module(tmp_path: Path) -> None:
    module = Own()
    before = copy.deepcopy(module.state_dict())
    model = classifier(net=module)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())  # left alone
    again = clone(model).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    model.save(tmp_path / "m")
    loaded = Classifier.load(tmp_path / "m", net=Own())
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert model.run_.net.parameters == sum(p.numel() for p in module.parameters())
    with pytest.raises(BundleError, match="Own"):
        Classifier.load(tmp_path / "m")
    with pytest.raises(BundleError, match="do not fit"):
        Classifier.load(tmp_path / "m", net=nn.Linear(1, 2))


def test_fitting_leaves_the_global_generators_alone() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = draw()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    classifier()
    assert draw() == expected


def test_random_state() -> None:
    one = classifier().predict_proba(X)
    np.testing.assert_array_equal(classifier().predict_proba(X), one)
    assert not np.array_equal(classifier(random_state=1).predict_proba(X), one)
    assert classifier().run_.config["seed"] == 0
    np.random.seed(5)
    drawn = [classifier(random_state=None).run_.config["seed"] for _ in range(2)]
    assert drawn[0] != drawn[1]
    generators = [np.random.RandomState(3), np.random.RandomState(3)]
    seeds = [classifier(random_state=generator).run_.config["seed"] for generator in generators]
    assert seeds[0] == seeds[1]


def test_a_bundle_predicts_without_torch(tmp_path: Path) -> None:
    model = classifier()
    model.save(tmp_path / "m")
    np.save(tmp_path / "x.npy", X)
    code = (
        "import sys, numpy as np\nfrom unrolled import Classifier\n"
        f"model = Classifier.load({str(tmp_path / 'm')!r})\n"
        f"print(model.predict(np.load({str(tmp_path / 'x.npy')!r})).tolist())\n"
        "assert 'torch' not in sys.modules and 'polars' not in sys.modules, 'a heavy import'\n"
    )
    source = str(Path(unrolled.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": source}, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(model.predict(X).tolist())
