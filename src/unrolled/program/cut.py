"""What to keep and what to compute again: a minimum cut.

Maximum flow by shortest augmenting paths (Edmonds & Karp 1972); programs are small.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import TypeAlias

_End: TypeAlias = tuple[int, bool]
"""A value has an entry (False) and an exit (True); keeping it cuts between them."""
_Capacity: TypeAlias = Mapping[_End, Mapping[_End, int]]

_SOURCE, _SINK = (-1, True), (-1, False)
_INFINITE = 1 << 40


def cheapest_cut(
    keeping: Mapping[int, int], computing: Mapping[int, int], arguments: Mapping[int, Collection[int]], wanted: set[int]
) -> set[int]:
    """The values to keep so that all that is wanted is kept or computed again, at the least price.

    Where several choices cost the same, the one that computes least.

    Args:
        keeping: price of keeping a value; one without a price cannot be kept.
        computing: price of computing a value again from its arguments; one without a price cannot be.
        arguments: of each value, those arguments that are not there anyway.
        wanted: values that are asked for.
    """
    capacity: dict[_End, dict[_End, int]] = {_SOURCE: {}, _SINK: {}}

    def connect(tail: _End, head: _End, price: int) -> None:
        capacity.setdefault(tail, {})[head] = price
        capacity.setdefault(head, {}).setdefault(tail, 0)

    for v, args in arguments.items():
        connect((v, False), (v, True), keeping.get(v, _INFINITE))
        connect(_SOURCE, (v, False), computing.get(v, _INFINITE))
        for arg in args:
            connect((arg, True), (v, False), _INFINITE)
    for v in wanted:
        connect((v, True), _SINK, _INFINITE)
    while (path := _path(capacity)) is not None:
        flow = min(capacity[tail][head] for tail, head in path)
        for tail, head in path:
            capacity[tail][head] -= flow
            capacity[head][tail] += flow
    behind = _behind(capacity)
    return {v for v in arguments if (v, True) in behind and (v, False) not in behind}


def _path(capacity: _Capacity) -> list[tuple[_End, _End]] | None:
    """The shortest way from source to sink with capacity left, edge by edge."""
    came = {_SOURCE: _SOURCE}
    queue = deque([_SOURCE])
    while queue and _SINK not in came:
        tail = queue.popleft()
        for head, left in capacity[tail].items():
            if left and head not in came:
                came[head] = tail
                queue.append(head)
    if _SINK not in came:
        return None
    path = [(came[_SINK], _SINK)]
    while path[-1][0] != _SOURCE:
        path.append((came[path[-1][0]], path[-1][0]))
    return path


def _behind(capacity: _Capacity) -> set[_End]:
    """Everything from which the sink can still be reached."""
    found, queue = {_SINK}, deque([_SINK])
    while queue:
        head = queue.popleft()
        for tail in capacity[head]:
            if capacity[tail][head] and tail not in found:
                found.add(tail)
                queue.append(tail)
    return found
