"""What a job does where the user said nothing: chosen from the data, told as notes, kept in the run's config.

The figures come from measurements (``benchmarks/accuracy``), not from taste.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.data import Spans
from unrolled.evaluate.season import season_of
from unrolled.nets.presets import preset
from unrolled.prepare.pages import pieces
from unrolled.prepare.pairing import TOKEN
from unrolled.prepare.series import Column, Series
from unrolled.prepare.spelling import cut
from unrolled.prepare.tiles import LEAD
from unrolled.workflow.config import Config

_MOST_SAMPLES = 2_000_000  # windows indexed at once; more are thinned out
_FEW_SEQUENCES = 1000  # small batches below; for classes, weights of rare ones above
_STEPS = 320  # of the optimiser, where no validation part says when to stop
_CLASS_STEPS = 1000  # of the optimiser, for many labelled sequences; more learns their groups (patients) by heart
_FORECAST_STEPS = 1280  # of the optimiser, for forecasts of many steps; more only where the data is large
_MANY_AHEAD = 8  # steps from which a forecast has many
_MANY_SERIES = 50  # from which a larger net pays
_READ = 32  # steps that the recurrent layer of a classifier reads, about; convolutions thin out longer sequences
_LONGEST_PRETRAINED = 2000  # rows; a longer sequence is pretrained on in windows
_LIFE_STEPS = 800  # of the optimiser, on histories of machines; more only where the data is large
_LONGEST_WHOLE = 400  # rows of sequences that are answered step by step, from which on they are cut
_PIECE = 256  # rows of what they are cut into
_WARM_UP = 16  # rows without a score at the beginning of long sequences
_MANY_PIECES = 2000  # from which batches are larger
_TAG_STEPS = 2400  # of the optimiser, for tags
_STRING_STEPS = 2000  # of the optimiser, for strings of labels
_STEPS_A_LABEL = 8  # of the net, at least
_USUAL_STEPS = 1500  # of the optimiser, for what is usual
_USUAL_AHEAD = 8  # steps that are forecast of whole sequences at most, and one of so many steps there
_SESSION = 50  # items that a recommendation looks back on at most
_SESSION_STEPS = 700  # of the optimiser, on sessions, its rate falling to 0; after more it knows them by heart
_PAIR_STEPS = 2000  # of the optimiser, on pairs
_MANY_ITEMS = 10_000  # from which a loss over a few of them is faster
_DISTURBED: list[Any] = [{"dropout": {"rate": 0.2, "whole": True}}, {"noise": {"deviation": 0.5}}]
"""In front of a net that follows machines: few are seen, and it must not know each by heart."""


@dataclass(frozen=True)
class Choice:
    """Settings for one task, and why."""

    window: int | None = None
    net: list[Any] | str = ""
    task: dict[str, Any] | None = None
    train: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    notes: tuple[Note, ...] = ()


def complete(
    config: Config, task: str, series: Series, spans: Spans, *, validated: bool
) -> tuple[Config, tuple[Note, ...]]:
    """``config`` with every gap filled; what the user said stays.

    Args:
        config: as given.
        task: name of the task.
        series, spans: the training part.
        validated: there is a validation part.
    """
    choice = _CHOICES[task](config, series, spans, validated)
    given = config.model_dump(mode="json")
    data = {"window": choice.window, **(choice.data or {})}
    for key, value in data.items():
        if given["data"].get(key) in (None, "auto"):
            given["data"][key] = value
    if given["data"]["stride"] == 1 and task not in ("tag", "anomaly"):  # whose windows do not overlap
        rows = sum(end - begin for _, begin, end in spans)
        given["data"]["stride"] = max(1, -(-rows // _MOST_SAMPLES))
    given["task"] = {"name": task, **(choice.task or {}), **{k: v for k, v in config.task.items() if k != "name"}}
    given["train"] = {**(choice.train or {}), **config.train}
    if ":" in str(given["task"].get("loss", "")):
        given["train"].setdefault("monitor", "loss")  # the task's metric may want something else than the user's loss
    if config.net is None:
        given["net"] = choice.net
    return Config.parse(given), choice.notes


def before_reading(config: Config, task: str) -> Config:
    """``config`` with what must be known before the data is read: what the time stamps give.

    A forecast of many steps looks back on whole seasons, and its net reads them season by season: the hour and the
    weekday say nothing new there, and only add weights (measured on the validation parts of ETTh1 and M4 hourly).
    """
    if task == "recommend" and config.data.time_delta is None:  # the order of the items tells most of it
        return config.model_copy(update={"data": config.data.model_copy(update={"time_delta": False})})
    many = task == "forecast" and int(config.task.get("horizon") or 1) >= _MANY_AHEAD
    if not many or config.net is not None or config.data.calendar is not None:
        return config
    return config.model_copy(update={"data": config.data.model_copy(update={"calendar": ()})})


def _recommend(config: Config, series: Series, spans: Spans, validated: bool) -> Choice:
    window = min(_SESSION, int(series.lengths.max(initial=1)))
    large = len(series.of_role("target")[0].categories) > _MANY_ITEMS
    lessons = sum(-(-max(0, end - begin - 1) // window) for _, begin, end in spans)
    passes = int(np.clip(-(-_SESSION_STEPS // -(-max(1, lessons) // 64)), 8, 50))
    train: dict[str, Any] = {"epochs": passes, "patience": 3, "batch_size": 64, "learning_rate": 3e-3}
    return Choice(
        window=window,
        net=preset("recommend").layers(),
        task={"loss": "bpr_max" if large else "cross_entropy"},
        train=train | {"epoch_batches": 2000, "schedule": "cosine"},
        notes=_window_note(config, window),
    )


def _pairs(config: Config, series: Series, spans: Spans, validated: bool) -> Choice:
    batch = 16 if len(spans) < _FEW_SEQUENCES else 64
    passes = int(np.clip(-(-_PAIR_STEPS // -(-len(spans) // batch)), 8, 60))
    text = any(column.name == TOKEN for column in series.columns)
    train: dict[str, Any] = {"epochs": passes, "batch_size": batch, "learning_rate": 2e-3, "schedule": "cosine"}
    return Choice(
        net=preset("pairs").layers(),
        task={"least": 2} if text else {},
        train=train | {"patience": max(3, passes // 4)},
    )


def _forecast(config: Config, series: Series, spans: Spans, validated: bool) -> Choice:
    horizon = int(config.task.get("horizon") or 1)
    season = int(config.task.get("season") or season_of(series))
    room = max(end - begin for _, begin, end in spans) - horizon
    if room < 2:
        raise DataError(
            f"the longest series leaves {max(room, 0)} rows to look back on, before {horizon} rows to forecast",
            where=series.source,
            mend="choose a smaller --horizon, or give a longer history",
        )
    notes = []
    if "horizon" not in config.task:
        notes.append(
            Note(
                code="took_horizon",
                en="Forecasts 1 step ahead; choose another with --horizon.",
                zh="预测未来 1 步；可用 --horizon 修改。",
            )
        )
    long = horizon >= _MANY_AHEAD and room >= 3 * horizon
    if long:
        patch = season if 2 <= season <= min(horizon, 48) else max(2, min(24, horizon // 4))
        window = _multiple(max(3.5 * horizon, 7 * patch), patch)
        while window > patch and window > room // 2:
            window -= patch
        net: list[Any] = preset("forecast").layers(patch=patch, size=256 if len(series.ids) >= _MANY_SERIES else 128)
        data = {"scale_by": "series" if len(series.ids) > 1 else "column"}
        windows = sum(max(0, end - begin - window - horizon + 1) for _, begin, end in spans)
        passes = int(np.clip(-(-_FORECAST_STEPS // max(1, -(-windows // 64))), 10, 100))
        train: dict[str, Any] = {"epochs": passes, "batch_size": 64, "epoch_batches": 500, "schedule": "cosine"}
        train |= {"patience": max(5, passes // 4), "averaging": "ema"}
    else:
        window = min(max(30, 2 * season, 2 * horizon), max(2, room // 3))
        net = preset("forecast-one-step").layers()
        data = {"scale_by": "series" if len(series.ids) > 1 else "column"}
        train = {"epochs": 50, "batch_size": 32}
    task = {"horizon": horizon, "season": season, **({"loss": "mae"} if long else {})}
    return Choice(
        window=window, net=net, task=task, train=train, data=data, notes=(*notes, *_window_note(config, window))
    )


def _classify(config: Config, series: Series, spans: Spans, validated: bool) -> Choice:
    whole = all(column.level == "case" for column in series.of_role("target"))
    window = None if whole else _look_back(128, series, spans)
    few, steps = len(spans) < _FEW_SEQUENCES, window or int(np.median(series.lengths))
    stride = max(1, round((steps / _READ) ** 0.5))
    bent = few and stride > 1  # a short sequence has too few steps to bend, and each has its own meaning
    net = [*([{"augment": {"warp": 0.2}}] if bent else []), *preset("classify").layers(stride=stride)]
    train: dict[str, Any] = {"optimizer": "adamw", "schedule": "one_cycle", "learning_rate": 1e-3, "best_from": 0.75}
    if few:
        passes = int(np.clip(-(-_STEPS // -(-len(spans) // 16)), 30, 100)) * (2 if bent else 1)
        # A tenth of the sequences, as Ismail Fawaz et al. 2019: of three dozen, 16 at a time make too few steps.
        batch = int(np.clip(len(spans) // 10, 4, 16)) if whole else 16
        train |= {"epochs": 40 if validated else passes, "patience": 20, "batch_size": batch}
    else:
        train |= {"epochs": int(np.clip(-(-_CLASS_STEPS // -(-len(spans) // 128)), 3, 10)), "batch_size": 128}
    if series.of_role("static"):
        net[-1] = {"linear": {"hidden": [64], "dropout": 0.3}}
    return Choice(
        window=window,
        net=net,
        task={} if few else {"class_weights": "root"},
        train=train,
        notes=() if whole else _window_note(config, window),
    )


def _regress(config: Config, series: Series, spans: Spans, validated: bool) -> Choice:
    target = series.of_role("target")[0]
    window = None if target.level == "case" else _look_back(50, series, spans)
    task: dict[str, Any] = {}
    notes: list[Note] = []
    life = _is_life(series)
    if life and "cap" not in config.task:
        task["cap"] = 125
        notes.append(
            Note(
                code="took_cap",
                en=f"'{target.name}' counts down to a failure: it is capped at 125 steps in training, as is usual; "
                "change it with --set task.cap=...",
                zh=f"“{target.name}”是剩余寿命：训练时按惯例截断为 125 步；可用 --set task.cap=... 修改。",
            )
        )
    large = target.level == "row" or len(spans) >= _FEW_SEQUENCES
    train: dict[str, Any] = {"epochs": 30 if large else 100, "batch_size": 128 if large else 16, "schedule": "cosine"}
    train |= {"learning_rate": 2e-3} if large else {"patience": 15}
    if life:
        train = _until_it_fails(window or 1, spans)
    return Choice(
        window=window,
        net=[*(_DISTURBED if life else []), *preset("regress").layers()],
        task=task,
        train=train,
        notes=(*notes, *(_window_note(config, window) if window else ())),
    )


def _failure(config: Config, series: Series, spans: Spans, validated: bool) -> Choice:
    window = _look_back(50, series, spans)
    horizon = int(config.task.get("horizon") or 30)
    return Choice(
        window=window,
        net=[*_DISTURBED, *preset("failure").layers()],
        task={"horizon": horizon},
        train=_until_it_fails(window, spans),
        notes=_window_note(config, window),
    )


def _pretrain(config: Config, series: Series, spans: Spans, validated: bool) -> Choice:
    """The layers of a classifier, without what bends time; those that look back only where the next step is asked."""
    lengths = [end - begin for _, begin, end in spans]
    window = None if max(lengths) <= _LONGEST_PRETRAINED else _look_back(128, series, spans)
    stride = max(1, round(((window or int(np.median(lengths))) / _READ) ** 0.5))
    ahead = config.task.get("kind") == "next"
    net = preset("pretrain").layers() if ahead else preset("classify").layers(stride=stride)
    train: dict[str, Any] = {"epochs": 100, "batch_size": 64, "patience": 10, "optimizer": "adamw"}
    train |= {"epoch_batches": 500, "schedule": "cosine", "best_from": 0.5}
    return Choice(window=window, net=net, train=train, notes=_window_note(config, window) if window else ())


def _tag(config: Config, series: Series, spans: Spans, validated: bool) -> Choice:
    window = _piece(series)
    pieces = sum(-(-(end - begin) // (window or end - begin)) for _, begin, end in spans)
    batch = 16 if pieces < _MANY_PIECES else 32
    train: dict[str, Any] = {"batch_size": batch, "learning_rate": 2e-3, "schedule": "cosine", "averaging": "ema"}
    train |= {"epochs": int(np.clip(-(-_TAG_STEPS // -(-pieces // batch)), 10, 60))}
    return Choice(
        window=window,
        net=preset("tag").layers(),
        train=train | {"patience": train["epochs"]},
        notes=_window_note(config, window) if window else (),
    )


def _ctc(config: Config, series: Series, spans: Spans, validated: bool) -> Choice:
    """Steps are thinned out where there are many for each label, so that training is fast and labels lie close."""
    column = series.of_role("target")[0]
    assert column.spelling is not None
    cells = series.cases[[span[0] for span in spans], series.index(column)]
    labels = [len(cut(column.categories[int(cell)], column.spelling)) if np.isfinite(cell) else 0 for cell in cells]
    room = [(end - begin) / max(1, count) for (_, begin, end), count in zip(spans, labels, strict=True)]
    stride = int(np.clip(min(float(np.median(room)) // _STEPS_A_LABEL, min(room) // 2), 1, 4))
    batch = 16 if len(spans) < _FEW_SEQUENCES else 32
    passes = int(np.clip(-(-_STRING_STEPS // -(-len(spans) // batch)), 8, 80))
    train: dict[str, Any] = {"epochs": passes, "batch_size": batch, "learning_rate": 3e-3, "schedule": "one_cycle"}
    train |= {"optimizer": "adamw", "monitor": "loss", "patience": passes, "best_from": 0.5}
    return Choice(net=preset("ctc").layers(stride=stride), train=train)


def _anomaly(config: Config, series: Series, spans: Spans, validated: bool) -> Choice:
    target = next(iter(series.of_role("target")), None)
    window = None if target is not None and target.level == "case" else _piece(series)
    pieces = sum(-(-(end - begin) // (window or end - begin)) for _, begin, end in spans)
    batch = int(np.clip(pieces // 32, 4, 128))
    train: dict[str, Any] = {"batch_size": batch, "learning_rate": 2e-3, "schedule": "cosine", "epoch_batches": 500}
    train |= {"epochs": int(np.clip(-(-_USUAL_STEPS // min(500, -(-pieces // batch))), 8, 100))}
    task, notes = _usual(config, series, spans, target)
    if target is not None and target.level == "case" and config.task.get("score") != "reconstruction":
        task["horizon"] = int(np.clip(np.median(series.lengths) // _USUAL_AHEAD, 1, _USUAL_AHEAD))
    if window is not None:
        task["warm_up"] = min(_WARM_UP, (config.data.window or window) // LEAD)
    return Choice(
        window=window,
        net=preset("autoencoder" if config.task.get("score") == "reconstruction" else "anomaly").layers(),
        task=task,
        train=train | {"patience": max(5, train["epochs"] // 4)},
        notes=(*notes, *(_window_note(config, window) if window else ())),
    )


def _usual(
    config: Config, series: Series, spans: Spans, target: Column | None
) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The label that stands for usual rows or sequences: the most frequent one of the training part."""
    if target is None or config.task.get("normal"):
        return {}, ()
    at = series.index(target)
    counts = np.zeros(len(target.categories), dtype=np.int64)
    for sequence, begin, end in spans:
        codes = series.values[begin:end, at] if target.level == "row" else series.cases[sequence : sequence + 1, at]
        counts += np.bincount(codes[np.isfinite(codes)].astype(np.int64), minlength=len(counts))
    label = target.categories[int(counts.argmax())]
    return {"normal": [label]}, (
        Note(
            code="took_normal",
            en=f"Took the label {label!r} of '{target.name}' as usual, being the most frequent, and learns from "
            "nothing else; choose with --set task.normal=...",
            zh=f"将“{target.name}”中最常见的标签“{label}”视为正常，仅用这些数据训练；可用 --set task.normal=... 修改。",
        ),
    )


