"""What the net looks at: its inputs by column and by lag, and its attention.

Letters: B batch, T time, D inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from unrolled.core.diagnosis import Drawn, Finding
from unrolled.core.records import BarPicture, CurvePicture, HeatPicture
from unrolled.data import Batch
from unrolled.diagnose.attention import attention
from unrolled.diagnose.attribution import Rest, average, integrated_gradients, outside_training
from unrolled.diagnose.figure import figure_of
from unrolled.diagnose.heat import Values, edges, names, summed
from unrolled.diagnose.losses import taken
from unrolled.diagnose.score import with_score
from unrolled.diagnose.wording import finding
from unrolled.nets import Net
from unrolled.prepare.decoding import AnomalyDecoding, Decoding, PairDecoding
from unrolled.prepare.decoding import every as each_step
from unrolled.prepare.pairing import SIDE

_ROWS = 12  # that are attributed
_BARS = 20
_IDLE = 0.005  # share of all contributions: five in a thousand
_MOST = 0.9
_FLAT = 0.99  # steps of equal weight that would spread as widely, over the steps there are


def inputs(net: Net, batches: Sequence[Batch], columns: Sequence[str], decoding: Decoding | None) -> Iterator[Finding]:
    """Mean absolute contributions (integrated gradients) of a few rows, and the mean attention."""
    rows = list(_some(batches))
    if decoding is not None:
        yield _contributions(_added(net, average(net, batches), rows, columns, decoding))
    yield from _attention(net, batches)
    yield from attention(net, rows)


def _contributions(added: Mapping[str, Values]) -> Finding:
    """By column, and by lag."""
    parts = np.stack([*added.values()])
    parts = parts / (parts.sum() or 1.0)
    by_lag, steps = parts.sum(0), parts.shape[1]
    shares = dict(zip(added, parts.sum(1).tolist(), strict=True))
    ranked = sorted(shares, key=lambda name: -shares[name])
    idle = [name for name in ranked if shares[name] < _IDLE]
    reached = int(np.searchsorted(np.cumsum(by_lag), _MOST * by_lag.sum())) + 1
    figures = {
        "share": shares[ranked[0]], "reached": float(min(reached, steps)), "steps": float(steps),
        "idle": float(len(idle)),
    }  # fmt: skip
    unused = ", ".join(map(repr, idle[:5])) + (", ..." if len(idle) > 5 else "")
    return finding(
        "inputs_idle" if idle else "inputs_used",
        "fine",
        probe="inputs",
        figures=figures,
        pictures=_pictures(ranked[:_BARS], dict(zip(added, parts, strict=True)), by_lag),
        first=repr(ranked[0]),
        unused=unused,
    )


def _added(
    net: Net, rest: Rest, rows: Sequence[Batch], columns: Sequence[str], decoding: Decoding
) -> dict[str, Values]:
    """For each name the ``(T,)`` sums of the sizes of its contributions, by steps before the end."""
    pairs = isinstance(decoding, PairDecoding)
    fixed = [at for at, name in enumerate(columns) if pairs and name == SIDE]
    total = np.zeros((rows[0].x.shape[2], max(row.x.shape[1] for row in rows)))
    for row in rows:
        time = row.x.shape[1] if row.lengths is None else int(row.lengths[0])
        place = time - 1 if each_step(decoding) else None
        own = net
        if isinstance(decoding, AnomalyDecoding):
            own = with_score(net, decoding, place if decoding.by_row else None)
        with outside_training(own), torch.no_grad():
            output = own(**row.inputs())
        figure = figure_of(decoding, output, step=place)
        found = integrated_gradients(own, row, figure.value, rest, fixed=fixed).x[0, :time].abs().double()
        total[:, :time] += found.flip(0).T.numpy()
    named: dict[str, Values] = {}
    for at, own_lags in enumerate(total):
        if at in fixed:
            continue
        name = columns[at] if at < len(columns) else str(at)
        named[name] = named.get(name, 0.0) + own_lags
    return named


def _pictures(ranked: Sequence[str], parts: Mapping[str, Values], by_lag: Values) -> list[Drawn]:
    """By column, by lag, and by both; those of columns where there are several."""
    lags = CurvePicture.by_lag("contribution_by_lag", "contribution", {"all_inputs": tuple(by_lag.tolist())})
    if len(ranked) < 2:
        return [lags]
    cuts = edges(len(by_lag))
    bars = BarPicture(
        name="contribution_by_column",
        y_label="contribution",
        labels=tuple(ranked),
        values=tuple(float(parts[name].sum()) for name in ranked),
    )
    both = HeatPicture(
        name="contribution_map",
        x_label="lag",
        y_label="column",
        value_label="contribution",
        x=names(cuts),
        y=tuple(ranked),
        values=tuple(tuple(summed(parts[name], cuts).tolist()) for name in ranked),
    )
    return [bars, lags, both]


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
    picture = CurvePicture.by_lag("attention_by_lag", "weight", {"attention": tuple(mean.tolist())})
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
