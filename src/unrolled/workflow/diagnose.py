"""A look inside the net of a run or a bundle, on data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from unrolled.core.bundle import Bundle
from unrolled.core.diagnosis import Diagnosis
from unrolled.core.errors import ConfigError
from unrolled.core.files import write_text
from unrolled.core.records import Language
from unrolled.data import Batch, Batches, whole
from unrolled.diagnose import examine
from unrolled.nets import Net
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.program.shapes import Inputs, Outputs
from unrolled.report import diagnosis as page
from unrolled.tasks import Forecast, Task
from unrolled.workflow.job import prepare
from unrolled.workflow.model import Model
from unrolled.workflow.predict import open_bundle
from unrolled.workflow.run_folder import RunFolder

_SAMPLES, _BATCH = 512, 128


class _Material(NamedTuple):
    """Samples, and what turns them into batches."""

    task: Task
    preprocessor: Preprocessor
    series: Series
    samples: Samples
    source: str

    def batches(self) -> list[Batch]:
        """At most 512 samples, evenly spaced over all of them."""
        chosen = np.unique(np.linspace(0, len(self.samples) - 1, min(_SAMPLES, len(self.samples))).astype(np.int64))
        return list(Batches(self.preprocessor, self.series, self.samples[chosen], batch_size=_BATCH))


def diagnose(source: Path | str | Bundle, data: Any = None, **options: Any) -> Diagnosis:
    """Look inside a trained net.

    Args:
        source: folder of a run, bundle file, or bundle in memory.
        data: with the truth in it; by default the part of a run's own data that it was validated on.
        options: of the reader.

    Raises:
        UnrolledError: bundle and data do not fit, there is no data, or the net is a user's own module.
    """
    bundle = open_bundle(source)
    net = _net(bundle, str(source) if not isinstance(source, Bundle) else "bundle")
    material = _own(source) if data is None else _given(bundle, data, options)
    batches = material.batches()
    inputs = net.inputs
    findings = examine(
        net,
        batches,
        material.task.loss,
        columns=_columns(material.preprocessor, inputs),
        own=inputs.targets,
        classes=material.task.name in ("classify", "failure"),
        rows=_rows(source),
    )
    return Diagnosis(
        source="bundle" if isinstance(source, Bundle) else str(source),
        data=material.source,
        samples=sum(map(len, batches)),
        findings=findings,
    )


def write_diagnosis(found: Diagnosis, out: Path, language: Language) -> Path:
    """One HTML file, with the numbers beside it as JSON; returns the page."""
    write_text(out.with_suffix(".json"), found.model_dump_json(indent=1))
    write_text(out, page.render(found, language))
    return out


def _net(bundle: Bundle, where: str) -> Net:
    manifest = bundle.manifest
    if manifest.net is None:
        raise ConfigError(
            "its net is a module of your own, whose inside is not known",
            where=where,
            mend="call unrolled.diagnose.examine with the module in Python",
        )
    net = Net(manifest.net, Inputs.model_validate(manifest.inputs), Outputs.model_validate(manifest.outputs))
    net.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in bundle.weights.items()})
    return net.eval()


def _own(source: Path | str | Bundle) -> _Material:
    """The validation part of a run, otherwise its training part."""
    if isinstance(source, Bundle) or not Path(source).is_dir():
        raise ConfigError("there is no data to run the net on", where="DATA", mend="name a file with the truth in it")
    config = RunFolder.find(source).read_config()
    if config.data.path is None:
        raise ConfigError("this run's data was handed over in Python", where=str(source), mend="name a file as DATA")
    job = prepare(config, None, None)
    section = job.sections.get("valid", job.sections["train"])
    return _Material(
        job.task, job.preprocessor, section.series, section.samples, f"{config.data.path} ({section.name})"
    )


def _given(bundle: Bundle, data: Any, options: dict[str, Any]) -> _Material:
    model = Model.of(bundle)
    given = model.predictor.series(data, **options)
    series = model.task.derive(given)
    samples = model.task.samples(series, whole(series), window=model.window)
    preprocessor = model.preprocessor
    if isinstance(model.task, Forecast) and model.task.steps != preprocessor.horizon:
        preprocessor = Preprocessor.from_json({**preprocessor.to_json(), "horizon": model.task.steps})
    return _Material(model.task, preprocessor, series, samples, given.source)


def _columns(preprocessor: Preprocessor, inputs: Inputs) -> Sequence[str]:
    """Names of the columns of ``x``; those made of time and marks of missing values are numbered."""
    layout = preprocessor.layout
    names = [column.name for column in layout.numbers]
    rest = inputs.numbers - len(names)
    return [*names, *(f"input {len(names) + at + 1}" for at in range(rest)), *(column.name for column in layout.codes)]


def _rows(source: Path | str | Bundle) -> list[dict[str, float]]:
    if isinstance(source, Bundle):
        return []
    path = Path(source) / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
