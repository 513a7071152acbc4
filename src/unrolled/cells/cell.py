"""The base of all cells.

Letters: B batch, D input, H hidden, G gates, N heads.
"""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from unrolled.core.errors import ConfigError
from unrolled.program.functions import Array

Uniform = Callable[..., Array]
"""``uniform(*shape)``: random numbers from 0 to 1."""


_LISTED = ("gates", "state", "vectors", "matrices", "recurrent", "noise", "held")


@dataclass(frozen=True)
class Cell:
    """A recurrent cell: its equations and the shapes of its parameters, nothing about arrays, devices or speed.

    A cell file declares ``name``, ``gates`` and what else differs from the defaults, and writes::

        def step(self, x, R, h, c):
            ...
            return h, c

    ``x.<gate>`` is ``W_gate x_t + b_gate`` ``(B, H)``; ``R.<gate>(v)`` is ``R_gate v + b_gate`` of any expression
    v; ``R.<vector>`` is one weight for each hidden unit; ``x.<noise>`` is a random mask; the rest of the arguments
    are the parts of the state. The same lines run on NumPy arrays and torch tensors, and are traced to a program:
    use operators and ``unrolled.program.functions``.
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
    recurrent: ClassVar[tuple[str, ...] | None] = None
    """The gates with a recurrent product, whose rows ``weight_hh`` and ``bias_hh`` hold; None for all of them."""
    noise: ClassVar[tuple[str, ...]] = ()
    """Random masks ``(B, H)`` of zeros and ones in training; elsewhere each is its mean, a number."""
    held: ClassVar[tuple[str, ...]] = ()
    """Noises that are drawn once for all steps of a sequence; the others are drawn at every step."""
    forget: ClassVar[str | None] = None
    """The gate whose bias starts open, or the vector that is this bias (``Initial.forget``)."""

    step: ClassVar[Callable[..., tuple[Any, ...]]]
    """One time step, ``(x, R, *state) -> state``."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        where = f"cell {getattr(cls, 'name', cls.__name__)!r}"
        for needed in ("name", "gates"):
            if not hasattr(cls, needed):
                raise ConfigError(f"it declares no {needed!r}", where=where)
        for listed in _LISTED:
            value = getattr(cls, listed)
            if isinstance(value, str):
                raise ConfigError(f"{listed} is a text", where=where, mend=f"write a tuple: ({value!r},)")
        names = (*cls.gates, *cls.vectors, *cls.matrices, *cls.noise)
        wrong = [name for name in (*names, *cls.state) if not _is_name(name)]
        if wrong or not cls.state or len({*names}) < len(names):
            raise ConfigError(
                f"gates, vectors, matrices, noise {names} and state {cls.state} must be distinct Python names",
                where=where,
            )
        chosen = (cls.forget,) if isinstance(cls.forget, str) else ()
        for of, inside, all_of in (
            ("recurrent", cls.recurrent or (), cls.gates),
            ("held", cls.held, cls.noise),
            ("forget", chosen, (*cls.gates, *cls.vectors)),
        ):
            if not {*inside} <= {*all_of}:
                raise ConfigError(f"{inside} must be some of {all_of}", where=f"{where}.{of}")
        if not hasattr(cls, "step"):
            raise ConfigError("it has no equations", where=where, mend="write its step")
        try:
            inspect.signature(cls.step).bind(cls, None, None, *cls.state)
        except TypeError as error:
            mend = f"write def step(self, x, R, {', '.join(cls.state)})"
            what = f"its step does not take the parts of the state ({error})"
            raise ConfigError(what, where=where, mend=mend) from error

    @property
    def heads(self) -> int:
        """N: the recurrent product of each gate is N blocks along the diagonal, each of H / N units."""
        return 1

    def rates(self) -> dict[str, float]:
        """Probability of a one, for each noise."""
        return {}

    def shapes(self, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
        """Parameters by name, in torch's order: ``weight_ih (G*H, D)``, ``weight_hh (G*H, H)``, biases, vectors.

        With several heads ``weight_hh`` is ``(G*N, H/N, H/N)``, all blocks of the first gate first.

        Raises:
            ConfigError: the heads do not divide the hidden units.
        """
        rows, heads = len(self.gates) * hidden_size, self.heads
        recurrent = len(self.gates if self.recurrent is None else self.recurrent)
        if hidden_size % heads:
            raise ConfigError(f"{heads} heads cannot share {hidden_size} units", where=f"cell {self.name!r}")
        back = self.state_sizes(hidden_size)[0]
        whole, blocks = (recurrent * hidden_size, back), (recurrent * heads, hidden_size // heads, back // heads)
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, input_size)}
        if recurrent:
            shapes["weight_hh"] = whole if heads == 1 else blocks
        if bias:
            shapes["bias_ih"] = (rows,)
        if bias and recurrent:
            shapes["bias_hh"] = (recurrent * hidden_size,)
        return shapes | {vector: (hidden_size,) for vector in self.vectors}

    def state_sizes(self, hidden_size: int) -> tuple[int, ...]:
        """Width of each part of the state; the first is that of the output."""
        return (hidden_size,) * len(self.state)

    def starts(self, hidden_size: int, uniform: Uniform) -> dict[str, Array]:
        """Initial values that the paper gives, for parameters that do not start as ``Initial`` says.

        Args:
            hidden_size: H.
            uniform: ``uniform(*shape)`` draws from 0 .. 1.

        Returns:
            Values that can be broadcast, by parameter, or by ``"bias_ih.<gate>"`` and ``"weight_hh.<gate>"`` for
            the rows of one gate.
        """
        return {}


def _is_name(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_") and not keyword.iskeyword(name)


def check_rate(option: str, rate: float) -> None:
    """Refuse an option that is no share of units.

    Raises:
        ConfigError: not from 0 to below 1.
    """
    if not 0 <= rate < 1:
        raise ConfigError(f"{option} must lie from 0 to below 1, it is {rate}", where="options of the cell")
