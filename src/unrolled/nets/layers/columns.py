"""Numbers and categories as one vector: each category code becomes a learned embedding.

Letters: D numbers, C categories, E embedding.
"""

from __future__ import annotations

from itertools import accumulate

from torch import Tensor, nn

from unrolled.nets import ops
from unrolled.program.shapes import Inputs


class Columns(nn.Module):
    """``(..., D + C)`` to ``(..., D + sum of E)``; nothing to do where there is no category.

    ``first`` is the E of the first category; 0 takes the rule.
    """

    def __init__(self, numbers: int, categories: tuple[int, ...], first: int = 0) -> None:
        super().__init__()
        self.numbers, self.columns = numbers, numbers + len(categories)
        sizes = embedding_sizes(categories, first)
        self.embeddings = nn.ModuleList(
            nn.Embedding(count + 1, size) for count, size in zip(categories, sizes, strict=True)
        )
        self.size = numbers + sum(sizes)

    @property
    def tables(self) -> list[Tensor]:
        """``(count + 1, E)`` of each category, the last row for what training has not seen."""
        return [table.weight for table in self.embeddings if isinstance(table, nn.Embedding)]

    def forward(self, x: Tensor) -> Tensor:
        if not self.embeddings:
            return x
        parts = [ops.slice_axis(x, axis=-1, start=0, stop=self.numbers)] if self.numbers else []
        for at, table in enumerate(self.embeddings, start=self.numbers):
            assert isinstance(table, nn.Embedding)
            parts.append(ops.embedding(ops.slice_axis(x, axis=-1, start=at, stop=at + 1), weight=table.weight))
        return ops.merge(*parts, kind="concat")


def embedding_size(count: int) -> int:
    """Numbers for a column of ``count`` categories: 1.6 count^0.56, at most 64 (the rule of thumb of fastai)."""
    size: int = round(1.6 * count**0.56)
    return min(64, max(1, size))


def embedding_sizes(categories: tuple[int, ...], first: int = 0) -> list[int]:
    """Of each category, the first one's where it is not 0."""
    sizes = [embedding_size(count) for count in categories]
    return [first or sizes[0], *sizes[1:]] if sizes else []


def standing(inputs: Inputs, name: str, first: int = 0) -> tuple[int, ...]:
    """The places, in what :class:`Columns` gives, of all that is made of the column of this name."""
    widths = [1] * inputs.numbers + embedding_sizes(inputs.categories, first)
    ends = list(accumulate(widths, initial=0))
    return tuple(place for at, own in enumerate(inputs.names) if own == name for place in range(ends[at], ends[at + 1]))
