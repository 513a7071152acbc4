"""From series without labels to an encoder, and from it to a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.workflow.small import NET, config, gestures, weights

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError, ConfigError
from unrolled.tasks import make_task
from unrolled.train import Fitting, Hook
from unrolled.workflow.config import Config
from unrolled.workflow.listener import Silent
from unrolled.workflow.predict import predict
from unrolled.workflow.train import Trained, resume, train

BASELINE = {"masked": "interpolation", "next": "persistence", "contrast": "chance"}


def pretrained(folder: Path, kind: str = "masked", **changes: Any) -> Trained:
    """On the gestures, labels left out; the run is in ``folder / kind``."""
    path = gestures(folder / "gestures.csv")
    settings = {"data": {"path": str(path), "target": "kind"}, "task": {"name": "pretrain", "kind": kind}}
    base = Config.parse({"net": NET, "train": {"epochs": 2, "batch_size": 8}})
    return train(base.over(settings).over(changes), folder=folder / kind)


@pytest.mark.parametrize("kind", BASELINE)
def test_every_kind_is_judged_beside_its_simple_method(kind: str, tmp_path: Path) -> None:
    trained = pretrained(tmp_path, kind)
    evaluation = trained.run.evaluation
    assert [scores.name for scores in evaluation.baselines] == [BASELINE[kind]]
    assert (evaluation.part, evaluation.count) == ("test", 5)
    assert evaluation.verdict.en in (tmp_path / kind / "report.html").read_text(encoding="utf-8")
    assert {"took_no_labels"} <= {note.code for note in trained.run.facts.assumptions}
    read = Bundle.read(tmp_path / kind / "model.unrolled")
    assert {name.split(".")[0] for name in read.weights} == {"layers"}
    assert read.manifest.net is not None and [*read.manifest.net[0]] == ["gru"]


def test_a_classifier_starts_from_the_encoder_and_says_so(tmp_path: Path) -> None:
    encoder = pretrained(tmp_path)
    still = config("classify", tmp_path, start_from=str(tmp_path / "masked"), train={"freeze": ["layers.0.*"]})
    tuned = train(still.model_copy(update={"net": None}))
    assert tuned.run.evaluation.task == "classify" and tuned.bundle.manifest.net == encoder.bundle.manifest.net
    for name, value in encoder.bundle.weights.items():
        np.testing.assert_array_equal(tuned.bundle.weights[name], value)
    (told,) = [note for note in tuned.run.facts.assumptions if note.code == "took_weights"]
    assert "'layers.0' from" in told.en and told.en.endswith("; 'layers.2' starts anew.")


def test_other_columns_and_another_size_are_told(tmp_path: Path) -> None:
    pretrained(tmp_path)
    job = config("classify", tmp_path, start_from=str(tmp_path / "masked"))
    path = Path(job.data.path or "")
    path.write_text(path.read_text(encoding="utf-8").replace("id,t,a,kind", "id,t,b,kind"), encoding="utf-8")
    codes = {note.code: note.en for note in train(job).run.facts.assumptions}
    assert codes["other_columns"].startswith("The weights were learnt on the columns 'a', and now read 'b'")
    with pytest.raises(ConfigError, match=r"shape \(12, 1\) there and \(15, 1\)"):
        train(job.model_copy(update={"net": [{"gru": {"size": 5}}]}))


def test_an_encoder_gives_no_answers(tmp_path: Path) -> None:
    trained = pretrained(tmp_path)
    with pytest.raises(BundleError, match=r"pretrained encoder[\s\S]*--from"):
        predict(tmp_path / "masked", tmp_path / "gestures.csv")
    with pytest.raises(ConfigError, match="no answers yet"):
        _ = trained.model


class _Stops(Silent, Hook):
    def hooks(self) -> tuple[Hook, ...]:
        return (self,)

    def on_epoch(self, fitting: Fitting) -> None:
        if fitting.epoch == 1:
            fitting.stop = "enough"


def test_a_stopped_pretraining_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = pretrained(tmp_path / "a")
    path = gestures(tmp_path / "b" / "gestures.csv")
    settings = {"path": str(path), "target": "kind"}
    job = Config.parse({"net": NET, "train": {"epochs": 2, "batch_size": 8}, "task": {"name": "pretrain"}})
    train(job.over({"data": settings}), folder=tmp_path / "b" / "run", listener=_Stops())
    assert weights(resume(tmp_path / "b" / "run")) == weights(whole)


def test_a_module_of_ones_own_has_no_known_encoder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="its encoder is not known"):
        pretrained(tmp_path, net="torch.nn:Identity")


def test_layers_are_built_one_upon_the_other(tmp_path: Path) -> None:
    """Greedy building: each run takes over and freezes what the one before learnt, and adds a layer."""
    low, both = [*NET], [*NET, {"gru": {"size": 3}}]
    train(config("classify", tmp_path).model_copy(update={"net": low}), folder=tmp_path / "one")
    job = config("classify", tmp_path, start_from=str(tmp_path / "one"), train={"freeze": ["layers.0.*"]})
    taller = train(job.model_copy(update={"net": both}))
    lower = Bundle.read(tmp_path / "one" / "model.unrolled").weights
    kept = [name for name in lower if name.startswith("layers.0.")]
    assert kept
    for name in kept:
        np.testing.assert_array_equal(taller.bundle.weights[name], lower[name])


def test_options_of_another_kind_are_refused() -> None:
    with pytest.raises(ConfigError, match="share is an option of kind masked"):
        make_task("pretrain", {"kind": "next", "share": 0.2})
    with pytest.raises(ConfigError, match="one figure"):
        make_task("pretrain", {"monitor": "mse"})


def test_y_beside_x_and_z_is_an_axis(tmp_path: Path) -> None:
    path = tmp_path / "moves.csv"
    rows = (f"{at % 7},{at % 5},{at % 3}" for at in range(300))
    path.write_text("\n".join(["X,y,z", *rows]) + "\n", encoding="utf-8")
    given = {"data": {"path": str(path)}, "task": {"name": "pretrain"}, "net": NET, "train": {"epochs": 1}}
    facts = train(Config.parse(given)).run.data
    assert [column["name"] for column in facts.columns if column["role"] == "feature"] == ["X", "y", "z"]
