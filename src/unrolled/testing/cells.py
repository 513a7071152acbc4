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
from unrolled.core.errors import ConfigError
from unrolled.engine import State
from unrolled.program.equations import Equations
from unrolled.program.interpret import run_backward, run_forward
from unrolled.program.linear import linear_form
from unrolled.program.loop import run_numpy
from unrolled.program.parallel import run_parallel
from unrolled.program.trace import trace
from unrolled.testing.compare import assert_close
from unrolled.testing.contract import CLAUSES, random_loss
from unrolled.testing.subject import Subject

Array = npt.NDArray[Any]
Oracle = Callable[[Array, Mapping[str, Array], tuple[Array, ...]], tuple[Array, tuple[Array, ...]]]
"""``(x (B, T, D), weights, hx) -> (y (B, T, H), state)`` in float64, written by another hand."""


def check_cell(cell: Equations, oracle: Oracle | None = None) -> None:
    """Assert all that a cell must hold: on the reference, in float64.

    Steps equal the sequence; a cut with its state carried equals the whole; the batch permutes; padding changes
    nothing; nothing depends on the future; random masks belong to their step, and their mean replaces them;
    gradients are those of the function; NumPy gives the same numbers; the equations can be traced, and the program
    and its derivative give the same numbers; a cell that is linear in its state gives them parallel in time too; a
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
    _program_agrees(subject)
    _parallel_agrees(subject)
    if oracle is not None:
        _oracle_agrees(subject, oracle)


def _gradients_are_right(subject: Subject) -> None:
    """Derivatives of y and state to x, initial state and weights against finite differences."""
    small = Subject(subject.cell, subject.backend, (2, 3, 2, 3))
    names, weights = zip(*small.weights().items(), strict=True)
    hx = small.hx()
    choices: list[dict[str, Any]] = [{}, {"lengths": torch.tensor([3, 1])}, {"reverse": True}]
    if small.cell.noise:
        choices.append({"noise": small.noise()})
    for options in choices:

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
    weights = _named(subject.weights())
    for known in (None, lengths):
        for reverse in (False, True):
            y, state = subject.run(x, hx, lengths=known, reverse=reverse)
            given = None if known is None else known.numpy()
            y_numpy, state_numpy = run_numpy(subject.cell, x.numpy(), weights, _arrays(*hx), given, reverse)
            what = f"{subject}: NumPy against torch, lengths={known}, reverse={reverse}"
            for actual, expected in zip((y_numpy, *state_numpy), (y, *state), strict=True):
                assert_close(torch.from_numpy(actual), expected, what)


def _program_agrees(subject: Subject) -> None:
    """The traced program, run by NumPy, against the reference: outputs, states and all gradients."""
    choices: list[dict[str, Any]] = [{}, {"lengths": subject.lengths(), "reverse": True}]
    if subject.cell.noise:
        choices.append({"noise": subject.noise()})
    for options in choices:
        x, hx, weights = subject.x(), subject.hx(), subject.weights()
        inputs = [tensor.requires_grad_() for tensor in (x, *hx, *weights.values())]
        y, state = engine.run(subject.cell, x, weights, hx, backend=subject.backend, **options)
        out = torch.autograd.grad(random_loss(y, state), (y, *state), retain_graph=True)
        expected = torch.autograd.grad((y, *state), inputs, out, allow_unused=True, materialize_grads=True)
        dy, *dstate = (gradient.numpy() for gradient in out)
        try:
            tape = run_forward(subject.cell, x.detach().numpy(), _named(weights), _arrays(*hx), **_numpy(options))
        except ConfigError as error:
            raise AssertionError(f"{subject}: {error}") from error
        dx, dweights, dhx = run_backward(tape, dy, tuple(dstate))
        actual = (tape.y, *tape.state, dx, *dhx, *(dweights[name] for name in weights))
        names = ("y", *subject.cell.state, *(f"gradient to {name}" for name in ("x", *subject.cell.state, *weights)))
        for name, ours, theirs in zip(names, actual, (y, *state, *expected), strict=True):
            assert_close(torch.from_numpy(np.asarray(ours)), theirs, f"{subject}: its program, {options}, {name}")


def _parallel_agrees(subject: Subject) -> None:
    """All steps at once, where the cell is linear in its state, against the reference."""
    if linear_form(trace(subject.cell, subject.hidden, bias=subject.bias)) is None:
        return
    x, hx, weights = subject.x(), subject.hx(), subject.weights()
    y, state = subject.run(x, hx)
    at_once, final = run_parallel(subject.cell, x.numpy(), _named(weights), _arrays(*hx))
    for ours, theirs in zip((at_once, *final), (y, *state), strict=True):
        assert_close(torch.from_numpy(ours), theirs, f"{subject}: parallel in time")


def _arrays(*tensors: Tensor) -> tuple[Array, ...]:
    return tuple(tensor.detach().numpy() for tensor in tensors)


def _named(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    return dict(zip(tensors, _arrays(*tensors.values()), strict=True))


def _numpy(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with arrays in the place of tensors."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        found[name] = value.numpy() if isinstance(value, Tensor) else _named(value) if name == "noise" else value
    return found


def _oracle_agrees(subject: Subject, oracle: Oracle) -> None:
    x, hx = subject.x(), subject.hx()
    weights = _named(subject.weights())
    y, state = oracle(x.numpy(), weights, _arrays(*hx))
    actual = subject.run(x, hx)
    for ours, theirs in zip((actual[0], *actual[1]), (y, *state), strict=True):
        assert_close(ours, torch.from_numpy(np.asarray(theirs)), f"{subject}: against the oracle")
