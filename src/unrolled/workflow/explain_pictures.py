"""Pictures of one explained answer with two axes: columns over time, and where steps look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.core.explanation import Step
from unrolled.core.records import HeatPicture
from unrolled.data import Batch
from unrolled.diagnose.attention import attention_maps
from unrolled.diagnose.heat import edges, names, summed
from unrolled.nets import Net

_COLUMNS = 20


def share_map(steps: Sequence[Step], columns: Sequence[str], times: Sequence[str]) -> tuple[HeatPicture, ...]:
    """What each column added in each stretch of time; nothing where one column changes over time."""
    shown = [name for name in columns if any(name in step.shares for step in steps)][:_COLUMNS]
    if len(shown) < 2:
        return ()
    values = np.array([[step.shares.get(name, 0.0) for step in steps] for name in shown])
    cuts = edges(len(steps))
    return (
        HeatPicture(
            name="share_map",
            x_label="step",
            y_label="column",
            value_label="added",
            x=names(cuts, lambda at: times[at]),
            y=tuple(shown),
            values=tuple(map(tuple, summed(values, cuts).tolist())),
            signed=True,
        ),
    )


def looks(net: Net, row: Batch, times: Sequence[str]) -> tuple[HeatPicture, ...]:
    """Of every layer with weights between steps its map for this row, with the names of the steps."""
    found = []
    for one in attention_maps(net, [row]):
        pace = -(-len(times) // int(one.columns[-1]))

        def name(step: int, pace: int = pace) -> str:
            return times[min(step * pace, len(times) - 1)]

        def back(lag: int, pace: int = pace) -> str:
            return times[max(len(times) - 1 - lag * pace, 0)]

        picture = one.picture(column=back) if one.ahead else one.picture(name, name)
        if one.ahead:  # time goes to the right
            turned = tuple(values[::-1] for values in picture.values)
            picture = picture.model_copy(update={"x": picture.x[::-1], "values": turned})
        found.append(picture.model_copy(update={"place": one.place}))
    return tuple(found)
