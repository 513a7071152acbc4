"""The batches of an epoch: gathered from the one buffer when they are needed, never earlier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from unrolled.data.batch import Batch
from unrolled.prepare.arrays import Arrays
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series

_POOL = 8  # batches sorted by length together: enough to save padding, few enough to stay random
_MANY = 10_000  # samples; with fewer, batches of one length each would bend the statistics of batch norms


class Gather(Protocol):
    """What is asked of a preprocessor."""

    def arrays(self, series: Series, samples: Samples, *, truth: bool = True) -> Arrays: ...


class Batches:
    """Batches of a set of samples, the same for the same seed and epoch.

    Args:
        preprocessor: gathers and transforms rows.
        series: the data.
        samples: which windows.
        batch_size: samples a batch, over all processes.
        shuffle: a new order each epoch (training), or the given order.
        seed: of the order.
        weights: ``(n,)`` weight of each sample, or None.
        share: ``(rank, world)``: this process takes every ``world``-th sample of each batch.
        most: batches an epoch at most; epochs then go on where the one before ended.
    """

    def __init__(
        self,
        preprocessor: Gather,
        series: Series,
        samples: Samples,
        *,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        weights: npt.NDArray[Any] | None = None,
        share: tuple[int, int] = (0, 1),
        most: int | None = None,
    ) -> None:
        self._preprocessor, self._series, self.samples = preprocessor, series, samples
        self._batch_size, self._shuffle, self._seed = batch_size, shuffle, seed
        self._weights = weights
        self._rank, self._world = share
        self._all = -(-len(samples) // batch_size)
        self._most = min(most or self._all, self._all)

    def __len__(self) -> int:
        return self._most

    def epoch(self, number: int = 0, start: int = 0) -> Iterator[Batch]:
        """Batches ``start`` to the last of one epoch; ``start`` lets a stopped run go on where it was."""
        if not self._all:
            return
        first = number * self._most + start
        shuffled, order = -1, np.empty(0, dtype=np.int64)
        for position in range(first, first + self._most - start):
            whole, at = divmod(position, self._all)
            if whole != shuffled:
                shuffled, order = whole, self._order(whole)
            chosen = order[at * self._batch_size : (at + 1) * self._batch_size]
            if self._world > 1:
                chosen = self._own(chosen)
            yield self._batch(chosen)

    def __iter__(self) -> Iterator[Batch]:
        return self.epoch()

    def _batch(self, chosen: npt.NDArray[np.int64]) -> Batch:
        arrays = self._preprocessor.arrays(self._series, self.samples[chosen])
        return Batch.of(arrays, None if self._weights is None else self._weights[chosen])

    def _own(self, chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """This process's share; where there are fewer samples than processes, some are repeated."""
        return np.resize(chosen, max(len(chosen), self._world))[self._rank :: self._world]

    def _order(self, whole: int) -> npt.NDArray[np.int64]:
        """Samples of one pass over all of them."""
        count = len(self.samples)
        if not self._shuffle:
            return np.arange(count)
        random = np.random.default_rng([self._seed, whole])
        order = random.permutation(count)
        lengths = self.samples.lengths
        if count >= _MANY and lengths.min() != lengths.max():
            order = self._by_length(order, lengths, random)
        return order

    def _by_length(
        self, order: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], random: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        """Sort pools of samples by length, then shuffle whole batches, so that batches hold little padding."""
        pool = self._batch_size * _POOL
        pools = [order[at : at + pool] for at in range(0, len(order), pool)]
        order = np.concatenate([part[np.argsort(lengths[part], kind="stable")] for part in pools])
        whole = len(order) // self._batch_size * self._batch_size
        batches = order[:whole].reshape(-1, self._batch_size)
        return np.concatenate([batches[random.permutation(len(batches))].ravel(), order[whole:]])
