"""What looks too good: an input that gives the answer away, and samples that stand in two parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from unrolled.advise.profile.material import Material
from unrolled.advise.profile.wording import fact
from unrolled.core.advice import Fact
from unrolled.core.diagnosis import Finding
from unrolled.data import Batches
from unrolled.diagnose.leak import leak

_SAMPLES, _MOST = 512, 5000


def leaks(material: Material, held: Material | None) -> Iterator[Fact]:
    """The input that explains the truth best, and repeated samples of a part that is judged on."""
    if material.task.name in ("classify", "failure", "forecast", "regress"):
        yield _given_away(material)
    if held is not None:
        yield from _repeated(material, held)


def _given_away(material: Material) -> Fact:
    samples, inputs = material.samples, material.preprocessor.inputs()
    chosen = samples[np.unique(np.linspace(0, len(samples) - 1, min(_SAMPLES, len(samples))).astype(np.int64))]
    batches = list(Batches(material.preprocessor, material.series, chosen, batch_size=_SAMPLES))
    found: Finding = leak(batches, inputs.names, inputs.targets, material.classes)
    given = found.level == "broken"
    return Fact(
        code=found.code,
        topic="leak",
        said=found.said,
        method=found.cause,
        level="watch" if given else "fine",
        figures={"explained_by_one": found.figures["share"]},
    )


def _repeated(material: Material, held: Material) -> Iterator[Fact]:
    """Held-out samples whose rows are, value by value, those of a training sample."""
    if material.schema.forecast or material.task.name in ("recommend", "tag"):
        return  # windows along one series overlap on purpose; short sentences recur
    seen = set(_digests(material))
    own = list(_digests(held))
    share = sum(digest in seen for digest in own) / max(1, len(own))
    code = "repeated_samples" if share > 0 else "no_repeats"
    yield fact(code, "leak", {"repeated": share}, level="watch" if share > 0 else "fine")


def _digests(material: Material) -> Iterator[bytes]:
    samples, series = material.samples, material.series
    chosen = np.unique(np.linspace(0, len(samples) - 1, min(_MOST, len(samples))).astype(np.int64))
    places = [series.index(c) for c in series.row_columns if c.role not in ("target", "ignore")]
    for begin, end in zip(samples.begin[chosen], samples.end[chosen], strict=True):
        yield hashlib.blake2b(np.ascontiguousarray(series.values[begin:end, places]).tobytes(), digest_size=16).digest()
