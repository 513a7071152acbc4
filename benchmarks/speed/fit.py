"""A whole fit: ETTh1's oil temperature, 24 hours ahead from 96, LSTM of 2 x 64, 300 steps of 64 windows.

Ours is the main job (``Forecaster``: reading the series, windows, training, validation, interval, bundle in memory);
against a plain torch loop, NeuralForecast and Darts with the same net size, steps, batch and optimiser. All see the
series scaled by the mean and deviation of the training part; the validation loss is the mean square error over all
windows of the validation part.

    python -m benchmarks.speed.fit [--data FOLDER] [THREADS ...]
"""

from __future__ import annotations

import argparse
import logging
import statistics
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from benchmarks.speed.measure import THREADS, clock, installed, write
from unrolled import Forecaster

_SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
_TRAIN, _VALID = 12 * 30 * 24, 4 * 30 * 24
_WINDOW, _HORIZON, _HIDDEN, _LAYERS, _BATCH, _STEPS, _RATE = 96, 24, 64, 2, 64, 300, 1e-3
_EPOCHS = 3  # of ours, so that no epoch ends before its steps are done; each is followed by a validation
_ROUNDS = 3

Array = npt.NDArray[Any]
Fit = Callable[[Array, int], tuple[float, float]]
"""``(series, seed) -> (seconds of the fit, validation loss)``."""


def main(folder: Path) -> None:
    """Measure all sides in turn and write the table."""
    warnings.simplefilter("ignore")
    for name in ("pytorch_lightning", "lightning", "darts", "neuralforecast"):
        logging.getLogger(name).setLevel(logging.ERROR)
    values = np.genfromtxt(str(folder / "ett" / "ETTh1.csv"), delimiter=",", skip_header=1, usecols=(7,))
    series = ((values - values[:_TRAIN].mean()) / values[:_TRAIN].std())[: _TRAIN + _VALID].astype(np.float32)
    sides: dict[str, Fit] = {"unrolled": _unrolled, "plain torch loop": _torch}
    sides |= {"NeuralForecast": _neuralforecast} if installed("neuralforecast") else {}
    sides |= {"Darts": _darts} if installed("darts") else {}
    lines = [f"threads  {'':18}{'seconds':>10}{'ratio':>8}{'loss':>10}"]
    for threads in THREADS:
        torch.set_num_threads(threads)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for seed in range(_ROUNDS):
            for name, side in sides.items():
                found[name].append(side(series, seed))
        medians = {name: [statistics.median(v) for v in zip(*pairs, strict=True)] for name, pairs in found.items()}
        for name, (seconds, loss) in medians.items():
            lines.append(f"{threads:7}  {name:18}{seconds:10.2f}{seconds / medians['unrolled'][0]:8.2f}{loss:10.4f}")
    title = f"A whole fit, ETTh1 OT, {_WINDOW} to {_HORIZON}, LSTM {_LAYERS} x {_HIDDEN}, {_STEPS} steps of {_BATCH}"
    write("fit", f"{title}; medians of {_ROUNDS} seeds", lines, ["neuralforecast", "darts"])


def _windows(series: Array) -> tuple[Array, Array]:
    """All windows of the validation part and what follows them."""
    both = sliding_window_view(series[_TRAIN - _WINDOW :], _WINDOW + _HORIZON)
    return both[:, :_WINDOW], both[:, _WINDOW:]


def _loss(predicted: Array, truth: Array) -> float:
    return float(np.mean((predicted - truth) ** 2))


def _unrolled(series: Array, seed: int) -> tuple[float, float]:
    model = Forecaster(
        _HORIZON,
        window=_WINDOW,
        net=[{"lstm": {"size": _HIDDEN, "layers": _LAYERS}}, "linear"],
        epochs=_EPOCHS,
        learning_rate=_RATE,
        valid=_VALID / len(series),
        random_state=seed,
        settings={
            "train": {
                "batch_size": _BATCH,
                "epoch_batches": _STEPS // _EPOCHS,
                "patience": None,
                "weight_decay": 0.0,
                "clip_norm": None,
                "schedule": "constant",
                "averaging": "none",
                "threads": torch.get_num_threads(),
            },
            "task": {"loss": "mse"},
        },
    )
    began = clock()()
    model.fit(series)
    seconds = clock()() - began
    x, truth = _windows(series)
    return seconds, _loss(model.predict(list(x.astype(np.float64))), truth)


