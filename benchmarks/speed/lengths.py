"""Training on sequences of lengths about 60 % of the longest: packed in torch, with ``lengths=`` here."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.speed.measure import THREADS, geometric_mean, interleaved, write
from benchmarks.speed.subjects import KINDS, Shape, pair, training, x_of

_SHAPES: tuple[Shape, ...] = ((32, 50, 8, 32), (64, 96, 1, 64), (64, 100, 64, 128), (32, 200, 128, 256))


class _Packed(nn.Module):
    """What one writes in torch: pack, run, unpack."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Any]:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, state = self.layer(packed)
        return pad_packed_sequence(y, batch_first=True)[0], state


def main() -> None:
    """Measure and write the table."""
    lines, means = [], []
    for threads in THREADS:
        torch.set_num_threads(threads)
        for kind in KINDS:
            ratios = []
            for shape in _SHAPES:
                theirs, ours = pair(kind, shape)
                x, lengths = x_of(shape), _lengths(shape)
                calls = [training(_Packed(theirs), x, lengths=lengths), training(ours, x, lengths=lengths)]
                slow, fast = interleaved(calls, 1.5)
                ratios.append(slow / fast)
                lines.append(
                    f"{threads:7}  {kind:6}{shape!s:>22}{slow * 1e3:10.2f}{fast * 1e3:10.2f}{slow / fast:8.2f}"
                )
            means.append(f"{kind}, {threads} thread(s): geometric mean {geometric_mean(ratios):.2f}")
    head = f"threads  {'':6}{'shape':>22}{'packed':>10}{'unrolled':>10}{'ratio':>8}"
    title = "Training step with lengths, ms, (B, T, D, H), torch.nn packed against unrolled with lengths="
    write("lengths", title, [head, *lines, "", *means])


def _lengths(shape: Shape) -> Tensor:
    """Between 20 % and 100 % of T, the longest is T."""
    batch, time = shape[:2]
    lengths = torch.randint(time // 5, time + 1, (batch,), generator=torch.Generator().manual_seed(0))
    lengths[0] = time
    return lengths


if __name__ == "__main__":
    main()
