"""From a net to its plan: the layers run once on symbols, and each operation notes itself down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from torch import Tensor, nn

from unrolled.program.plan import Op

P = ParamSpec("P")
R = TypeVar("R")


class Trace:
    """The operations noted so far, with weights under their ``state_dict`` names."""

    def __init__(self, net: nn.Module) -> None:
        self.ops: list[Op] = []
        self._names = {id(tensor): name for name, tensor in net.state_dict(keep_vars=True).items()}

    def symbol(self, name: str) -> Tensor:
        """What stands for a tensor while layers are traced."""
        return cast(Tensor, Symbol(name, self))

    def name(self, value: Tensor) -> str:
        """The name of a symbol."""
        return cast(Symbol, value).name

    def note(
        self, op: str, inputs: tuple[Any, ...], tensors: dict[str, Tensor], options: dict[str, Any], outputs: int
    ) -> Any:
        """Add an operation; returns its output, or a tuple when there are several."""
        names = tuple(f"v{len(self.ops)}_{k}" if outputs > 1 else f"v{len(self.ops)}" for k in range(outputs))
        self.ops.append(
            Op(
                op=op,
                inputs=tuple(None if value is None else value.name for value in inputs),
                outputs=names,
                weights={role: self._names[id(tensor)] for role, tensor in tensors.items()},
                options=options,
            )
        )
        symbols = tuple(Symbol(name, self) for name in names)
        return symbols if outputs > 1 else symbols[0]


@dataclass(frozen=True, eq=False)
class Symbol:
    """A value of a plan that is being traced."""

    name: str
    trace: Trace


def tracing(*values: object) -> Trace | None:
    """The trace that is going on, or None when the values are tensors."""
    return next((value.trace for value in values if isinstance(value, Symbol)), None)


def op(outputs: int = 1, name: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function on tensors one that notes itself down when it is called with symbols.

    Values are passed by position; weights (tensors) and options (anything else) by keyword.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            trace = tracing(*args)
            if trace is None:
                return function(*args, **kwargs)
            tensors = {role: value for role, value in kwargs.items() if isinstance(value, Tensor)}
            options = {key: value for key, value in kwargs.items() if value is not None and key not in tensors}
            return cast(R, trace.note(name or function.__name__, args, tensors, options, outputs))

        return call

    return decorate