class _Plain(nn.Module):
    """What one writes by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, _HIDDEN, _LAYERS, batch_first=True)
        self.head = nn.Linear(_HIDDEN, _HORIZON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.head(self.lstm(x)[0][:, -1])
        return y


def _torch(series: Array, seed: int) -> tuple[float, float]:
    torch.manual_seed(seed)
    began = clock()()
    windows = torch.from_numpy(series[:_TRAIN]).unfold(0, _WINDOW + _HORIZON, 1)
    model = _Plain()
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE)
    for _ in range(_STEPS):
        batch = windows[torch.randint(len(windows), (_BATCH,))]
        loss = nn.functional.mse_loss(model(batch[:, :_WINDOW, None]), batch[:, _WINDOW:])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    x, truth = _windows(series)
    with torch.no_grad():
        predicted = torch.cat([model(part) for part in torch.chunk(torch.tensor(x)[..., None], 4)])
    return clock()() - began, _loss(predicted.numpy(), truth)


def _neuralforecast(series: Array, seed: int) -> tuple[float, float]:
    library, models = import_module("neuralforecast"), import_module("neuralforecast.models")
    losses, pandas = import_module("neuralforecast.losses.pytorch"), import_module("pandas")
    hours = pandas.date_range("2016-07-01", periods=len(series), freq="h")
    frame = pandas.DataFrame({"unique_id": "OT", "ds": hours, "y": series})
    model = models.LSTM(
        h=_HORIZON,
        input_size=_WINDOW,
        encoder_n_layers=_LAYERS,
        encoder_hidden_size=_HIDDEN,
        encoder_dropout=0.0,
        decoder_layers=1,
        max_steps=_STEPS,
        val_check_steps=_STEPS,
        batch_size=1,
        windows_batch_size=_BATCH,
        learning_rate=_RATE,
        loss=losses.MSE(),
        random_seed=seed,
        **_QUIET,
    )
    forecaster = library.NeuralForecast([model], freq="h")
    began = clock()()
    forecaster.fit(frame[:_TRAIN])
    seconds = clock()() - began
    found = forecaster.cross_validation(
        frame, n_windows=None, test_size=_VALID, step_size=1, refit=False, use_init_models=False
    )
    return seconds, float(np.mean((found["LSTM"] - found["y"]) ** 2))


def _darts(series: Array, seed: int) -> tuple[float, float]:
    darts, models = import_module("darts"), import_module("darts.models")
    whole = darts.TimeSeries.from_values(series)
    model = models.BlockRNNModel(
        _WINDOW,
        _HORIZON,
        model="LSTM",
        hidden_dim=_HIDDEN,
        n_rnn_layers=_LAYERS,
        batch_size=_BATCH,
        n_epochs=100,
        optimizer_kwargs={"lr": _RATE},
        random_state=seed,
        pl_trainer_kwargs={"max_steps": _STEPS, **_QUIET},
    )
    began = clock()()
    model.fit(whole[:_TRAIN], verbose=False)
    seconds = clock()() - began
    x, truth = _windows(series)
    histories = [darts.TimeSeries.from_values(window) for window in x]
    predicted = model.predict(_HORIZON, series=histories, batch_size=1024, verbose=False)
    return seconds, _loss(np.stack([each.values()[:, 0] for each in predicted]), truth)


_QUIET = {
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
    "logger": False,
    "accelerator": "cpu",
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=_SHARED, help="folder of the data sets")
    parser.add_argument("threads", nargs="*", help="numbers of threads")
    main(parser.parse_args().data)