def _piece(series: Series) -> int | None:
    """Rows of the pieces that long sequences are cut into; None where all are short enough to be read as they are."""
    return _PIECE if int(series.lengths.max(initial=0)) > _LONGEST_WHOLE else None


def _until_it_fails(window: int, spans: Spans) -> dict[str, Any]:
    """Training on histories of machines: their windows are many and alike, so a few passes with averaged weights."""
    windows = sum(max(1, end - begin - window + 1) for _, begin, end in spans)
    passes = int(np.clip(-(-_LIFE_STEPS // -(-windows // 128)), 8, 100))
    train = {"epochs": passes, "patience": passes, "batch_size": 128, "epoch_batches": 1000, "schedule": "cosine"}
    return train | {"learning_rate": 2e-3, "averaging": "ema", "ema_decay": 0.99}


def _look_back(most: int, series: Series, spans: Spans) -> int:
    """Rows of a window: those of a typical sequence, or half of the training part of a single one."""
    rows = int(np.median(series.lengths)) if len(series.ids) > 1 else max(end - begin for _, begin, end in spans) // 2
    return max(1, min(most, rows))


def _window_note(config: Config, window: int | None) -> tuple[Note, ...]:
    if config.data.window is not None:
        return ()
    return (
        Note(
            code="took_window",
            en=f"Each prediction looks back on {window} rows; choose another with --window.",
            zh=f"每次预测回看 {window} 行；可用 --window 修改。",
        ),
    )


def _multiple(length: float, of: int) -> int:
    return int(-(-length // of)) * of


def _is_life(series: Series) -> bool:
    """The target falls by one a row, in every sequence, and somewhere it is longer than 125."""
    column = series.of_role("target")[0]
    if column.level != "row" or column.kind != "number":
        return False
    longest, last = 0.0, np.float32(0)
    for begin, values in pieces(series.values[:, series.index(column)]):
        falls = np.diff(values, prepend=last) == -1
        heads = series.starts[(series.starts >= begin) & (series.starts < begin + len(values))]
        falls[heads - begin] = True
        if not falls.all():
            return False
        longest, last = max(longest, float(values.max())), values[-1]
    return longest > 125


_CHOICES: Mapping[str, Callable[[Config, Series, Spans, bool], Choice]] = {
    "anomaly": _anomaly,
    "classify": _classify,
    "ctc": _ctc,
    "failure": _failure,
    "forecast": _forecast,
    "pairs": _pairs,
    "pretrain": _pretrain,
    "recommend": _recommend,
    "regress": _regress,
    "tag": _tag,
}
