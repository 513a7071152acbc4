"""How much there is: samples, lengths, channels, the step between rows, what is missing.

Letters: n samples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unrolled.advise.profile.material import Material
from unrolled.advise.profile.wording import fact
from unrolled.core.advice import Fact

_UNEVEN = 0.1  # of the median length: from there on lengths differ


def extent(material: Material) -> Iterator[Fact]:
    """Facts that are counted, not estimated."""
    yield _samples(material)
    yield _lengths(material)
    yield _channels(material)
    yield _sampling(material)
    yield _missing(material)


def independent(material: Material) -> int:
    """Samples that share no rows: sequences where each has one answer, else the windows that fit side by side."""
    targets = material.series.of_role("target")
    if targets and all(column.level == "case" for column in targets) and material.task.name != "anomaly":
        return len(np.unique(material.samples.series))
    window = max(1, int(np.median(material.samples.lengths))) + material.preprocessor.horizon
    fitting = sum(max(0, end - begin) // window for _, begin, end in material.spans)
    return max(fitting, len(np.unique(material.samples.series)))


def _samples(material: Material) -> Fact:
    figures = {
        "samples": float(len(material.samples)),
        "independent": float(independent(material)),
        "sequences": float(len(material.spans)),
        "rows": float(sum(end - begin for _, begin, end in material.spans)),
    }
    return fact("samples", "size", figures)


def _lengths(material: Material) -> Fact:
    """Steps that one answer reads: what rules call the length of sequences."""
    lengths = material.samples.lengths
    low, middle, high = (float(value) for value in np.percentile(lengths, (5, 50, 95)))
    figures = {"length": middle, "length_low": low, "length_high": high, "longest": float(lengths.max())}
    return fact("lengths_differ" if high - low > _UNEVEN * middle else "length", "size", figures)


def _channels(material: Material) -> Fact:
    layout = material.preprocessor.layout
    figures = {
        "channels": float(len(layout.numbers)),
        "categories": float(len(layout.codes)),
        "static": float(len(layout.static_numbers) + len(layout.static_codes)),
        "known": float(len(layout.known_numbers) + len(layout.known_codes)),
        "targets": float(len(layout.targets)),
    }
    figures["modalities"] = float(bool(layout.numbers)) + float(bool(layout.codes))
    return fact("channels", "size", figures)


def _sampling(material: Material) -> Fact:
    rhythm = material.schema.rhythm
    if rhythm is None:
        return fact("no_time", "time", {"irregular": 0.0})
    steps = max(1, sum(end - begin - 1 for _, begin, end in material.spans))
    figures = {"irregular": float(not rhythm.regular), "gaps": float(rhythm.gaps), "gap_share": rhythm.gaps / steps}
    code = "irregular" if not rhythm.regular else "gaps" if rhythm.gaps else "regular"
    return fact(code, "time", figures, step=str(rhythm))


def _missing(material: Material) -> Fact:
    """Share of the numbers of the inputs that are absent."""
    holes = total = 0
    for column in material.channels():
        for values in material.stretches(column):
            holes, total = holes + int(np.isnan(values).sum()), total + len(values)
    share = holes / total if total else 0.0
    return fact("missing" if holes else "complete", "time", {"missing": share})
