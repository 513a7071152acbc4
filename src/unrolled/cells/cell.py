"""The base of all cells.

Letters: B batch, D input, H hidden, G gates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from unrolled.core.errors import ConfigError


@dataclass(frozen=True)
class Cell:
    """A recurrent cell: its equations and the shapes of its parameters, nothing about arrays, devices or speed.

    A cell file declares ``name``, ``gates`` and what else differs from the defaults, and writes::

        def step(self, x, R, h, c):
            ...
            return h, c

    ``x.<gate>`` is ``W_gate x_t + b_gate`` ``(B, H)``; ``R.<gate>(v)`` is ``R_gate v + b_gate`` of any expression
    v; ``R.<vector>`` is one weight for each hidden unit; the rest of the arguments are the parts of the state. The
    same lines run on NumPy arrays and torch tensors: use operators and ``unrolled.program.functions``.
    """

    name: ClassVar[str]
    """What net specs call it."""
    gates: ClassVar[tuple[str, ...]]
    """In the order of the rows of the weights."""
    state: ClassVar[tuple[str, ...]] = ("h",)
    """Parts of the state; the first is the output y_t."""
    vectors: ClassVar[tuple[str, ...]] = ()
    """Parameters of shape ``(H,)``, such as peepholes."""
    matrices: ClassVar[tuple[str, ...]] = ()
    """Products besides the gates; ``R.<matrix>(v)`` multiplies with the parameter ``weight_<matrix>``."""
    forget: ClassVar[str | None] = None
    """The gate whose bias starts open (``Initial.forget``)."""

    step: ClassVar[Callable[..., tuple[Any, ...]]]
    """One time step, ``(x, R, *state) -> state``."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        names = (*cls.gates, *cls.vectors, *cls.matrices)
        wrong = [name for name in (*names, *cls.state) if not name.isidentifier() or name.startswith("_")]
        if wrong or not cls.state or len({*names}) < len(names):
            raise ConfigError(
                f"gates, vectors, matrices {names} and state {cls.state} must be distinct Python names",
                where=f"cell {cls.name!r}",
            )

    def shapes(self, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
        """Parameters by name, in torch's order: ``weight_ih (G*H, D)``, ``weight_hh (G*H, H)``, biases, vectors."""
        rows = len(self.gates) * hidden_size
        biases: dict[str, tuple[int, ...]] = {"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}
        return {
            "weight_ih": (rows, input_size),
            "weight_hh": (rows, self.state_sizes(hidden_size)[0]),
            **biases,
            **{vector: (hidden_size,) for vector in self.vectors},
        }

    def state_sizes(self, hidden_size: int) -> tuple[int, ...]:
        """Width of each part of the state; the first is that of the output."""
        return (hidden_size,) * len(self.state)
