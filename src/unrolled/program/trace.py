"""A cell's equations run once on symbols: out comes its program.

Letters: H hidden.
"""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from types import FrameType, SimpleNamespace
from typing import Any, NoReturn

from unrolled.core.errors import ConfigError
from unrolled.program.builder import Builder
from unrolled.program.equations import Equations, parameters
from unrolled.program.program import Program
from unrolled.program.symbol import Refusal, Symbol


def trace(cell: Equations, hidden_size: int, *, bias: bool = True, training: bool = False) -> Program:
    """The program of one step.

    Its inputs are ``x.<gate>``, its outputs the new parts of the state. The second bias of a gate is a vector
    ``bias_hh.<gate>``. Each noise is a leaf in training, and its mean elsewhere.

    Args:
        cell: the equations.
        hidden_size: H.
        bias: whether ``R.<gate>`` adds a bias.
        training: keep the noise.

    Raises:
        ConfigError: the equations do what a program cannot hold (a branch on a value, an index, a function that is
            not in ``unrolled.program.functions``); the message names file, line and reason.
    """
    first, second = (_Trace(cell, hidden_size, bias, training).run() for _ in range(2))
    if first != second:
        raise ConfigError(
            "two traces of its equations differ: they draw random numbers, or remember",
            where=f"cell {cell.name!r}",
            mend="declare random masks as `noise`, and what is remembered as a part of `state`",
        )
    return first


class _Names(SimpleNamespace):
    """What the equations call ``x`` and ``R``."""

    def __getattr__(self, name: str) -> NoReturn:
        raise Refusal(f"asks for {name!r}, which the cell does not declare; here are {', '.join(vars(self)) or 'none'}")


class _Trace:
    """One run of a cell's equations on symbols."""

    def __init__(self, cell: Equations, hidden_size: int, bias: bool, training: bool) -> None:
        self._cell, self._hidden, self._bias, self._training = cell, hidden_size, bias, training
        self._shapes = parameters(cell, 1, hidden_size, bias=bias)
        self._builder = Builder()
        self._locals: dict[str, Any] = {}

    def run(self) -> Program:
        cell, sizes = self._cell, self._cell.state_sizes(self._hidden)
        x = _Names(**{gate: self._leaf("input", gate, self._hidden) for gate in cell.gates}, **self._noise())
        state = [self._leaf("state", part, size) for part, size in zip(cell.state, sizes, strict=True)]
        try:
            new = self._step(x, _Names(**dict(self._recurrence())), *state)
            outputs = list(self._outputs(new, sizes))
        except Refusal as refusal:
            raise self._located(f"it {refusal}", refusal) from None
        except Exception as error:  # whatever a user's code raises on symbols
            raise self._located(f"{type(error).__name__}: {error}", error) from error
        self._label()
        return self._builder.program(outputs)

    def _step(self, *arguments: Any) -> Any:
        """Call the equations, and look at their local names when they return (unless a profiler is at work)."""
        code = getattr(self._cell.step, "__code__", None)

        def look(frame: FrameType, event: str, _: Any) -> None:
            if event == "return" and frame.f_code is code:
                self._locals = dict(frame.f_locals)

        if sys.getprofile() is not None:
            return self._cell.step(*arguments)
        sys.setprofile(look)
        try:
            return self._cell.step(*arguments)
        finally:
            sys.setprofile(None)

    def _label(self) -> None:
        """Write the names that the equations gave onto the nodes."""
        nodes = self._builder.nodes
        for name, value in self._locals.items():
            if isinstance(value, Symbol) and name not in self._cell.state:
                node = nodes[value.place]
                if node.args and node.op != "product":
                    nodes[value.place] = replace(node, name=name)

    def _noise(self) -> dict[str, Any]:
        if not self._training:
            rates = self._cell.rates()
            return {name: rates[name] for name in self._cell.noise}
        return {name: self._leaf("noise", name, self._hidden) for name in self._cell.noise}

    def _recurrence(self) -> Iterator[tuple[str, Any]]:
        """What the equations call ``R``."""
        cell = self._cell
        size = cell.state_sizes(self._hidden)[0]
        for gate in cell.gates if cell.recurrent is None else cell.recurrent:
            yield gate, partial(self._product, gate, (self._hidden, size), self._bias)
        for matrix in cell.matrices:
            *blocks, out, inside = self._shapes[f"weight_{matrix}"]
            heads = math.prod(blocks)
            yield matrix, partial(self._product, matrix, (heads * out, heads * inside), False)
        for vector in cell.vectors:
            yield vector, self._leaf("vector", vector, *self._shapes[vector])

    def _product(self, name: str, shape: tuple[int, int], bias: bool, v: Any) -> Symbol:
        if not isinstance(v, Symbol):
            raise Refusal(f"multiplies R.{name} with a {type(v).__name__}")
        width = self._builder.width(v.place)
        if width != shape[1]:
            raise Refusal(f"multiplies R.{name}, which takes {shape[1]} columns, with a value of {width}")
        if not self._has_rows(v.place):
            raise Refusal(f"multiplies R.{name} with a value that depends neither on x nor on the state")
        result = Symbol(self._builder, self._builder.product("product", name, v.place, shape[0]))
        return result + self._leaf("vector", f"bias_hh.{name}", shape[0]) if bias else result

    def _outputs(self, new: Any, sizes: tuple[int, ...]) -> Iterator[tuple[str, int]]:
        parts = self._cell.state
        if not isinstance(new, tuple) or len(new) != len(parts):
            raise Refusal(f"must return the tuple ({', '.join(parts)}{',' if len(parts) == 1 else ''})")
        for part, size, value in zip(parts, sizes, new, strict=True):
            if not isinstance(value, Symbol) or not self._has_rows(value.place):
                raise Refusal(f"returns for {part} what depends neither on x nor on the state")
            if self._builder.width(value.place) != size:
                raise Refusal(f"returns {self._builder.width(value.place)} columns for {part}, which has {size}")
            yield part, value.place

    def _has_rows(self, place: int) -> bool:
        node = self._builder.nodes[place]
        return node.op in ("input", "noise", "state") or any(self._has_rows(arg) for arg in node.args)

    def _leaf(self, op: str, name: str, width: int) -> Symbol:
        return Symbol(self._builder, self._builder.leaf(op, name, width))

    def _located(self, what: str, error: Exception) -> ConfigError:
        """The error with the line of the equations that led to it."""
        code = getattr(self._cell.step, "__code__", None)
        own = None if code is None else code.co_filename
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == own]
        line = frames[-1].lineno if frames else None if code is None else code.co_firstlineno
        return ConfigError(
            f"its equations cannot become a program: {what}",
            where=f"cell {self._cell.name!r} ({own or 'unknown file'}, line {line})",
            mend="write it with operators and unrolled.program.functions",
        )
