"""What an answer would be with a part of its input held at its average.

Letters: B batch, T time, E numbers that the first layer reads, G parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.data import Batch
from unrolled.diagnose.attribution import Rest, arriving, outside_training, parts_of, repeated, with_parts
from unrolled.nets.body import Body
from unrolled.nets.layers.columns import Columns

_AT_ONCE = 64


@dataclass(frozen=True)
class Part:
    """Columns over all steps, or all columns over a stretch of steps.

    Attributes:
        name: of the column; "" of a stretch.
        begin, end: steps, from 0, the end not counted.
        x, static, known: places of the columns in the inputs of the net.
    """

    name: str
    begin: int
    end: int
    x: tuple[int, ...] = ()
    static: tuple[int, ...] = ()
    known: tuple[int, ...] = ()


def held(net: Body, batch: Batch, rest: Rest, parts: Sequence[Part], *, fixed: Sequence[int] = ()) -> Tensor:
    """Outputs ``(G, S, M, V)`` for one row, each with one part at its average.

    Args:
        net: the layers.
        batch: one row.
        rest: the average row.
        parts: G of them.
        fixed: numbers of x that are never held.
    """
    with outside_training(net), torch.no_grad():
        flow = arriving(net, batch)
        outputs = []
        for at in range(0, len(parts), _AT_ONCE):
            some = parts[at : at + _AT_ONCE]
            changed = repeated(flow, len(some))
            given = {name: value.clone() for name, value in parts_of(changed).items()}
            for row, part in enumerate(some):
                for name, value in given.items():
                    _hold(value[row], rest[name], part, name, getattr(net, name))
            given["x"][..., list(fixed)] = flow.x[..., list(fixed)]
            outputs.append(net.layers(with_parts(changed, given)).x)
    return torch.cat(outputs)


def _hold(value: Tensor, rest: Tensor, part: Part, name: str, columns: Columns) -> None:
    """Put the average into one row, in place."""
    places = [place for column in getattr(part, name) for place in standing(columns, column)]
    if name == "x" and not part.name:
        value[part.begin : part.end] = rest
    elif places:
        value[..., places] = rest[places]


def standing(columns: Columns, column: int) -> range:
    """The places, after embeddings, of one input."""
    widths = [1] * columns.numbers + [table.shape[1] for table in columns.tables]
    begin = sum(widths[:column])
    return range(begin, begin + widths[column])
