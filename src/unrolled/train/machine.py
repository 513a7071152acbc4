"""The device, the precision, the processes and the random numbers of a training run."""

from __future__ import annotations

import atexit
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision, Precision
from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.train.settings import TrainSettings


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's random numbers, on all devices."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def build_fabric(settings: TrainSettings) -> Fabric:
    """Fabric on the chosen device, over the processes that ``torchrun`` started (one when there is none).

    Raises:
        ConfigError: the device is absent, or cannot serve the precision.
    """
    device = _device(settings)
    processes = local = 1
    if torch.distributed.is_available() and torch.distributed.is_torchelastic_launched():
        processes, local = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    fabric = Fabric(
        accelerator=device,
        devices=local,
        num_nodes=processes // local,
        strategy="ddp" if processes > 1 else "auto",
        plugins=_precision(settings, device),
    )
    fabric.launch()
    if processes > 1:
        atexit.register(_leave)
    return fabric


def summed(fabric: Fabric, *values: float) -> list[float]:
    """Each value summed over all processes."""
    if fabric.world_size == 1:
        return list(values)
    total = fabric.all_reduce(torch.tensor(values, dtype=torch.float64, device=fabric.device), reduce_op="sum")
    return [float(value) for value in cast(Tensor, total)]


@contextmanager
def torch_options(settings: TrainSettings) -> Iterator[None]:
    """Threads and determinism as asked inside the block, as they were after it."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    benchmark = torch.backends.cudnn.benchmark
    if settings.threads:
        torch.set_num_threads(settings.threads)
    if settings.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic with this alone
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        torch.backends.cudnn.benchmark = benchmark


def _leave() -> None:
    """End the connection between processes: gloo's threads abort a process that exits with them running."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _device(settings: TrainSettings) -> str:
    available = torch.cuda.is_available()
    if settings.device == "cuda" and not available:
        raise ConfigError(
            "there is no CUDA device, or this torch was built without CUDA",
            where="device: cuda",
            mend="use device: cpu, or install a CUDA build of torch",
        )
    return "cuda" if settings.device == "auto" and available else settings.device.replace("auto", "cpu")


def _precision(settings: TrainSettings, device: str) -> Precision:
    match settings.precision:
        case "32":
            return Precision()
        case "bf16":
            return MixedPrecision("bf16-mixed", device)
        case "fp16":
            _refuse_fp16(device)
            return MixedPrecision("16-mixed", device)


def _refuse_fp16(device: str) -> None:
    if device == "cpu":
        raise ConfigError(
            "fp16 training needs a CUDA device, and this run is on the CPU",
            where="precision: fp16",
            mend="use precision: bf16 or 32",
        )
