"""``predict``, ``evaluate``, ``report``, ``compare``, ``presets`` and ``demo`` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

import pytest
from tests.cli.terminal import TINY, unrolled
from tests.workflow.small import engines, gestures, prices

from unrolled.core.records import Evaluation
from unrolled.evaluate import Backtest
from unrolled.nets.presets import presets
from unrolled.workflow import demo
from unrolled.workflow.config import Config


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data and two runs of a forecast, and one of a classification."""
    folder = tmp_path_factory.mktemp("runs")
    data, out = prices(folder / "prices.csv"), ["--horizon", 2, *TINY, "--quiet", "--out"]
    assert unrolled("train", data, "--target", "Close", *out, folder / "one").code == 0
    assert unrolled("train", data, "--target", "Close", "--seed", 1, *out, folder / "two").code == 0
    data = gestures(folder / "gestures.csv")
    assert unrolled("train", data, "--target", "kind", *TINY, "--quiet", "--out", folder / "kinds").code == 0
    return folder


def test_predictions_on_stdout_and_notes_on_stderr(runs: Path) -> None:
    found = unrolled("predict", runs / "one", runs / "prices.csv")
    assert found.code == 0 and found.err == ""
    header, first, second = found.out.splitlines()
    assert header == "id,time,step,Close,Close_low,Close_high"
    assert first.startswith("series,2024-04-30T00:00:00,1,") and second.startswith("series,2024-05-01T00:00:00,2,")
    later = runs / "later.csv"
    later.write_text((runs / "prices.csv").read_text().replace("Date,", "Note,Date,", 1).replace("\n2024", "\nx,2024"))
    noted = unrolled("predict", runs / "one", later, "--lang", "zh")
    assert noted.out == found.out and noted.err == "note: 模型不认识的列已略去：“Note”。\n"


def test_predictions_in_files(runs: Path, tmp_path: Path) -> None:
    shown = unrolled("predict", runs / "one", runs / "prices.csv", "--all", "--stride", 9).out
    for name in ("p.csv", "p.jsonl"):
        found = unrolled("predict", runs / "one", runs / "prices.csv", "--all", "--stride", 9, "--out", tmp_path / name)
        assert found == (0, f"{tmp_path / name}\n", "")
    assert (tmp_path / "p.csv").read_text() == shown
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [list(map(str, row.values())) for row in rows] == [line.split(",") for line in shown.splitlines()[1:]]
    for name, said in (("p.xlsx", "'.xlsx' files are not written"), ("p", "the name has no suffix")):
        found = unrolled("predict", runs / "one", runs / "prices.csv", "--out", tmp_path / name)
        assert found.code == 2 and said in found.err and not (tmp_path / name).exists()


def test_every_row_or_the_last_of_each_series(tmp_path: Path) -> None:
    data = engines(tmp_path / "engines.csv", count=8)
    options = ["--target", "rul", "--task", "failure", "--horizon", 8, "--window", 6, *TINY, "--out", tmp_path / "run"]
    assert unrolled("train", data, *options).code == 0
    cycles = [int(line.split(",")[1]) for line in data.read_text().splitlines()[1:]]
    ends = [cycle for cycle, following in zip(cycles, [*cycles[1:], 0], strict=True) if following == 0]
    last = unrolled("predict", tmp_path / "run", data, "--last").out.splitlines()
    assert last[0] == "id,time,probability,alarm"
    assert [line.split(",")[:2] for line in last[1:]] == [[str(at), str(end)] for at, end in enumerate(ends)]
    every = unrolled("predict", tmp_path / "run", data).out.splitlines()
    assert len(every) - 1 == sum(end - 4 for end in ends) and set(last) < set(every)
    assert unrolled("predict", tmp_path / "run", data, "--all").out.splitlines() == every


def test_reading_can_be_told(runs: Path, tmp_path: Path) -> None:
    plain = unrolled("predict", runs / "one", runs / "prices.csv").out
    path = tmp_path / "tabs.csv"
    path.write_text((runs / "prices.csv").read_text().replace(",", "\t"))
    assert unrolled("predict", runs / "one", path, "--option", "delimiter=\\t").out == plain
    for wrong, said in (
        ("delimiter=;", "only one column"),
        ("delimter=;", "did you mean 'delimiter'"),
        ("x", "--option"),
    ):
        found = unrolled("predict", runs / "one", path, "--option", wrong)
        assert found.code == 2 and said in found.err.lower()


