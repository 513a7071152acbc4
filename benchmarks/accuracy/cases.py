"""What is measured: a config of few words per case, everything else is the task's default.

Each case names the figures, and what they are to reach: the naive line and the published recurrent result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

Data = Callable[[Path], Any]


@dataclass(frozen=True)
class Case:
    """One data set.

    Attributes:
        config: nested settings; paths are relative to the folder of data sets.
        goals: figure -> (value to reach, "at least" or "at most" or "reported").
        data: makes a frame where files cannot be read as they are.
        note: what the published results are.
    """

    config: dict[str, Any]
    goals: dict[str, tuple[float, str]]
    note: str
    data: Data | None = None
    seeds: tuple[int, ...] = field(default=(0, 1, 2))


def _ucr(name: str, accuracy: float, note: str) -> Case:
    ends = ("_TRAIN.tsv", "_TEST.tsv.gz") if name == "ECG5000" else ("_TRAIN.ts", "_TEST.ts")
    train, test = (f"ucr_uea/{name}/{name}{end}" for end in ends)
    return Case({"data": {"path": train, "test": test}}, {"accuracy": (accuracy, "at least")}, note)


def _etth1(folder: Path) -> Any:
    """The 12 + 4 + 4 months that everybody uses."""
    return pl.read_csv(folder / "ett/ETTh1.csv", try_parse_dates=True).head(14400)


def _m4(folder: Path) -> Any:
    """History and the 48 hours to forecast, one row a series and hour."""
    parts = []
    for name, order in (("train", 0), ("test", 1)):
        wide = pl.read_csv(folder / f"m4_hourly/Hourly-{name}.csv", infer_schema_length=None)
        long = wide.unpivot(index=wide.columns[0], variable_name="at").drop_nulls("value")
        at = pl.col("at").str.strip_prefix("V").cast(pl.Int64)
        parts.append(long.select(pl.col(wide.columns[0]).alias("id"), at=at + order * 100_000, value=pl.col("value")))
    rows = pl.concat(parts).sort("id", "at")
    hour = pl.int_range(pl.len()).over("id")
    return rows.select("id", hour=pl.datetime(2000, 1, 1) + pl.duration(hours=hour), value=pl.col("value").cast(float))


_FIRST = "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"
_SECOND = "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234"

CASES: dict[str, Case] = {
    "ecg5000": _ucr("ECG5000", 0.943, "FCN 0.940, ResNet 0.935, 1-NN 0.925"),
    "gunpoint": _ucr("GunPoint", 0.96, "FCN 1.000, ResNet 0.991, 1-NN 0.913"),
    "italypowerdemand": _ucr("ItalyPowerDemand", 0.965, "FCN 0.963, ResNet 0.962, 1-NN 0.955"),
    "ecg200": _ucr("ECG200", 0.89, "FCN 0.888, ResNet 0.874, 1-NN 0.880"),
    "japanesevowels": _ucr("JapaneseVowels", 0.975, "FCN 0.993, ResNet 0.992, 1-NN 0.949"),
    "cmapss_fd001": Case(
        {"data": {"path": "cmapss/train_FD001.txt", "test": "cmapss/test_FD001.txt"}, "task": {"name": "regress"}},
        {"last_rmse_capped": (14.0, "at most"), "last_rmse": (15.16, "reported")},
        "LSTM 14.93 to 16.14, GRU with attention 14.21; constant 41.94 capped, 43.07 as given",
    ),
    "cmapss_fd003_failure": Case(
        {
            "data": {"path": "cmapss/train_FD003.txt.gz", "test": "cmapss/test_FD003.txt.gz"},
            "task": {"name": "failure", "horizon": 30},
        },
        {"average_precision": (0.0, "reported"), "gain_over_logistic": (0.0, "at least")},
        "against logistic regression on the last window, in the same run",
    ),
    "mitbih": Case(
        {
            "data": {"path": "mitbih/DS1", "test": "mitbih/DS2"},
            "task": {"name": "classify"},
        },
        {"f1:V": (0.87, "at least"), "f1:S": (0.55, "at least")},
        "patients apart (DS1 to DS2), one lead; accuracy of always N 0.890",
    ),
    "etth1": Case(
        {
            "data": {
                "target": ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"],
                "split": {"by": "time", "valid": 2880, "test": 2880},
            },
            "task": {"name": "forecast", "horizon": 96},
        },
        {"mse_standardised": (0.372, "at most"), "mae_standardised": (0.395, "at most")},
        "NLinear 0.374 / 0.394; same hour yesterday 0.512 / 0.433",
        data=_etth1,
    ),
    "m4_hourly": Case(
        {
            "data": {"target": ["value"], "split": {"by": "time", "valid": 48, "test": 48}},
            "task": {"name": "forecast", "horizon": 48},
        },
        {"smape": (12.0, "at most")},
        "seasonal naive 13.9, competition winner 9.3",
        data=_m4,
    ),
    "atis_slots": Case(
        {
            "data": {
                "path": "atis/train",
                "valid": "atis/valid",
                "test": "atis/test",
                "target": ["slot"],
                "group": "sentence",
            },
            "task": {"name": "tag"},
        },
        {"chunk_f1": (0.948, "at least"), "accuracy": (0.0, "reported")},
        "slot F1 slot-gated 94.8, BiLSTM rerun 95.1",
    ),
    "mitbih_anomaly": Case(
        {
            "data": {"path": "mitbih/DS1", "test": "mitbih/DS2", "options": {"points": 64}},
            "task": {"name": "anomaly", "normal": ["N"]},
        },
        {"average_precision": (0.0, "reported"), "gain_over_zscore": (0.0, "at least"), "roc_auc": (0.0, "reported")},
        "trained on the normal beats of DS1, all other beats of DS2 are anomalies; against the per-sample z-score of "
        "the same run",
    ),
    "aapl": Case(
        {"data": {"path": "stock_aapl/AAPL_2014_2025.csv", "target": ["Close"]}},
        {"rmse": (3.315, "reported")},
        "persistence 3.315",
    ),
}


@contextmanager
def opened(case: Case, folder: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """The config with full paths, and the data where it is handed over."""
    with TemporaryDirectory() as temporary:
        config = {**case.config, "data": dict(case.config["data"])}
        for key in ("path", "valid", "test"):
            if key in config["data"]:
                config["data"][key] = str(_path(folder, config["data"][key], Path(temporary)))
        yield config, None if case.data is None else case.data(folder)


def _path(folder: Path, name: str, temporary: Path) -> Path:
    """A file of the data sets; the two halves of MIT-BIH are folders of links to their records, ATIS becomes CSV."""
    if name.startswith("atis/"):
        return _words(folder / name, temporary)
    halves = {"mitbih/DS1": _FIRST, "mitbih/DS2": _SECOND}
    if name not in halves:
        return folder / name
    half = temporary / Path(name).name
    half.mkdir()
    for record in halves[name].split():
        (half / f"{record}.npz").symlink_to((folder / f"mitbih/records/{record}.npz").resolve())
    return half


def _words(part: Path, temporary: Path) -> Path:
    """A row a word: the number of its sentence, the word, its slot."""
    lines = [(part / f"seq.{end}").read_text(encoding="utf-8").splitlines() for end in ("in", "out")]
    rows = [
        (number, word, slot)
        for number, (words, slots) in enumerate(zip(*lines, strict=True))
        for word, slot in zip(words.split(), slots.split(), strict=True)
    ]
    path = temporary / f"{part.name}.csv"
    pl.DataFrame(rows, schema=["sentence", "token", "slot"], orient="row").write_csv(path)
    return path


def last_rmse(truth: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any], cap: float | None) -> float:
    """RMSE over engines at their last cycle."""
    wanted = truth if cap is None else np.minimum(truth, cap)
    return float(np.sqrt(np.mean((predicted - wanted) ** 2)))
