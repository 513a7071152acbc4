"""The contract of a cell, for ours and for users' own.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError, gradcheck

from unrolled import engine
from unrolled.engine import State
from unrolled.program.equations import Equations
from unrolled.program.loop import run_numpy
from unrolled.testing.compare import assert_close
from unrolled.testing.contract import CLAUSES
from unrolled.testing.subject import Subject

Array = npt.NDArray[Any]
Oracle = Callable[[Array, Mapping[str, Array], tuple[Array, ...]], tuple[Array, tuple[Array, ...]]]
"""``(x (B, T, D), weights, hx) -> (y (B, T, H), state)`` in float64, written by another hand."""


def check_cell(cell: Equations, oracle: Oracle | None = None) -> None:
    """Assert all that a cell must hold: on the reference, in float64.

    Steps equal the sequence; a cut with its state carried equals the whole; the batch permutes; padding changes
    nothing; nothing depends on the future; gradients are those of the function; NumPy gives the same numbers; a
    saved state continues; saturated gates stay finite; the oracle agrees, where one is given.

    Raises:
        AssertionError: a clause does not hold; the message says which and where.

    Example:
        >>> check_cell(MyCell())
    """
    subject = Subject(cell, "reference")
    for clause in CLAUSES:
        clause(subject)
    _gradients_are_right(subject)
    _numpy_agrees(subject)
    if oracle is not None:
        _oracle_agrees(subject, oracle)


def _gradients_are_right(subject: Subject) -> None:
    """Derivatives of y and state to x, initial state and weights against finite differences."""
    small = Subject(subject.cell, subject.backend, (2, 3, 2, 3))
    names, weights = zip(*small.weights().items(), strict=True)
    hx = small.hx()
    for options in ({}, {"lengths": torch.tensor([3, 1])}, {"reverse": True}):

        def function(x: Tensor, *rest: Tensor, options: Any = options) -> tuple[Tensor, ...]:
            state: State = rest[: len(hx)]
            given = dict(zip(names, rest[len(hx) :], strict=True))
            y, state = engine.run(small.cell, x, given, state, backend=small.backend, **options)
            return (y, *state)

        arguments = [tensor.requires_grad_() for tensor in (small.x(), *hx, *weights)]
        try:
            gradcheck(function, arguments)
        except GradcheckError as error:
            raise AssertionError(f"{small}: wrong gradient with {options}: {error}") from error


def _numpy_agrees(subject: Subject) -> None:
    """The loop of the base install against the reference."""
    x, hx, lengths = subject.x(), subject.hx(), subject.lengths()
    weights = {name: weight.numpy() for name, weight in subject.weights().items()}
    for known in (None, lengths):
        for reverse in (False, True):
            y, state = subject.run(x, hx, lengths=known, reverse=reverse)
            arrays = tuple(part.numpy() for part in hx)
            given = None if known is None else known.numpy()
            y_numpy, state_numpy = run_numpy(subject.cell, x.numpy(), weights, arrays, given, reverse)
            what = f"{subject}: NumPy against torch, lengths={known}, reverse={reverse}"
            for actual, expected in zip((y_numpy, *state_numpy), (y, *state), strict=True):
                assert_close(torch.from_numpy(actual), expected, what)


def _oracle_agrees(subject: Subject, oracle: Oracle) -> None:
    x, hx = subject.x(), subject.hx()
    weights = {name: weight.numpy() for name, weight in subject.weights().items()}
    y, state = oracle(x.numpy(), weights, tuple(part.numpy() for part in hx))
    actual = subject.run(x, hx)
    for ours, theirs in zip((actual[0], *actual[1]), (y, *state), strict=True):
        assert_close(ours, torch.from_numpy(np.asarray(theirs)), f"{subject}: against the oracle")