def test_evaluation(runs: Path, tmp_path: Path) -> None:
    found = unrolled("evaluate", runs / "one", runs / "prices.csv", "--out", tmp_path / "found.json")
    assert found.code == 0 and found.out.endswith(f"{tmp_path / 'found.json'}\n")
    record = Evaluation.model_validate_json((tmp_path / "found.json").read_bytes())
    assert record.verdict.en in found.out.replace("\n", " ") and "Persistence" in found.out
    chinese = unrolled("evaluate", runs / "kinds", runs / "gestures.csv", "--lang", "zh")
    assert chinese.code == 0 and "多数类" in chinese.out and "Majority" not in chinese.out


def test_backtest(runs: Path, tmp_path: Path) -> None:
    options = ["--backtest", 3, "--step", 4, "--out", tmp_path / "found.json"]
    found = unrolled("evaluate", runs / "one", runs / "prices.csv", *options)
    record = Backtest.model_validate_json((tmp_path / "found.json").read_bytes())
    assert found.code == 0 and "Backtest, 3 origins" in found.out
    origins = [origin.origin for origin in record.origins]
    assert origins == ["2024-04-20", "2024-04-24", "2024-04-28"]
    (mean,) = (spread for spread in record.summary["model"] if spread.name == "rmse")
    lines = {line.split()[0]: line for line in reversed(found.out.splitlines()) if line.split()}
    assert f"{mean.mean:.3f}" in lines["RMSE"]
    for origin in record.origins:
        assert f"{origin.model['rmse'].value:.3f}" in lines[origin.origin]
    chinese = unrolled("evaluate", runs / "one", runs / "prices.csv", "--backtest", 2, "--lang", "zh").out
    assert "滚动回测，2 个起点" in chinese and "各起点的" in chinese and "origin" not in chinese
    for wrong, said in (
        (["one", "prices.csv", "--step", 3], "--backtest"),
        (["one", "prices.csv", "--backtest", 500], "fewer origins"),
        (["kinds", "gestures.csv", "--backtest", 3], "a backtest is for forecasts"),
    ):
        refused = unrolled("evaluate", runs / str(wrong[0]), runs / str(wrong[1]), *wrong[2:])
        assert refused.code == 2 and said in refused.err


def test_reports(runs: Path, tmp_path: Path) -> None:
    found = unrolled("report", runs / "one", "--lang", "zh", "--out", tmp_path / "zh.html")
    assert found == (0, f"{tmp_path / 'zh.html'}\n", "")
    assert "训练报告" in (tmp_path / "zh.html").read_text(encoding="utf-8")
    assert unrolled("report", runs).err.startswith(f"error: {runs}: there is no run here")


def test_comparison(runs: Path, tmp_path: Path) -> None:
    found = unrolled("compare", runs / "one", runs / "two", "--out", tmp_path / "both.html")
    assert found.code == 0 and "seed" in found.out and found.out.endswith(f"{tmp_path / 'both.html'}\n")
    assert "one" in (tmp_path / "both.html").read_text(encoding="utf-8")
    other = unrolled("compare", runs / "one", runs / "kinds")
    assert other.code == 0 and "different tasks" in other.out
    assert "two or more runs" in unrolled("compare", runs / "one").err


@pytest.mark.parametrize("language", ["en", "zh"])
def test_presets_say_what_they_are_for(language: str) -> None:
    found = unrolled("presets", "--lang", language).out.replace("\n", " ")
    for preset in presets():
        assert preset.name in found
        assert preset.purpose["en" if language == "en" else "zh"][:30] in " ".join(found.split())


@pytest.mark.parametrize("name", ["load", "digits"])
def test_demos_train_on_shipped_data(name: str, tmp_path: Path) -> None:
    quick = {"epochs": 1, "epoch_batches": 2, "checkpoint_seconds": 1000}
    changed = demo.demo_config(name).over({"train": quick, "net": [{"gru": {"size": 4}}]})
    changed = changed.over({"data": {"split": {"test": 500, "valid": 500}}} if name == "load" else {})
    with mock.patch("unrolled.workflow.demo.demo_config", return_value=changed):
        found = unrolled("demo", name, "--out", tmp_path / "run")
    assert found.code == 0 and (tmp_path / "run" / "report.html").exists()
    assert "id," in found.out.splitlines()[-6]
    assert Path(changed.data.path or "").is_relative_to(Path(demo.__file__).parent)


def test_an_unknown_demo_names_the_nearest() -> None:
    found = unrolled("demo", "lod")
    assert found.code == 2 and found.err == "error: DEMO: there is no demo 'lod'\n  Did you mean 'load'?\n"
    assert isinstance(demo.demo_config("load"), Config)
