"""Lines that nobody should send, into a stream of a small model."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.terminal import unrolled

from unrolled.core.bundle import Bundle
from unrolled.core.errors import DataError, UnrolledError
from unrolled.workflow.config import Config
from unrolled.workflow.predict import stream
from unrolled.workflow.train import train

WORDS = ["go", "to", "from", "ünï", "罗马"]


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("lines")
    rows = [(s, WORDS[random.integers(5)]) for s in range(30) for _ in range(4)]
    lines = [f"s{s},{word},{'city' if word == '罗马' else 'other'}" for s, word in rows]
    (folder / "tag.csv").write_text("\n".join(["sentence,word,slot", *lines]) + "\n", encoding="utf-8")
    data = {"path": str(folder / "tag.csv"), "target": "slot", "group": "sentence"}
    net: list[Any] = [{"gru": {"size": 4}}]
    return train(Config.parse({"data": data, "task": {"name": "tag"}, "net": net, "train": {"epochs": 1}})).bundle


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"sentence": "a"}', "'word'"),
        ("nonsense", "line 1: this line is not JSON"),
        ("[1, 2]", "not a JSON object"),
        ('{"sentence": "a", "word": null}', "column 'word': a value is missing"),
        ('{"sentence": null, "word": "to"}', "the name of the series is missing"),
        ('{"sentence": "a", "word": {"x": 1}}', "a list or an object"),
        ('{"sentence": "a", "word": "to"', "not JSON"),
    ],
)
def test_a_bad_line_is_named(tagger: Bundle, line: str, message: str) -> None:
    with pytest.raises(UnrolledError, match=message):
        list(stream(tagger, [line + "\n"]))


def test_bytes_that_are_no_text(tagger: Bundle) -> None:
    lines = io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00\n"), encoding="utf-8")
    with pytest.raises(DataError, match="not text in UTF-8"):
        list(stream(tagger, lines))


def test_words_it_does_not_know_and_labels_it_does_not_need(tagger: Bundle) -> None:
    lines = ['{"sentence": "a", "word": "新"}\n', "\n", '{"sentence": "a", "word": 3, "slot": "odd"}\n']
    assert [found.ids for found in stream(tagger, lines)] == [("a",), ("a",)]
    assert list(stream(tagger, [])) == []


def test_a_net_on_the_command_line_is_a_list_or_an_error(tmp_path: Path) -> None:
    path = tmp_path / "waves.csv"
    path.write_text("v\n" + "".join(f"{np.sin(at / 3):.3f}\n" for at in range(200)), encoding="utf-8")
    train_it = ("train", path, "--epochs", 1, "--quiet", "--out", tmp_path / "run", "--net")
    assert unrolled(*train_it, "[{gru: {size: 4}").err.startswith("error: [{gru: {size: 4}: is not YAML")
    done = unrolled(*train_it, "[{conv: {channels: 4, padding: causal, stride: 2}}, {gru: {size: 4}}]")
    assert done.code == 0, done.err


@pytest.mark.parametrize("rows", [1, 300])
def test_a_file_in_which_nothing_changes(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "still.csv"
    path.write_text("v\n" + "1.0\n" * rows, encoding="utf-8")
    done = unrolled("train", path, "--task", "anomaly", "--out", tmp_path / "run")
    assert done.code == 2 and "no column holds values that differ" in done.err
