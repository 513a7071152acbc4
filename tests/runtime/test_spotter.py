"""Words in a sound without end: the labels are those of the file, in time, without the rest."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tests.prepare.readers.test_wav import wav

from unrolled.core.bundle import Bundle
from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.spelling import texts_of
from unrolled.runtime import AudioStream, Prediction, Predictor, RowStream, Spotter
from unrolled.workflow.config import Config
from unrolled.workflow.predict import hear
from unrolled.workflow.train import train

Float = npt.NDArray[np.float64]
_HERTZ = {"l": 400.0, "h": 1500.0}


def _sound(text: str, seed: int) -> Float:
    """A tone for each letter, with a hush before and after it."""
    random = np.random.default_rng(seed)
    parts = [np.zeros(int(random.integers(600, 1200)))]
    for letter in text:
        time = np.arange(int(random.integers(1000, 1600))) / 8000
        parts += [0.3 * np.sin(2 * np.pi * _HERTZ[letter] * time), np.zeros(int(random.integers(600, 1200)))]
    sound: Float = np.concatenate(parts)
    return sound + random.normal(0, 0.005, len(sound))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings, and a bundle that was trained on them."""
    made, random = tmp_path_factory.mktemp("strings"), np.random.default_rng(0)
    rows = ["path,label"]
    for at in range(80):
        text = "".join(random.choice(["l", "h"], random.integers(1, 5)))
        (made / f"{at}.wav").write_bytes(wav(_sound(text, at)))
        rows.append(f"{at}.wav,{text}")
    (made / "list.csv").write_text("\n".join(rows) + "\n")
    options = {"format": "wav", "bands": 12, "hop": 0.02}
    split = {"by": "case", "valid": 0, "test": 0.1}
    config = {
        "data": {"path": str(made / "list.csv"), "options": options, "split": split},
        "task": {"name": "ctc"},
        "net": [{"conv": {"channels": 12, "padding": "causal"}}, {"gru": {"size": 12}}],
        "train": {"epochs": 40, "batch_size": 8, "learning_rate": 0.02, "schedule": "one_cycle"},
    }
    train(Config.parse(config)).bundle.write(made / "model.unrolled")
    return made


@pytest.fixture(scope="module")
def predictor(folder: Path) -> Predictor:
    return Predictor(Bundle.read(folder / "model.unrolled"))


def _text(found: list[Prediction]) -> str:
    return "".join(text for one in found for text in texts_of(one.answer.value, one.answer.classes[0], "characters"))


@pytest.mark.parametrize("size", [1, 160, 333, 100_000])
def test_the_labels_are_those_of_the_file(predictor: Predictor, size: int, tmp_path: Path) -> None:
    data = wav(_sound("lhhl", 500))
    (tmp_path / "x.wav").write_bytes(data)
    samples = np.frombuffer(data[44:], "<i2") / 32768
    ear = predictor.stream()
    assert isinstance(ear, Spotter)
    found = [ear.process(samples[at : at + size]) for at in range(0, len(samples), size)]
    assert _text(found) == predictor.predict(tmp_path / "x.wav").table().columns["label"][0] == "lhhl"


def test_a_net_that_thins_its_frames_says_the_same_in_pieces(folder: Path, tmp_path: Path) -> None:
    options = {"format": "wav", "bands": 12, "hop": 0.01}
    config = {
        "data": {
            "path": str(folder / "list.csv"),
            "options": options,
            "split": {"by": "case", "valid": 0, "test": 0.1},
        },
        "task": {"name": "ctc"},
        "net": [{"conv": {"channels": 12, "padding": "causal", "stride": 3}}, {"gru": {"size": 12}}],
        "train": {"epochs": 20, "batch_size": 8, "learning_rate": 0.02, "schedule": "one_cycle"},
    }
    predictor, said = Predictor(train(Config.parse(config)).bundle), []
    for seed, text in enumerate(("lhhl", "h", "llh")):
        data = wav(_sound(text, 600 + seed))
        (tmp_path / "x.wav").write_bytes(data)
        samples, ear = np.frombuffer(data[44:], "<i2") / 32768, predictor.stream()
        said.append(_text([ear.process(samples[at : at + 77]) for at in range(0, len(samples), 77)]))
        assert said[-1] == predictor.predict(tmp_path / "x.wav").table().columns["label"][0]
    assert any(said)


def test_each_label_comes_while_it_sounds(predictor: Predictor) -> None:
    hush, tone = np.zeros(4000), 0.3 * np.sin(2 * np.pi * 1500 * np.arange(1200) / 8000)
    noise = np.random.default_rng(0).normal(0, 0.005, 10 * 4000 + 5 * 1200)
    sound = np.concatenate([np.tile(np.concatenate([hush, tone]), 5), np.tile(hush, 5)]) + noise
    table = Spotter(predictor, sure=0.5).process(sound).table().columns
    assert list(table) == ["id", "time", "label", "probability"]
    assert table["label"].tolist() == ["h"] * 5 and (table["probability"] >= 0.5).all()
    begins = 0.5 + 0.65 * np.arange(5)
    assert ((table["time"] > begins) & (table["time"] < begins + 0.35)).all()


def test_it_goes_on_from_a_snapshot_and_starts_anew(predictor: Predictor) -> None:
    samples, ear = _sound("hlh", 7), Spotter(predictor)
    cut = 2000  # within the first tone
    first = ear.process(samples[:cut]).table().columns
    state = ear.snapshot()
    expected = ear.process(samples[cut:]).table().columns
    other = Spotter(predictor)
    other.restore(state)
    again = other.process(samples[cut:]).table().columns
    assert [again[name].tolist() for name in again] == [expected[name].tolist() for name in expected]
    other.reset()
    np.testing.assert_array_equal(other.process(samples[:cut]).table().columns["time"], first["time"])


def test_how_sure_a_label_must_be(predictor: Predictor) -> None:
    samples = _sound("hl", 9)
    assert not len(Spotter(predictor, sure=1.0).process(samples).answer)
    with pytest.raises(ConfigError, match="a probability"):
        Spotter(predictor, sure=1.5)


def test_the_command_hears_a_sound_as_it_comes(folder: Path) -> None:
    sound = (np.clip(_sound("lh", 11), -1, 1) * 32767).astype("<i2").tobytes()
    command = [sys.executable, "-m", "unrolled", "predict", str(folder / "model.unrolled"), "-"]
    done = subprocess.run(command, input=sound, capture_output=True, check=True)
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [row["label"] for row in rows] == ["l", "h"] and rows[0]["time"] < rows[1]["time"]
    with pytest.raises(DataError, match="this is a WAV file"):
        list(hear(folder / "model.unrolled", io.BytesIO(wav(_sound("l", 1)))))


def test_doors_for_other_models_are_refused_by_name(predictor: Predictor) -> None:
    with pytest.raises(ConfigError, match=r"runtime\.Spotter"):
        AudioStream(predictor)
    with pytest.raises(ConfigError, match="only of sound it grows"):
        RowStream(predictor)
