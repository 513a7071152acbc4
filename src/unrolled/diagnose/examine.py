"""All probes of a net on some batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import nn

from unrolled.core.diagnosis import Finding, ordered
from unrolled.data import Batch
from unrolled.diagnose.compared import compared
from unrolled.diagnose.edge import edge
from unrolled.diagnose.gain import gains
from unrolled.diagnose.gates import gates
from unrolled.diagnose.gradient_flow import by_layer, gradient_flow
from unrolled.diagnose.inputs import inputs
from unrolled.diagnose.leak import leak
from unrolled.diagnose.learning import learning
from unrolled.diagnose.lyapunov import lyapunov
from unrolled.diagnose.order import order
from unrolled.diagnose.recording import Loss, observe
from unrolled.diagnose.units import units
from unrolled.nets import Net
from unrolled.prepare.decoding import Decoding

_SAMPLES = 32  # whose states are all kept


def examine(
    net: nn.Module,
    batches: Sequence[Batch],
    loss: Loss,
    *,
    columns: Sequence[str] = (),
    own: int = 0,
    classes: bool = False,
    rows: Sequence[Mapping[str, float]] = (),
    before: nn.Module | None = None,
    train: Sequence[Batch] = (),
    measured: int | None = None,
    decoding: Decoding | None = None,
) -> tuple[Finding, ...]:
    """Findings on a net, the worst first.

    Args:
        net: trained or not; it is left as it was.
        batches: samples to look at, with their truth.
        loss: of the task, ``(output, batch) -> scalar``.
        columns: names of the inputs.
        own: leading inputs that are the targets' own past.
        classes: the truth is class codes.
        rows: of training, one an epoch, where there was one.
        before: the net as it was before training, where that is known.
        train: samples of the training part, where ``batches`` are of another; leaks are looked for in both.
        measured: leading inputs that come from the data and not from its time stamps; None: all.
        decoding: how outputs are read, so that contributions of the inputs can be looked at.
    """
    findings: list[Finding] = []
    first = _first(batches[0])
    runs = observe(net, first, loss)
    starts = observe(before, first, loss) if before is not None else (None,) * len(runs)
    for run, start in zip(runs, starts, strict=True):
        findings += [gradient_flow(run, start), *gates(run, start), *units(run), lyapunov(run), *gains(run, start)]
    findings += by_layer(runs)
    findings += [finding for run in runs[:1] for finding in (compared(run), *edge(run))]
    if isinstance(net, Net):
        findings += inputs(net, batches, columns, decoding)
    findings += [*order(net, batches, loss, measured=measured)]
    findings += [leak([*train, *batches], columns, own, classes), *learning(rows)]
    return ordered(findings)


def _first(batch: Batch) -> Batch:
    cut = {name: value[:_SAMPLES] for name, value in vars(batch).items() if value is not None}
    return replace(batch, **cut)
