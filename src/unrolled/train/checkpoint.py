"""All that a killed run needs to go on with the same numbers, in one file that holds data and no code."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from unrolled.core.errors import TrainingError
from unrolled.core.files import atomic_file
from unrolled.train.settings import TrainSettings

FILE = "checkpoint.pt"
_FORMAT = 1

_LAYERWISE = ("layers", "layer_decay", "thaw_epochs")
# Options that the saved state depends on; the others may change between two parts of a run.
_FIXED = ("batch_size", "accumulate", "optimizer", "averaging", "precision", "seed", "freeze", *_LAYERWISE)


def write(folder: Path, settings: TrainSettings, state: dict[str, Any], fabric: Fabric) -> None:
    """Save ``state`` and the random numbers of all processes; every process must call this.

    Raises:
        UnrolledError: the folder cannot be written, or the disk is full.
    """
    generators = _gathered(_generators())
    if not fabric.is_global_zero:
        return
    content = {"format": _FORMAT, "settings": settings.model_dump_json(), "generators": generators, **state}
    with atomic_file(folder / FILE) as handle:
        torch.save(content, handle)


def read(folder: Path, settings: TrainSettings) -> dict[str, Any] | None:
    """The saved state, or None where none was saved.

    Raises:
        TrainingError: the file is damaged, too new, or of a run with other settings.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        version, before = content["format"], TrainSettings.model_validate_json(content["settings"])
    except Exception as error:  # a damaged file can break the loader in any way
        raise misfit(path, "this is not a whole checkpoint of a training run") from error
    if version != _FORMAT:
        raise misfit(path, f"this checkpoint has format {version}, this version reads {_FORMAT}")
    for name in _FIXED:
        then, now = getattr(before, name), getattr(settings, name)
        if then != now:
            raise misfit(path, f"the run was begun with {name} {then}, and is to go on with {now}")
    return dict(content)


def clean(folder: Path, *, keep: bool) -> None:
    """Remove what a killed process left unfinished, and the checkpoint itself unless it is to ``keep``."""
    for path in folder.glob(f".{FILE}.*"):
        path.unlink(missing_ok=True)
    if not keep:
        (folder / FILE).unlink(missing_ok=True)


def misfit(path: Path, what: str) -> TrainingError:
    """The error of a checkpoint that does not fit the run."""
    return TrainingError(what, where=str(path), mend="use the settings of that run, or train anew without --resume")


def restore_generators(generators: list[dict[str, Any]], fabric: Fabric) -> None:
    """Set this process's random numbers to those saved.

    Raises:
        ValueError: the run had another number of processes.
    """
    if len(generators) != fabric.world_size:
        raise ValueError(f"{len(generators)} processes")
    own = generators[fabric.global_rank]
    version, words, gauss = own["python"]
    random.setstate((version, tuple(words), gauss))
    name, key, *rest = own["numpy"]
    np.random.set_state((name, key.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(own["torch"])
    if own["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(own["cuda"])


def _generators() -> dict[str, Any]:
    """State of every random number generator of this process, in types that need no code to load."""
    version, words, gauss = random.getstate()
    name, key, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": [version, list(words), gauss],
        "numpy": [name, torch.from_numpy(np.asarray(key, dtype=np.int64)), position, has_gauss, cached],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _gathered(own: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry for each process."""
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return [own]
    all_of_them: list[dict[str, Any]] = [{} for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather_object(all_of_them, own)
    return all_of_them
