"""A look inside the net of a run or a bundle, on data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import torch

from unrolled.core.bundle import Bundle
from unrolled.core.diagnosis import Diagnosis, Finding, ordered
from unrolled.core.errors import ConfigError, DataError
from unrolled.core.files import write_text
from unrolled.core.records import Language
from unrolled.data import Batch, Batches, whole
from unrolled.diagnose import examine
from unrolled.diagnose.losses import answers, by_sample
from unrolled.diagnose.rates import rate_range
from unrolled.diagnose.recording import Loss
from unrolled.nets import Net
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.report import diagnosis as page
from unrolled.tasks import Forecast
from unrolled.train import seed_everything
from unrolled.train.history import FILE
from unrolled.workflow.job import Job, prepare
from unrolled.workflow.model import Model
from unrolled.workflow.names import columns_of
from unrolled.workflow.predict import open_bundle
from unrolled.workflow.rebuilt import rebuilt, untrained
from unrolled.workflow.reply import Reply
from unrolled.workflow.run_folder import RunFolder
from unrolled.workflow.section import thinned
from unrolled.workflow.suspects import suspects
from unrolled.workflow.train import batches_of, first_net

_SAMPLES, _BATCH = 512, 128


class _Material(NamedTuple):
    """Samples to look at, and what turns them into batches."""

    preprocessor: Preprocessor
    series: Series
    samples: Samples
    source: str
    part: str = ""

    def batches(self) -> list[Batch]:
        return list(Batches(self.preprocessor, self.series, self.samples, batch_size=_BATCH))


def diagnose(source: Path | str | Bundle, data: Any = None, *, rates: bool = False, **options: Any) -> Diagnosis:
    """Look inside a trained net.

    Args:
        source: folder of a run, bundle file, or bundle in memory.
        data: with the truth in it; by default the part of a run's own data that it did not learn from: validation,
            else test, else the training part after all.
        rates: try a range of learning rates too, on the training part of a run.
        options: of the reader.

    Raises:
        UnrolledError: bundle and data do not fit, there is no data, or the net is a user's own module.
    """
    bundle = open_bundle(source)
    where = "bundle" if isinstance(source, Bundle) else str(source)
    net = rebuilt(bundle, where)
    model = Model.of(bundle, net)
    if rates and (isinstance(source, Bundle) or not Path(source).is_dir()):
        raise ConfigError(
            "learning rates are tried on the training part of a run", where="--lr-range", mend="name a run's folder"
        )
    job = _job(source) if data is None or rates else None
    material = _own(job) if data is None and job is not None else _given(model, data, options)
    before = _first(bundle, job, where)
    batches, task = material.batches(), model.task if job is None else job.task  # a job's knows its class weights
    learnt = [] if job is None else _learnt(job, material)
    findings = examine(
        net,
        batches,
        task.loss,
        columns=columns_of(model.preprocessor, net)["x"],
        own=net.inputs.targets,
        classes=model.task.name in ("classify", "failure"),
        rows=_rows(source),
        before=before,
        train=learnt,
        measured=len(model.preprocessor.layout.numbers),
        decoding=model.decoding,
    )
    more = [
        *_examples(model, net, task.loss, material, batches),
        *(_rates(job, before) if rates and job is not None else ()),
    ]
    return Diagnosis(
        source=where, data=material.source, samples=len(material.samples), findings=ordered([*findings, *more])
    )


def write_diagnosis(found: Diagnosis, out: Path, language: Language) -> Path:
    """One HTML file, with the numbers beside it as JSON and the pictures as SVG; returns the page."""
    write_text(out.with_suffix(".json"), found.model_dump_json(indent=1))
    for name, picture in page.drawings(found, language).items():
        write_text(out.with_name(f"{out.stem}-{name}.svg"), picture)
    write_text(out, page.render(found, language))
    return out


def _job(source: Path | str | Bundle) -> Job:
    """The data of a run, divided as it was."""
    if isinstance(source, Bundle) or not Path(source).is_dir():
        raise ConfigError("there is no data to run the net on", where="DATA", mend="name a file with the truth in it")
    config = RunFolder.find(source).read_config()
    if config.data.path is None:
        raise ConfigError("this run's data was handed over in Python", where=str(source), mend="name a file as DATA")
    return prepare(config, None, None)


def _own(job: Job) -> _Material:
    section = next(job.sections[name] for name in ("valid", "test", "train") if name in job.sections)
    data = job.config.data
    own = {"valid": data.valid, "test": data.test}.get(section.name)
    source = own or f"{data.path} ({section.name})"
    return _Material(job.preprocessor, section.series, thinned(section.samples, _SAMPLES), source, section.name)


def _learnt(job: Job, material: _Material) -> list[Batch]:
    """The training part, where another one is looked at."""
    section = job.sections["train"]
    if material.part == "train":
        return []
    return material._replace(series=section.series, samples=thinned(section.samples, _SAMPLES)).batches()


def _given(model: Model, data: Any, options: dict[str, Any]) -> _Material:
    given = model.predictor.series(data, **options)
    series = model.task.derive(given)
    samples = model.task.samples(series, whole(series), window=model.window)
    preprocessor = model.preprocessor
    if isinstance(model.task, Forecast) and model.task.steps != preprocessor.horizon:
        preprocessor = Preprocessor.from_json({**preprocessor.to_json(), "horizon": model.task.steps})
    return _Material(preprocessor, series, thinned(samples, _SAMPLES), given.source)


def _first(bundle: Bundle, job: Job | None, where: str) -> Net:
    """The net before training: of a run the very one, of a bundle one that starts as it may have."""
    if job is not None:
        net = first_net(job)[0]
        assert isinstance(net, Net)  # rebuilt refuses the others
        return net.eval()
    seed_everything(0)
    return untrained(bundle, where).eval()


def _examples(model: Model, net: Net, loss: Loss, material: _Material, batches: Sequence[Batch]) -> Iterator[Finding]:
    outputs = answers(net, batches)
    losses = by_sample(outputs, batches, loss)
    read = None if model.preprocessor.schema.every else torch.cat(outputs)
    yield from suspects(Reply(model, material.series, material.series), material.samples, read, losses)


def _rates(job: Job, before: Net) -> Iterator[Finding]:
    yield rate_range(deepcopy(before), batches_of(job, "train"), job.task.loss, job.settings)


def _rows(source: Path | str | Bundle) -> list[dict[str, float]]:
    if isinstance(source, Bundle):
        return []
    path = Path(source) / FILE
    if not path.is_file():
        return []
    lines = path.read_text("utf-8").split("\n")[
        :-1
    ]  # what follows the last line's end was cut off while it was written
    try:
        return [json.loads(line) for line in lines]
    except ValueError as error:
        raise DataError(
            f"a line of it is not JSON ({error})",
            where=str(path),
            mend="delete the file; the curves are then not judged",
        ) from error
