"""A model that hears: after any number of samples its answer is that of the whole file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tests.prepare.readers.test_wav import wav

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError, ConfigError, DataError
from unrolled.runtime import AudioStream, Predictor
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

Float = npt.NDArray[np.float64]


def _tone(hertz: float, seed: int) -> Float:
    random = np.random.default_rng(seed)
    time = np.arange(int(random.integers(1200, 2400))) / 8000
    tone: Float = 0.3 * np.sin(2 * np.pi * hertz * time + random.uniform(0, 6)) + random.normal(0, 0.02, len(time))
    return tone


def _config(folder: Path, net: object) -> Config:
    return Config.parse(
        {
            "data": {"path": str(folder), "options": {"names": "{label}_{}", "bands": 12}},
            "task": {"name": "classify"},
            "net": net,
            "train": {"epochs": 6, "batch_size": 8, "learning_rate": 0.01},
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two words: a low tone and a high one."""
    made = tmp_path_factory.mktemp("tones")
    for at in range(24):
        for word, hertz in (("low", 400), ("high", 1500)):
            (made / f"{word}_{at}.wav").write_bytes(wav(_tone(hertz, 2 * at + (word == "low"))))
    return made


@pytest.fixture(scope="module")
def bundle(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """From a folder of WAV files to a bundle on the disk, and back."""
    net = [{"conv": {"channels": 8, "padding": "causal"}}, {"gru": {"size": 8}}, "linear"]
    path = tmp_path_factory.mktemp("bundle") / "tones.unrolled"
    train(_config(folder, net)).bundle.write(path)
    return Bundle.read(path)


def test_new_files_are_heard_as_those_of_training_were(bundle: Bundle, tmp_path: Path) -> None:
    predictor = Predictor(bundle)
    assert predictor.settings.options == {"names": "{label}_{}", "bands": 12, "rate": 8000}
    (tmp_path / "new.wav").write_bytes(wav(_tone(1450, 99)))
    found = predictor.predict(tmp_path / "new.wav")
    assert found.answer.classes[0][int(found.answer.value[0, 0])] == "high"
    (tmp_path / "other.wav").write_bytes(wav(_tone(1450, 99), rate=16000))
    with pytest.raises(DataError, match="sampled at 16000 Hz, not at 8000 Hz"):
        predictor.predict(tmp_path / "other.wav")


@pytest.mark.parametrize("size", [1, 37, 80, 641, 10_000])
def test_samples_in_pieces_give_the_answer_of_the_file(bundle: Bundle, size: int, tmp_path: Path) -> None:
    data = wav(_tone(400, 7))
    (tmp_path / "x.wav").write_bytes(data)
    samples = np.frombuffer(data[44:], "<i2") / 32768
    predictor = Predictor(bundle)
    heard = AudioStream(predictor)
    found = [heard.process(samples[at : at + size]) for at in range(0, len(samples), size)]
    times = np.concatenate([one.times for one in found if one.times is not None])
    np.testing.assert_allclose(times, np.arange(1, len(samples) // 80 + 1) / 100)
    answers = [one.answer for one in found]
    assert sum(map(len, answers)) == len(samples) // 80
    last = next(answer for answer in reversed(answers) if len(answer))
    whole = predictor.predict(tmp_path / "x.wav").answer
    assert whole.probability is not None and last.probability is not None
    np.testing.assert_allclose(last.probability[-1], whole.probability[0], rtol=1e-4, atol=1e-5)
    assert last.classes == whole.classes


def test_each_answer_is_that_of_the_sound_so_far(bundle: Bundle, tmp_path: Path) -> None:
    samples, predictor = _tone(400, 3)[:800], Predictor(bundle)
    answer = AudioStream(predictor).process(np.round(samples * 32767) / 32768).answer
    assert answer.probability is not None
    for frames in (1, 4, 10):
        (tmp_path / f"{frames}.wav").write_bytes(wav(samples[: 80 * frames]))
        whole = predictor.predict(tmp_path / f"{frames}.wav").answer.probability
        assert whole is not None
        np.testing.assert_allclose(answer.probability[frames - 1], whole[0], rtol=1e-4, atol=1e-5)


def test_it_goes_on_from_a_snapshot_and_starts_anew(bundle: Bundle) -> None:
    samples, heard = _tone(1500, 5), AudioStream(Predictor(bundle))
    first = heard.process(samples[:433]).answer.probability
    state = heard.snapshot()
    expected = heard.process(samples[433:]).answer.probability
    assert expected is not None and first is not None
    other = AudioStream(Predictor(bundle))
    other.restore(state)
    np.testing.assert_array_equal(other.process(samples[433:]).answer.probability, expected)
    other.reset()
    np.testing.assert_array_equal(other.process(samples[:433]).answer.probability, first)


def test_what_cannot_be_heard_is_refused(bundle: Bundle, folder: Path) -> None:
    manifest = bundle.manifest
    deaf = {**manifest.settings, "options": {}}
    with pytest.raises(BundleError, match="not trained on recordings"):
        AudioStream(Predictor(replace(bundle, manifest=manifest.model_copy(update={"settings": deaf}))))
    fewer = {**manifest.settings, "options": {"bands": 3, "rate": 8000}}
    with pytest.raises(BundleError, match="no bands of a sound"):
        AudioStream(Predictor(replace(bundle, manifest=manifest.model_copy(update={"settings": fewer}))))
    both = train(_config(folder, [{"gru": {"size": 4, "bidirectional": True}}, "linear"]))
    with pytest.raises(ConfigError, match=r"net\[0\]: a bidirectional layer"):
        AudioStream(Predictor(both.bundle))
