"""A bundle joined to its task: what an evaluation asks of a trained model.

Letters: n samples, S steps, M targets, V values of the net.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from unrolled.core.bundle import Bundle
from unrolled.prepare.arrays import Arrays
from unrolled.prepare.decoding import Decoding
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.runtime import Forward, Predictor
from unrolled.tasks import Task, make_task
from unrolled.workflow.predict import open_bundle

_CHUNK = 512  # samples at once

Values = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Model:
    """Implements ``evaluate.Fitted``."""

    task: Task
    predictor: Predictor

    @classmethod
    def of(cls, bundle: Bundle | Path | str, net: nn.Module | None = None) -> Model:
        """A bundle at work; ``net`` computes in the place of its plan (faster, and on the net's device)."""
        bundle = open_bundle(bundle)
        task = make_task(bundle.manifest.task, bundle.manifest.settings.get("task", {}), trusted=False)
        return cls(task, Predictor(bundle, None if net is None else torch_forward(net)))

    @property
    def decoding(self) -> Decoding:
        return self.predictor.settings.decoding

    @property
    def preprocessor(self) -> Preprocessor:
        return self.predictor.preprocessor

    @property
    def window(self) -> int | None:
        return self.predictor.settings.window

    def output(self, series: Series, samples: Samples) -> Values:
        """``(n, S, M, V)`` in model scale, or as ``decode.by_row`` makes it."""
        gathered = (self.preprocessor.arrays(series, chunk, truth=False) for chunk in chunks(samples, _CHUNK))
        return np.concatenate([self.predictor.output(arrays) for arrays in gathered])

    def compared(self, series: Series, samples: Samples) -> tuple[Values, Values]:
        """``(n, S, M, V)`` output and ``(n, S, M)`` or ``(n, M)`` truth, both in model scale; n may be that of rows."""
        gathered = (self.preprocessor.arrays(series, chunk) for chunk in chunks(samples, _CHUNK))
        parts = [(self.predictor.output(arrays), _known(arrays)) for arrays in gathered]
        output, truth = zip(*parts, strict=True)
        return np.concatenate(output), np.concatenate(truth)

    def invert(self, values: Values, series: Series, samples: Samples) -> Values:
        """Model scale to original units, in the shape of the truth."""
        return self.predictor.invert(values, series, samples)

    def truth(self, series: Series, samples: Samples) -> Values:
        """``(n, S, M)`` of a forecast, ``(n, M)`` otherwise, in original units or class codes."""
        truth = self.preprocessor.truth(series, samples)
        return truth if self.task.name == "forecast" else truth[:, 0]


def _known(arrays: Arrays) -> Values:
    """The truth of a batch, one row each where every step has an answer."""
    assert arrays.y is not None
    return arrays.y if arrays.answered is None else arrays.y[arrays.answered]


def chunks(samples: Samples, size: int) -> Iterator[Samples]:
    """Samples in order, so many at once."""
    return (samples[slice(at, at + size)] for at in range(0, len(samples), size))


def torch_forward(net: nn.Module) -> Forward:
    """A net as the runtime calls it: arrays in, arrays out, outside training."""
    device = next((parameter.device for parameter in net.parameters()), torch.device("cpu"))

    def tensor(array: npt.NDArray[Any] | None) -> torch.Tensor | None:
        return None if array is None else torch.from_numpy(array).to(device)

    def forward(
        x: npt.NDArray[Any],
        lengths: npt.NDArray[Any] | None = None,
        static: npt.NDArray[Any] | None = None,
        known: npt.NDArray[Any] | None = None,
    ) -> npt.NDArray[Any]:
        net.eval()
        with torch.inference_mode():
            answer = net(x=tensor(x), lengths=tensor(lengths), static=tensor(static), known=tensor(known))
        result: npt.NDArray[Any] = answer.float().cpu().numpy()
        return result

    return forward
