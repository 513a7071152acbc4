"""Runs of every task, with believable figures, for the tests of the report."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from unrolled.core.records import (
    ConfusionPicture,
    CurvePicture,
    DataFacts,
    Evaluation,
    ForecastPicture,
    Metric,
    NetFacts,
    Note,
    Picture,
    ResidualPicture,
    Run,
    RunFacts,
    ScatterPicture,
    Scores,
    Verdict,
)

COMMAND = "unrolled train prices.csv --target Close"


def metric(name: str, value: float, spread: float = 0.06, better: Any = "lower") -> Metric:
    return Metric(name=name, value=value, low=value * (1 - spread), high=value * (1 + spread), better=better)


def scores(name: str, **values: float) -> Scores:
    rising = {"accuracy", "macro_f1", "average_precision", "recall", "r2"}
    return Scores(
        name=name,
        metrics=tuple(
            metric(key, value, better="higher" if key in rising else "lower") for key, value in values.items()
        ),
    )


def verdict(level: Any, en: str, zh: str) -> Verdict:
    return Verdict(level=level, code="test", en=en, zh=zh)


def make_run(task: str, evaluation: Evaluation, target: str, **changes: Any) -> Run:
    """A run around an evaluation; ``changes`` replace whole fields of ``Run``."""
    columns = (
        {"name": "Date", "role": "time", "kind": "time", "missing": 0.0},
        {"name": target, "role": "target", "kind": "number", "missing": 0.0, "low": 75.1, "high": 259.02},
        {"name": "Volume", "role": "feature", "kind": "number", "missing": 0.0123},
        {"name": "节假日", "role": "known", "kind": "category", "missing": 0.0},
    )
    data = DataFacts(
        source="prices.csv",
        rows=2766,
        series=1,
        length=(2766, 2766, 2766),
        columns=columns,
        frequency="1 day",
        span=("2014-01-02", "2024-12-31"),
        parts={"train": 1936, "valid": 277, "test": 553},
        fingerprint="sha256:9f2a11c07b54",
        notes=(
            Note(code="encoding", en="The file is UTF-8 with a byte order mark.", zh="文件编码为带 BOM 的 UTF-8。"),
            Note(
                code="irregular_time",
                level="warning",
                en="Time stamps are irregular: 612 gaps of more than 1 day (weekends). Rows were taken as steps.",
                zh="时间戳不规则：612 处间隔超过 1 天（周末）。按行作为步长处理。",
            ),
        ),
    )
    net = NetFacts(
        spec=[{"lstm": {"size": 64, "layers": 2, "dropout": 0.1}}, {"linear": {}}],
        layers=(("lstm", "(B, 64, 64)", 50_688), ("last", "(B, 64)", 0), ("linear", "(B, 1, 1, 1)", 65)),
        parameters=50_753,
        bytes=203_012,
    )
    facts = RunFacts(
        name="steady-lark",
        task=task,
        target=(target,),
        command=COMMAND,
        created="2026-03-04T09:15:22+00:00",
        seconds=207.4,
        epochs=40,
        best_epoch=31,
        environment={"unrolled": "0.1.0", "python": "3.11.9", "torch": "2.13.0", "machine": "2 cores"},
        assumptions=(
            Note(code="time_column", en="Column “Date” is the time.", zh="“Date”列作为时间。"),
            Note(code="horizon", en="One step ahead is predicted.", zh="预测未来一步。"),
        ),
    )
    config = {
        "task": task,
        "data": {"target": [target], "split": {"by": "time", "shares": (0.7, 0.1, 0.2)}},
        "net": net.spec,
        "train": {"optimiser": "adam", "learning_rate": 0.001, "epochs": 40, "seed": 7},
    }
    parts = {"facts": facts, "data": data, "net": net, "config": config, "curves": curves(), "evaluation": evaluation}
    return Run(**(parts | changes))


def curves(epochs: int = 40, floor: float = 0.11) -> tuple[dict[str, float], ...]:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.01, (epochs, 3))
    return tuple(
        {
            "epoch": float(at + 1),
            "train_loss": floor + 0.9 * math.exp(-at / 7) + abs(noise[at, 0]),
            "valid_loss": floor + 0.03 + 0.95 * math.exp(-at / 6) + abs(noise[at, 1]) + max(0, at - 31) * 0.004,
            "valid_rmse": 3.1 + 9 * math.exp(-at / 6) + abs(noise[at, 2]),
            "grad_norm": 0.4 + 2 * math.exp(-at / 5) + 10 * abs(noise[at, 2]),
            "clip_rate": max(0.0, 0.6 * math.exp(-at / 6) + noise[at, 0]),
            "lr": 1e-3 * 0.9 ** (at // 10),
            "seconds": 5.0 * at,
        }
        for at in range(epochs)
    )


def forecast_pictures(steps: int = 300) -> tuple[Picture, ...]:
    rng = np.random.default_rng(1)
    truth = 180 + np.cumsum(rng.normal(0, 2.5, steps)) + 12 * np.sin(np.arange(steps) / 18)
    guess = np.r_[truth[0], truth[:-1]] + rng.normal(0, 1.0, steps)
    days = np.datetime64("2023-10-02") + np.arange(steps)
    errors = truth - guess
    counts, edges = np.histogram(errors, bins=21)
    picture = ForecastPicture(
        target="Close",
        series="AAPL",
        time=tuple(f"{day}T00:00:00" for day in days),
        truth=(*map(float, truth[:-5]), None, *map(float, truth[-4:])),
        forecast=tuple(map(float, guess)),
        low=tuple(map(float, guess - 5.5)),
        high=tuple(map(float, guess + 5.5)),
    )
    residual = ResidualPicture(
        target="Close",
        step_error=tuple(2.4 * math.sqrt(step + 1) for step in range(12)),
        edges=tuple(map(float, edges)),
        counts=tuple(map(int, counts)),
    )
    return picture, residual


def forecast_run() -> Run:
    evaluation = Evaluation(
        task="forecast",
        part="test",
        count=553,
        model=scores("model", rmse=3.298, mae=2.41, mase=0.991, smape=1.32, crps=1.71),
        baselines=(
            scores("persistence", rmse=3.315, mae=2.39, mase=1.0, smape=1.33),
            scores("seasonal_naive", rmse=6.92, mae=5.4, mase=2.25, smape=2.9),
            scores("linear", rmse=3.341, mae=2.47, mase=1.03, smape=1.36),
        ),
        verdict=verdict(
            "fair",
            "The forecast is about as good as repeating the last value: RMSE 3.298 against 3.315, intervals overlap.",
            "预测与重复最后一个值大致相当：RMSE 为 3.298，对照为 3.315，区间重叠。",
        ),
        notes=(
            Note(
                code="copies_last",
                level="warning",
                en="The forecast follows the last value with a lag of one step.",
                zh="预测值滞后一步跟随最后一个值。",
            ),
        ),
        pictures=forecast_pictures(),
    )
    return make_run("forecast", evaluation, "Close")


def confusion(classes: tuple[str, ...], seed: int = 0) -> ConfusionPicture:
    rng = np.random.default_rng(seed)
    size = len(classes)
    counts = rng.poisson(1.5, (size, size)) + np.diag(rng.integers(30, 300, size))
    right = np.diag(counts)
    precision, recall = right / counts.sum(0), right / counts.sum(1)
    return ConfusionPicture(
        classes=classes,
        counts=tuple(tuple(map(int, row)) for row in counts),
        precision=tuple(map(float, precision)),
        recall=tuple(map(float, recall)),
        f1=tuple(map(float, 2 * precision * recall / (precision + recall))),
    )


def classify_run(classes: tuple[str, ...] = ("N", "S", "V", "F", "Q")) -> Run:
    bins = tuple((at + 0.5) / 10 for at in range(10))
    evaluation = Evaluation(
        task="classify",
        part="test",
        count=4500,
        model=scores("model", accuracy=0.947, macro_f1=0.71, log_loss=0.21),
        baselines=(scores("majority", accuracy=0.584, macro_f1=0.148, log_loss=1.1),),
        verdict=verdict(
            "good",
            "The model is right in 94.7 % of cases, far above always answering the most frequent class (58.4 %).",
            "模型正确率为 94.7 %，远高于总是回答最常见类别（58.4 %）。",
        ),
        pictures=(
            confusion(classes),
            CurvePicture(
                name="calibration",
                x_label="probability",
                y_label="share",
                x=bins,
                lines={"model": tuple(x**1.15 for x in bins)},
            ),
        ),
    )
    return make_run("classify", evaluation, "类别 label")


def regress_run() -> Run:
    rng = np.random.default_rng(5)
    truth = rng.uniform(5, 125, 600)
    predicted = truth + rng.normal(0, 11, 600)
    evaluation = Evaluation(
        task="regress",
        part="test",
        count=100,
        model=scores("model", rmse=13.2, mae=9.8, r2=0.87),
        baselines=(scores("mean", rmse=41.5, mae=35.9, r2=0.0), scores("linear", rmse=18.4, mae=14.2, r2=0.75)),
        verdict=verdict("good", "The model beats every baseline clearly.", "模型明显优于所有基线。"),
        pictures=(
            ScatterPicture(target="RUL", truth=tuple(map(float, truth)), predicted=tuple(map(float, predicted))),
        ),
    )
    return make_run("regress", evaluation, "RUL")


def failure_run() -> Run:
    recall = np.linspace(0, 1, 200)
    precision = 1 - 0.75 * recall**4
    evaluation = Evaluation(
        task="failure",
        part="test",
        count=3120,
        model=scores("model", average_precision=0.81, recall=0.77, brier=0.04),
        baselines=(scores("logistic", average_precision=0.83, recall=0.78, brier=0.05),),
        verdict=verdict("poor", "Logistic regression does as well or better.", "逻辑回归与模型相当或更好。"),
        pictures=(
            CurvePicture(
                name="precision_recall",
                x_label="recall",
                y_label="precision",
                x=tuple(map(float, recall)),
                lines={"model": tuple(map(float, precision))},
            ),
            confusion(("fails", "works")),
        ),
    )
    return make_run("failure", evaluation, "fails within 30")


RUNS: dict[str, Callable[[], Run]] = {
    "forecast": forecast_run,
    "classify": classify_run,
    "regress": regress_run,
    "failure": failure_run,
}
