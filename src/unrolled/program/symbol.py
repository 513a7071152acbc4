"""A value that stands for one not yet known: operators and methods on it write a program."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, NoReturn

from unrolled.program.builder import Builder


class Refusal(Exception):
    """What symbols cannot do, as the rest of a sentence that begins with \"it\"."""


class Symbol:
    """A value of a program that is being built; has the operators and methods that cells use."""

    __array_ufunc__ = None  # numpy's functions and operators leave symbols alone
    __hash__ = object.__hash__

    def __init__(self, builder: Builder, place: int) -> None:
        self.builder, self.place = builder, place

    def __add__(self, other: Any) -> Symbol:
        return self._with("add", self, other)

    def __radd__(self, other: Any) -> Symbol:
        return self._with("add", other, self)

    def __sub__(self, other: Any) -> Symbol:
        return self._with("sub", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return self._with("sub", other, self)

    def __mul__(self, other: Any) -> Symbol:
        return self._with("mul", self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return self._with("mul", other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return self._with("div", self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return self._with("div", other, self)

    def __pow__(self, exponent: Any) -> Symbol:
        if type(exponent) is float and exponent == 0.5:
            return self.sqrt()
        if type(exponent) is not int or not 1 <= exponent <= 8:
            raise Refusal(f"takes the power {exponent!r}; powers are 0.5 and the whole numbers 1 to 8")
        return math.prod([self] * (exponent - 1), start=self)

    def __neg__(self) -> Symbol:
        return self._with("neg", self)

    def __pos__(self) -> Symbol:
        return self

    def __abs__(self) -> Symbol:
        return self._with("abs", self)

    def tanh(self) -> Symbol:
        return self._with("tanh", self)

    def sigmoid(self) -> Symbol:
        return self._with("sigmoid", self)

    def relu(self) -> Symbol:
        return self._with("relu", self)

    def exp(self) -> Symbol:
        return self._with("exp", self)

    def log(self) -> Symbol:
        return self._with("log", self)

    def sqrt(self) -> Symbol:
        return self._with("sqrt", self)

    def softplus(self) -> Symbol:
        return self._with("softplus", self)

    def positive(self) -> Symbol:
        return self._with("positive", self)

    def maximum(self, other: Any) -> Symbol:
        return self._with("max", self, other)

    def minimum(self, other: Any) -> Symbol:
        return self._with("min", self, other)

    def mean(self) -> Symbol:
        """Over the columns of each row."""
        total = Symbol(self.builder, self.builder.total(self.place))
        return total * (1 / self.builder.width(self.place))

    def _with(self, op: str, *values: Any) -> Symbol:
        """The operation on symbols and numbers."""
        places = []
        for value in values:
            if isinstance(value, Symbol):
                places.append(value.place)
            elif isinstance(value, Real):
                places.append(self.builder.constant(float(value)))
            else:
                kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
                raise Refusal(f"mixes in a {kind}; an array must be one of the cell's `vectors`")
        try:
            return Symbol(self.builder, self.builder.pointwise(op, *places))
        except ValueError as error:
            raise Refusal(f"combines values whose {error}") from error

    def _compare(self, *_: Any) -> NoReturn:
        raise Refusal("compares values or branches on one; use maximum, minimum or relu")

    def _number(self, *_: Any) -> NoReturn:
        raise Refusal("makes a number of a value; use unrolled.program.functions in the place of math, numpy or torch")

    def _index(self, *_: Any) -> NoReturn:
        raise Refusal("looks inside a value (index, length, loop); a program acts on whole rows")

    def _matmul(self, *_: Any) -> NoReturn:
        raise Refusal("multiplies matrices; declare `gates` or `matrices`, and write R.<name>(v)")

    def _in_place(self, *_: Any) -> NoReturn:
        raise Refusal("changes a value in place, and others may still read it; write v = v + w for v += w")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _compare
    __float__ = __int__ = __complex__ = __index__ = __array__ = _number
    __getitem__ = __setitem__ = __iter__ = __len__ = __contains__ = _index
    __matmul__ = __rmatmul__ = _matmul
    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ipow__ = _in_place

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"values have no {name!r}; use operators and unrolled.program.functions")

    def __repr__(self) -> str:
        return f"<value {self.place}>"
