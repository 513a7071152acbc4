"""Errors of training in words a user can act on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from unrolled.core.errors import ConfigError, DataError, DivergedError, MemoryUsedUpError, TrainingError
from unrolled.train import checkpoint
from unrolled.train.diagnosis import Evidence, likely_cause
from unrolled.train.fitting import Fitting
from unrolled.train.protocols import Batches
from unrolled.train.watch import NotFinite


def check_start(net: nn.Module, batches: Batches) -> None:
    """Refuse what cannot be trained.

    Raises:
        DataError: there is no batch.
        TrainingError: a weight is not finite.
    """
    if not len(batches):
        raise DataError("the training part has no sample", mend="give more data, or shorten the windows")
    for name, value in net.named_parameters():
        if not torch.isfinite(value).all():
            raise TrainingError(
                "the weights to begin with are not finite",
                where=name,
                mend="check where they come from: the warm start, or an initialisation of your own",
            )


def told(error: Exception, fitting: Fitting, parts: Mapping[str, Batches | None], folder: Path | None) -> Exception:
    """The error to raise in place of ``error``: itself where there is nothing better to say.

    ``parts`` are the batches of "training" and "validation".
    """
    if isinstance(error, NotFinite):
        return _not_finite(error, fitting, parts, folder)
    if memory_used_up(error):
        return out_of_memory(f"epoch {fitting.epoch + 1}, batch {fitting.batch + 1}")
    if isinstance(error, RuntimeError) and "deterministic" in str(error) and fitting.settings.deterministic:
        return ConfigError(
            f"this net uses an operation that has no deterministic form here: {str(error).splitlines()[0]}",
            where="deterministic",
            mend="set deterministic: false",
        )
    return error


def memory_used_up(error: Exception) -> bool:
    """Whether memory could not be had, of a device or of the machine; torch has no class of its own for the latter."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def out_of_memory(where: str) -> MemoryUsedUpError:
    """The error of a training that needs more memory than there is."""
    return MemoryUsedUpError(
        "the memory is used up",
        where=where,
        mend="use a smaller batch_size (accumulate keeps the product), shorter windows or a smaller net",
    )


def _not_finite(
    error: NotFinite, fitting: Fitting, parts: Mapping[str, Batches | None], folder: Path | None
) -> TrainingError:
    batches = parts[error.part]
    assert batches is not None  # the part that the value came from
    epoch = fitting.epoch if error.part == "training" else 0
    batch = next(batches.epoch(epoch, start=error.batch))
    others = batches.epoch(epoch)
    seen = Evidence(error.loss, error.norm, list(fitting.watch.recent), batch, others)
    cause = likely_cause(seen, fitting.settings)
    value = error.norm if math.isfinite(error.loss) else error.loss
    name = "norm of the gradient" if math.isfinite(error.loss) else f"{error.part} loss"
    kept = folder is not None and (folder / checkpoint.FILE).exists()
    return DivergedError(
        f"the {name} is {value}; the likely cause is {cause.what}",
        where=f"epoch {fitting.epoch + 1}, batch {error.batch + 1}",
        mend=cause.mend + (f". The last good checkpoint is kept in {folder}" if kept else ""),
    )
