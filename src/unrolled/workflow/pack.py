"""What a job leaves behind: the bundle and the record of the run."""

from __future__ import annotations

import platform
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

from unrolled import __version__
from unrolled.cells.carried import carry
from unrolled.core.bundle import Bundle, Manifest
from unrolled.core.records import DataFacts, Evaluation, NetFacts, Note, Run, RunFacts
from unrolled.nets import Net, Pretext, Recurrent
from unrolled.nets.custom import CustomNet
from unrolled.prepare.decoding import Decoding
from unrolled.prepare.preprocess import Preprocessor
from unrolled.tasks import Task
from unrolled.train import FitResult
from unrolled.workflow.config import Config
from unrolled.workflow.source import Source


def to_bundle(
    config: Config,
    source: Source,
    task: Task,
    net: Net | CustomNet | Pretext,
    preprocessor: Preprocessor,
    decoding: Decoding | None,
) -> Bundle:
    """Everything a prediction needs, as data; of a pretraining, what a job that starts from it needs."""
    facts = source.facts
    read = {} if decoding is None else {"decoding": decoding.model_dump(mode="json")}
    waits = () if isinstance(net, Pretext) else net.streamable()
    layers = [] if isinstance(net, CustomNet) else [layer for layer in net.modules() if isinstance(layer, Recurrent)]
    carried = carry((layer.cell, layer.hidden_size) for layer in layers)
    state = net.encoder_state() if isinstance(net, Pretext) else net.state_dict()
    manifest = Manifest(
        task=task.name,
        settings={
            "task": task.settings.model_dump(mode="json"),
            **read,
            "window": config.data.window,
            "schema": source.schema.model_dump(mode="json"),
            "options": source.options,
            "obstacles": [note.model_dump(mode="json") for note in waits],
            **({"cells": carried} if carried else {}),
        },
        preprocessing=preprocessor.to_json(),
        net=None if isinstance(net, CustomNet) else net.spec.dump(),
        custom=net.path if isinstance(net, CustomNet) else None,
        inputs=preprocessor.inputs().model_dump(mode="json"),
        outputs=task.outputs(preprocessor.schema).model_dump(mode="json"),
        plan=net.plan().model_dump(mode="json") if isinstance(net, Net) else None,
        data={"fingerprint": facts.fingerprint, "rows": facts.rows, "series": facts.series},
        versions=environment(),
        created=_now(),
    )
    weights = {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}
    return Bundle(manifest=manifest, weights=weights)


def with_metrics(bundle: Bundle, evaluation: Evaluation) -> Bundle:
    """The bundle with the figures of its evaluation."""
    figures = {metric.name: metric.value for metric in evaluation.model.metrics if np.isfinite(metric.value)}
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"metrics": figures}))


def to_record(
    config: Config,
    source: Source,
    task: Task,
    net: NetFacts,
    result: FitResult,
    evaluation: Evaluation,
    *,
    name: str,
    facts: DataFacts,
    notes: tuple[Note, ...],
    seconds: float,
) -> Run:
    """What the report and a comparison read."""
    return Run(
        facts=RunFacts(
            name=name,
            task=task.name,
            target=tuple(column.name for column in source.schema.of_role("target")),
            command=_command(),
            created=_now(),
            seconds=seconds,
            epochs=result.epochs,
            best_epoch=result.best_epoch,
            environment=environment(),
            assumptions=notes,
        ),
        data=facts,
        net=net,
        config=config.model_dump(mode="json"),
        curves=result.rows,
        evaluation=evaluation,
    )


def environment() -> dict[str, str]:
    """Versions and machine, for the report and the bundle."""
    found = {"unrolled": __version__, "python": platform.python_version(), "torch": torch.__version__}
    for package in ("numpy", "polars", "lightning-fabric"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {**found, "machine": f"{platform.system()} {platform.machine()}", "threads": str(torch.get_num_threads())}


def _command() -> str:
    """What was typed, where the job was started by the command."""
    program = Path(sys.argv[0])
    own = program.stem == "unrolled" or (program.name == "__main__.py" and program.parent.name == "unrolled")
    return shlex.join(["unrolled", *sys.argv[1:]]) if own else ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
