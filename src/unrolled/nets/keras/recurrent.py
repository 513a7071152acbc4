"""Keras' recurrent layers with their masks, on our engine.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy.typing as npt
import torch
from torch import Tensor, nn

from unrolled.cells import TORCH
from unrolled.core.errors import ConfigError
from unrolled.nets.keras.activations import name_of
from unrolled.nets.keras.cells import cell_of
from unrolled.nets.recurrent import Recurrent
from unrolled.program.functions import chunk

Masked = tuple[Tensor, Tensor | None]
"""A value and ``(B, T)``, true where a step counts."""

Merge = Literal["concat", "sum", "ave", "mul"]


class OneWay(nn.Module):
    """One recurrent layer in one direction: ``(B, T, D)`` to ``(B, T, H)`` or, without ``sequences``, ``(B, H)``.

    Steps come out in the order in which they were read: the last first when the layer goes backwards.
    """

    def __init__(self, kind: str, config: dict[str, Any], arrays: list[npt.NDArray[Any]], where: str) -> None:
        super().__init__()
        if config.get("return_state"):
            raise ConfigError("return_state=True is not taken", where=where)
        after = bool(config.get("reset_after", False))
        gate = name_of(config.get("recurrent_activation", "sigmoid"), where)
        cell = cell_of(kind, name_of(config["activation"], where), gate, after, where)
        weights = _weights(kind, arrays, where)
        size, hidden = weights["weight_ih"].shape[1], weights["weight_hh"].shape[1]
        self.rnn = Recurrent(cell, size, hidden, bias="bias_ih" in weights, initial=TORCH)
        _fill(self.rnn, weights, where)
        self.sequences = bool(config.get("return_sequences"))
        self.backwards = bool(config.get("go_backwards"))
        self.zeros = bool(config.get("zero_output_for_mask"))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Masked:
        """Run; masked steps leave the state alone and repeat the last output (or give zeros)."""
        if self.backwards:
            x, flipped = x.flip(1), None if mask is None else mask.flip(1)
        else:
            flipped = mask
        y = self._masked(x, flipped) if flipped is not None else self.rnn(x)[0]
        return (y, mask) if self.sequences else (y[:, -1], None)

    def _masked(self, x: Tensor, mask: Tensor) -> Tensor:
        """The steps that count are moved to the front, run with their number as length, and moved back."""
        order = torch.argsort((~mask).to(torch.int8), dim=1, stable=True)
        close = x.gather(1, order[..., None].expand_as(x))
        y, _ = self.rnn(close, lengths=mask.sum(1))
        latest = mask.cumsum(1) - 1
        y = y.gather(1, latest.clamp(min=0)[..., None].expand(-1, -1, y.shape[2]))
        seen = mask if self.zeros else latest >= 0
        return torch.where(seen[..., None], y, 0)


class BothWays(nn.Module):
    """Keras' ``Bidirectional``."""

    def __init__(self, forwards: OneWay, backwards: OneWay, merge: Merge) -> None:
        super().__init__()
        self.forwards, self.backwards, self.merge = forwards, backwards, merge

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Masked:
        """Run both and merge them."""
        a, after = self.forwards(x, mask)
        b, _ = self.backwards(x, mask)
        if self.backwards.sequences:
            b = b.flip(1)
        if self.merge == "concat":
            return torch.cat((a, b), -1), after
        if self.merge == "mul":
            return a * b, after
        return (a + b) / (2 if self.merge == "ave" else 1), after


def _weights(kind: str, arrays: list[npt.NDArray[Any]], where: str) -> dict[str, Tensor]:
    """Keras' kernel ``(D, G*H)``, recurrent kernel ``(H, G*H)`` and bias ``(G*H,)`` or ``(2, G*H)`` in our layout."""
    if len(arrays) not in (2, 3) or any(array.ndim != 2 for array in arrays[:2]):
        raise ConfigError("its weights are not those of such a layer", where=where)
    kernel, recurrent, *rest = (torch.from_numpy(array).clone() for array in arrays)
    weights = {"weight_ih": kernel.T, "weight_hh": recurrent.T}
    if rest:
        bias = rest[0] if rest[0].dim() == 2 else torch.stack((rest[0], torch.zeros_like(rest[0])))
        weights |= {"bias_ih": bias[0], "bias_hh": bias[1]}
    if kind == "GRU":  # Keras puts z before r
        for name, weight in weights.items():
            z, r, n = chunk(weight.T, 3)
            weights[name] = torch.cat((r, z, n), -1).T
    return weights


def _fill(rnn: Recurrent, weights: dict[str, Tensor], where: str) -> None:
    own = rnn.weights()[0]
    wrong = [name for name in own if name not in weights or own[name].shape != weights[name].shape]
    if wrong:
        raise ConfigError(f"{wrong[0]} has the shape {tuple(weights[wrong[0]].shape)}", where=where)
    with torch.no_grad():
        for name, weight in own.items():
            weight.copy_(weights[name])
