"""A whole recurrent layer, in torch by the engine's kernels; in a plan one operation a layer and direction.

Letters: B batch, T time, D inputs, H hidden, K directions.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import Tensor

from unrolled.nets.ops.layout import merge
from unrolled.nets.recurrent import Recurrent
from unrolled.nets.trace import Trace, tracing


def recurrent(
    rnn: Recurrent, x: Tensor, lengths: Tensor | None, state: tuple[Tensor, ...] = ()
) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Run ``x`` ``(B, T, D)`` from ``state`` (of a single layer in one direction), or from zeros.

    Returns:
        y ``(B, T, K * H)``; the final state of the last layer's forward direction, one ``(B, H)`` a part; and all
        final states, one ``(L * K, B, H)`` a part, none while a plan is traced.
    """
    trace = tracing(x)
    if trace is not None:
        return *_note(trace, rnn, x, lengths, state), ()
    y, final = rnn(x, tuple(part.unsqueeze(0) for part in state) or None, lengths=lengths)
    return y, tuple(part[-rnn.directions] for part in final), final


def _note(
    trace: Trace, rnn: Recurrent, x: Tensor, lengths: Tensor | None, state: tuple[Tensor, ...]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    options: dict[str, Any] = {"cell": rnn.cell.name}
    settings = asdict(rnn.cell)  # type: ignore[call-overload]  # cells are dataclasses, their options the fields
    if settings:
        options["settings"] = settings
    finals: tuple[Tensor, ...] = ()
    weights = iter(rnn.stored())
    for _layer in range(rnn.layers):
        outputs = []
        for reverse in (False, True)[: rnn.directions]:
            y, *final = trace.note(
                "recurrent",
                (x, lengths, *state),
                next(weights),
                {**options, "reverse": reverse},
                1 + len(rnn.cell.state),
            )
            outputs.append(y)
            finals = finals if reverse else tuple(final)
        x = merge(*outputs, kind="concat") if len(outputs) > 1 else outputs[0]
    return x, finals
