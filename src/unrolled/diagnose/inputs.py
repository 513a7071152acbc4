"""What the net looks at: its inputs by column and by lag, and its attention.

Letters: B batch, T time, D inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from unrolled.core.diagnosis import Finding
from unrolled.core.records import BarPicture, CurvePicture
from unrolled.data import Batch
from unrolled.diagnose.attribution import average, integrated_gradients, outside_training
from unrolled.diagnose.figure import figure_of
from unrolled.diagnose.losses import taken
from unrolled.diagnose.wording import finding
from unrolled.nets import Net
from unrolled.prepare.decoding import AnomalyDecoding, Decoding
from unrolled.prepare.decoding import every as each_step

_ROWS = 12  # that are attributed
_BARS = 20
_IDLE = 0.005  # share of all contributions: five in a thousand
_MOST = 0.9
_FLAT = 0.99  # steps of equal weight that would spread as widely, over the steps there are


def inputs(net: Net, batches: Sequence[Batch], columns: Sequence[str], decoding: Decoding | None) -> Iterator[Finding]:
    """Mean absolute contributions (integrated gradients) of a few rows, and the mean attention."""
    if decoding is not None and not isinstance(decoding, AnomalyDecoding):
        yield _contributions(net, batches, columns, decoding)
    yield from _attention(net, batches)


def _contributions(net: Net, batches: Sequence[Batch], columns: Sequence[str], decoding: Decoding) -> Finding:
    """By column, those of one name together, and by lag."""
    rest = average(net, batches)
    by_column, by_lag = np.zeros(batches[0].x.shape[2]), np.zeros(max(batch.x.shape[1] for batch in batches))
    for row in _some(batches):
        time = row.x.shape[1] if row.lengths is None else int(row.lengths[0])
        with outside_training(net), torch.no_grad():
            output = net(**row.inputs())
        figure = figure_of(decoding, output, step=time - 1 if each_step(decoding) else None)
        found = integrated_gradients(net, row, figure.value, rest).x[0].abs().double()
        by_column += found.sum(0).numpy()
        by_lag[:time] += found[:time].sum(1).flip(0).numpy()
    total = by_column.sum() or 1.0
    named: dict[str, float] = {}
    for at, share in enumerate(by_column / total):
        name = columns[at] if at < len(columns) else str(at)
        named[name] = named.get(name, 0.0) + float(share)
    ranked = sorted(named.items(), key=lambda item: -item[1])
    idle = [name for name, share in ranked if share < _IDLE]
    reached = int(np.searchsorted(np.cumsum(by_lag) / (by_lag.sum() or 1.0), _MOST)) + 1
    first, share = ranked[0]
    pictures: list[BarPicture | CurvePicture] = [
        BarPicture(
            name="contribution_by_column",
            y_label="contribution",
            labels=tuple(name for name, _ in ranked[:_BARS]),
            values=tuple(value for _, value in ranked[:_BARS]),
        ),
        CurvePicture(
            name="contribution_by_lag",
            x_label="lag",
            y_label="contribution",
            x=tuple(map(float, range(len(by_lag)))),
            lines={"all_inputs": tuple((by_lag / (by_lag.sum() or 1.0)).tolist())},
        ),
    ]
    figures = {"share": share, "reached": float(reached), "steps": float(len(by_lag)), "idle": float(len(idle))}
    unused = ", ".join(map(repr, idle[:5])) + (", ..." if len(idle) > 5 else "")
    if len(ranked) == 1:
        del pictures[0]
    return finding(
        "inputs_idle" if idle else "inputs_used",
        "fine",
        probe="inputs",
        figures=figures,
        pictures=pictures,
        first=repr(first),
        unused=unused,
    )


def _some(batches: Sequence[Batch]) -> Iterator[Batch]:
    """A few rows, evenly spread over all of them."""
    total = sum(map(len, batches))
    wanted = set(np.linspace(0, total - 1, min(_ROWS, total)).astype(int).tolist())
    places = ((batch, at) for batch in batches for at in range(len(batch)))
    for number, (batch, at) in enumerate(places):
        if number in wanted:
            yield taken(batch, slice(at, at + 1))


def _attention(net: Net, batches: Sequence[Batch]) -> Iterator[Finding]:
    """The weights of attention pooling, by distance from the end."""
    by_lag: Tensor | None = None
    counts = torch.zeros(0)
    spread: list[float] = []
    for batch in batches:
        with outside_training(net), torch.no_grad():
            weights = net.attention(batch.x, batch.lengths, batch.static, batch.known)
        if weights is None:
            return
        for row in weights.double():
            row = row[: int((row > 0).nonzero().max()) + 1].flip(0)  # padding has no weight
            entropy = -(row.clamp_min(1e-30).log() * row).sum()
            spread.append(float(entropy.exp()) / len(row))
            by_lag, counts = _summed(by_lag, counts, row)
    assert by_lag is not None
    mean = by_lag / counts.clamp_min(1)
    share = float(np.mean(spread))
    picture = CurvePicture(
        name="attention_by_lag",
        x_label="lag",
        y_label="weight",
        x=tuple(map(float, range(len(mean)))),
        lines={"attention": tuple(mean.tolist())},
    )
    flat = share > _FLAT
    yield finding(
        "attention_flat" if flat else "attention_chooses",
        "watch" if flat else "fine",
        probe="inputs",
        figures={"share": share, "peak": float(mean.argmax())},
        pictures=[picture],
    )


def _summed(total: Tensor | None, counts: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
    """Sums over rows of different lengths."""
    if total is None:
        return row.clone(), torch.ones_like(row)
    longest = max(len(total), len(row))
    wide = [
        torch.nn.functional.pad(part, (0, longest - len(part))) for part in (total, row, counts, torch.ones_like(row))
    ]
    return wide[0] + wide[1], wide[2] + wide[3]
