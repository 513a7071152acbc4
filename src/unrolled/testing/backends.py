"""The contract of a backend: the reference's numbers and gradients, at any size it says it serves.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from unrolled import cells, engine
from unrolled.core.errors import BackendError
from unrolled.engine import Backend
from unrolled.program.equations import Equations
from unrolled.testing.compare import assert_close
from unrolled.testing.contract import CLAUSES, random_loss
from unrolled.testing.subject import Subject

_STANDARD: tuple[Equations, ...] = (
    *(cells.RNN(), cells.RNNRelu(), cells.IndRNN(), cells.LRU()),
    *(cells.LSTM(), cells.LSTMPeephole(), cells.LSTMCoupled(), cells.LSTMProjected(2), cells.LSTMSeparable()),
    *(cells.LSTMLayerNorm(), cells.SLSTM(2), cells.MinLSTM()),
    *(cells.LSTMDropout(), cells.LSTMVariational(), cells.LSTMZoneout()),
    *(cells.GRU(), cells.GRUBefore(), cells.GRULayerNorm(), cells.MGU(), cells.MinGRU()),
)
_SIZES = (
    (1, 1, 1, 3),
    (1, 5, 1, 4),
    (3, 1, 7, 5),
    (3, 0, 2, 4),
    (0, 4, 2, 3),
    (5, 4, 1, 3),
    (2, 33, 3, 17),
    (7, 6, 5, 64),
)


def check_backend(backend: Backend, over: Sequence[Equations] = _STANDARD) -> None:
    """Assert that a backend serves as the reference does, for each of these cells that it does not refuse.

    Outputs, last states and all gradients under a loss with random weights; odd sizes, T = 0 and 1, B = 0 and 1;
    lengths and both directions; noise; with and without bias; memory that held NaN before; and all that
    :func:`check_cell` asks of steps, cuts, padding, causality and saturation.

    Raises:
        AssertionError: a number differs, the message says where; or the backend refuses every request.
    """
    served = 0
    for cell in over:
        for subject in _subjects(cell, backend):
            for options in _options(subject):
                served += _equals_reference(subject, options)
        served += _holds_contract(Subject(cell, backend, dtype=torch.float32))
    if not served:
        raise AssertionError(f"backend {backend.name!r} refused every request")


def _subjects(cell: Equations, backend: Backend) -> Iterator[Subject]:
    for seed, sizes in enumerate(_SIZES):
        for dtype in (torch.float32, torch.float64):
            yield Subject(cell, backend, sizes, dtype, bias=seed % 2 == 0, seed=seed)


def _options(subject: Subject) -> Iterator[dict[str, Any]]:
    for lengths in (None, subject.lengths()):
        for reverse in (False, True):
            yield {"lengths": lengths, "reverse": reverse}
    if subject.cell.noise:
        held = {name: mask[:, :1].expand_as(mask) for name, mask in subject.noise().items()}
        yield {"lengths": None, "noise": held}
        yield {"lengths": subject.lengths(), "reverse": True, "noise": subject.noise()}


def _equals_reference(subject: Subject, options: dict[str, Any]) -> bool:
    """Whether the backend served; outputs, states and gradients then equal the reference's."""
    _poison()
    try:
        ours = _values_and_gradients(subject, subject.backend, options)
    except BackendError:
        return False
    theirs = _values_and_gradients(subject, "reference", options)
    for name, expected in theirs.items():
        assert_close(ours[name], expected, f"{subject}, bias={subject.bias}, {options}: {name}")
    return True


def _values_and_gradients(subject: Subject, backend: str | Backend, options: dict[str, Any]) -> dict[str, Tensor]:
    x, hx, weights = subject.x(), subject.hx(), subject.weights()
    lengths = options["lengths"]
    if lengths is not None:
        x = x.masked_fill((torch.arange(x.shape[1]) >= lengths[:, None])[..., None], torch.nan)
    inputs = {"x": x} | {f"initial {part}": v for part, v in zip(subject.cell.state, hx, strict=True)} | weights
    for tensor in inputs.values():
        tensor.requires_grad_()
    y, state = engine.run(subject.cell, x, weights, hx, backend=backend, **options)
    gradients = torch.autograd.grad(
        random_loss(y, state), list(inputs.values()), materialize_grads=True, allow_unused=True
    )
    named = {f"gradient to {name}": gradient for name, gradient in zip(inputs, gradients, strict=True)}
    return {"y": y} | {f"state {part}": v for part, v in zip(subject.cell.state, state, strict=True)} | named


def _holds_contract(subject: Subject) -> bool:
    """Whether the backend served at least one clause; those that it serves hold."""
    served = False
    for clause in CLAUSES:
        with suppress(BackendError):  # it may refuse single steps, or lengths
            clause(subject)
            served = True
    return served


def _poison() -> None:
    """Leave NaN in the memory that is handed out next, so that reading what nobody wrote shows."""
    blocks = [torch.full((size,), torch.nan) for size in (16, 256, 4096, 65536) for _ in range(8)]
    del blocks
