"""How the samples of an epoch reach the processes that train together."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data import Batches
from unrolled.prepare.arrays import Arrays
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series

SERIES = Series(
    values=np.zeros((40, 1), np.float32),
    cases=np.zeros((1, 0), np.float32),
    starts=np.array([0, 40]),
    ids=("s",),
    columns=(),
)


class Numbers:
    """Gathers nothing but the number of each sample."""

    def arrays(self, series: Series, samples: Samples) -> Arrays:
        x = samples.begin[:, None, None].astype(np.float32)
        return Arrays(x=x, lengths=None, static=None, known=None, y=x[:, 0])


def batches(count: int, **options: Any) -> Batches:
    at = np.arange(count)
    gather: Any = Numbers()
    return Batches(gather, SERIES, Samples(at, at + 1, np.zeros(count, np.int64)), shuffle=True, seed=3, **options)


def numbers(found: Batches, epoch: int = 0, start: int = 0) -> list[list[int]]:
    return [batch.x[:, 0, 0].int().tolist() for batch in found.epoch(epoch, start)]


@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 4), st.integers(0, 3))
def test_the_shares_of_all_processes_are_the_batch(count: int, size: int, world: int, epoch: int) -> None:
    whole = numbers(batches(count, batch_size=size), epoch)
    assert sorted(chain(*whole)) == list(range(count))
    shares = [numbers(batches(count, batch_size=size, share=(rank, world)), epoch) for rank in range(world)]
    for at, batch in enumerate(whole):
        together = list(chain(*(share[at] for share in shares)))
        assert all(share[at] for share in shares)  # none waits for another
        assert set(together) == set(batch)
        if len(batch) >= world:
            assert sorted(together) == sorted(batch)


@given(st.integers(1, 30), st.integers(1, 9), st.integers(0, 3), st.integers(0, 9))
def test_an_epoch_goes_on_where_it_was(count: int, size: int, epoch: int, start: int) -> None:
    found = batches(count, batch_size=size)
    assert numbers(found, epoch, start) == numbers(found, epoch)[start:]


@pytest.mark.parametrize("most", [1, 3, 7])
def test_short_epochs_pass_over_all_samples(most: int) -> None:
    found = batches(20, batch_size=3, most=most)
    assert len(found) == min(most, 7)
    joined = list(chain(*(numbers(found, epoch) for epoch in range(7))))
    passes = [joined[at : at + 7] for at in range(0, len(joined) - 6, 7)]
    assert passes and all(sorted(chain(*one)) == list(range(20)) for one in passes)
