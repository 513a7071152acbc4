"""A user's own cell as data: its traced equations, which a bundle carries and which run again without its file.

Nothing of the file is kept and nothing from a bundle is executed: a program is a list of sums, products and functions
from a fixed list, checked before it is used, and played node by node.

Letters: H hidden.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import asdict, field, make_dataclass
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from unrolled.cells.cell import Cell
from unrolled.core.errors import BundleError, ConfigError
from unrolled.core.records import Record
from unrolled.core.validation import restored
from unrolled.program import functions
from unrolled.program.bind import Step
from unrolled.program.equations import CELLS, Equations
from unrolled.program.program import BINARY, UNARY
from unrolled.program.trace import trace

_MOST_NODES, _MOST_UNITS = 4096, 16384
_UNARY: dict[str, Callable[..., Any]] = {
    "neg": operator.neg,
    "abs": abs,
    **{name: getattr(functions, name) for name in UNARY if name not in ("neg", "abs")},
}
_BINARY: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "max": functions.maximum,
    "min": functions.minimum,
}
_ARGUMENTS = {"product": 1, "sum": 1, **dict.fromkeys(UNARY, 1), **dict.fromkeys(BINARY, 2)}
_LEAVES = ("input", "noise", "state", "vector", "constant")

Key = tuple[int, tuple[tuple[str, Any], ...]]
"""H and the options, in order: what a program is of."""


class CarriedNode(Record):
    """One value, as of ``program.program.Node``."""

    op: str
    args: tuple[int, ...] = ()
    name: str = ""
    value: float = 0.0
    width: int = Field(1, ge=1, le=_MOST_UNITS)


class CarriedProgram(Record):
    """One step of a cell with some options at one size.

    Attributes:
        hidden: H.
        options: of the cell.
        heads: N.
        rates: mean of each noise.
        sizes: width of each part of the state.
        shapes: of the weights of ``matrices``.
        nodes: in order of evaluation; products do not add a bias.
        outputs: places of the new parts of the state.
    """

    hidden: int = Field(ge=1, le=_MOST_UNITS)
    options: dict[str, bool | int | float | str] = {}
    heads: int = Field(1, ge=1)
    rates: dict[str, float] = {}
    sizes: tuple[int, ...]
    shapes: dict[str, tuple[int, ...]] = {}
    nodes: tuple[CarriedNode, ...] = Field(min_length=1, max_length=_MOST_NODES)
    outputs: tuple[int, ...]

    @property
    def key(self) -> Key:
        return self.hidden, tuple(sorted(self.options.items()))


class CarriedCell(Record):
    """What a cell declares, and its programs; see ``unrolled.cells.Cell``."""

    name: str = Field(min_length=1, max_length=100)
    gates: tuple[str, ...]
    state: tuple[str, ...] = Field(min_length=1)
    vectors: tuple[str, ...] = ()
    matrices: tuple[str, ...] = ()
    recurrent: tuple[str, ...] | None = None
    noise: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    forget: str | None = None
    programs: tuple[CarriedProgram, ...] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        gates = self.gates if self.recurrent is None else self.recurrent
        known = {
            "input": {*self.gates}, "noise": {*self.noise}, "state": {*self.state}, "vector": {*self.vectors},
            "product": {*gates, *self.matrices},
        }  # fmt: skip
        for program in self.programs:
            for place, node in enumerate(program.nodes):
                if node.op not in (*_LEAVES, *_ARGUMENTS) or len(node.args) != _ARGUMENTS.get(node.op, 0):
                    raise ValueError(f"{node.op[:20]!r} is no operation with {len(node.args)} arguments")
                if node.op in known and node.name not in known[node.op]:
                    raise ValueError(f"{node.op} {node.name[:20]!r} is not declared")
                if not all(0 <= arg < place for arg in node.args):
                    raise ValueError("an argument comes after its use")
            if len(program.sizes) != len(self.state) or len(program.outputs) != len(self.state):
                raise ValueError("a part of the state is missing")
            if not all(0 <= place < len(program.nodes) for place in program.outputs):
                raise ValueError("an output is not there")
            if {*program.shapes} != {f"weight_{name}" for name in self.matrices} or {*program.rates} != {*self.noise}:
                raise ValueError("a shape or a rate is missing")
        return self


class Carried(Cell):
    """A cell that plays its programs."""

    name = "carried"
    gates = ()
    programs: ClassVar[dict[Key, CarriedProgram]] = {}

    def step(self, x: Any, R: Any, *state: Any) -> tuple[Any, ...]:
        program = self._of(tuple(map(_width, state)))
        given = dict(zip(self.state, state, strict=True))
        values: list[Any] = []
        for node in program.nodes:
            args = [values[arg] for arg in node.args]
            if node.op == "constant":
                values.append(node.value)
            elif node.op in ("input", "noise"):
                values.append(getattr(x, node.name))
            elif node.op == "state":
                values.append(given[node.name])
            elif node.op == "vector":
                values.append(getattr(R, node.name))
            elif node.op == "product":
                values.append(getattr(R, node.name)(*args))
            elif node.op == "sum":
                values.append(functions.mean(*args) * program.nodes[node.args[0]].width)
            else:
                values.append((_UNARY if len(args) == 1 else _BINARY)[node.op](*args))
        return tuple(values[place] for place in program.outputs)

    @property
    def heads(self) -> int:
        return next(one.heads for one in self._own())

    def rates(self) -> dict[str, float]:
        return dict(next(one.rates for one in self._own()))

    def shapes(self, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
        return super().shapes(input_size, hidden_size, bias=bias) | self._at(hidden_size).shapes

    def state_sizes(self, hidden_size: int) -> tuple[int, ...]:
        return self._at(hidden_size).sizes

    def _own(self) -> list[CarriedProgram]:
        """Its programs with the options at hand.

        Raises:
            ConfigError: there is none.
        """
        options = tuple(sorted(asdict(self).items()))
        found = [one for (_, own), one in self.programs.items() if own == options]
        if not found:
            raise self._unknown(f"options {dict(options)}")
        return found

    def _at(self, hidden: int) -> CarriedProgram:
        for one in self._own():
            if one.hidden == hidden:
                return one
        raise self._unknown(f"size {hidden}")

    def _of(self, sizes: tuple[int, ...]) -> CarriedProgram:
        for one in self._own():
            if one.sizes == sizes:
                return one
        raise self._unknown(f"state of {sizes} units")

    def _unknown(self, what: str) -> ConfigError:
        return ConfigError(
            f"its equations came with a bundle, which does not have them for the {what}",
            where=f"cell {self.name!r}",
            mend="name the file that registers the cell: cells: [my_cell.py]",
        )


def carry(cells: Iterable[tuple[Equations, int]]) -> list[dict[str, Any]]:
    """Of those cells that are not of this package what a bundle keeps, as JSON.

    Args:
        cells: each with H. One that no record can hold is left out and needs its file: its equations cannot become a
            program, its gates have weights of unusual shapes, or an option is no number or text.
    """
    found: dict[str, CarriedCell] = {}
    for cell, hidden in cells:
        if type(cell).__module__.startswith("unrolled.cells.") and not isinstance(cell, Carried):
            continue
        one = _carried(cell, hidden)
        if one is None:
            continue
        known = found.get(cell.name)
        programs = {program.key: program for part in (known, one) if part is not None for program in part.programs}
        found[cell.name] = one.model_copy(update={"programs": tuple(programs.values())})
    return [one.model_dump(mode="json") for one in found.values() if _whole(one)]


def adopt(stored: Any) -> None:
    """Make the cells that a bundle carries known by their names; those known already must have the same equations.

    Raises:
        BundleError: they are damaged, or another cell of that name is known.
    """
    if not isinstance(stored, list):
        raise BundleError("the cells are not a list", where="the manifest")
    for one in stored:
        record = restored(CarriedCell, one, where="a cell of the manifest")
        try:
            _adopt(record)
        except ConfigError as error:
            raise BundleError(f"the cell {record.name[:40]!r} is damaged ({error.what[:120]})") from error


def _adopt(record: CarriedCell) -> None:
    known = CELLS.get(record.name)
    if known is None:
        CELLS[record.name] = _made(record)
        return
    if isinstance(known, type) and issubclass(known, Carried):
        for program in record.programs:
            if known.programs.setdefault(program.key, program) != program or _declared(known) != _declared(record):
                raise _another(record)
        return
    kind = _made(record)
    original: Callable[..., Equations] = CELLS[record.name]
    if not all(_same(original, kind, program) for program in record.programs):
        raise _another(record)


def _carried(cell: Equations, hidden: int) -> CarriedCell | None:
    options = asdict(cell)  # type: ignore[call-overload]  # cells are dataclasses, their options the fields
    if not all(isinstance(value, bool | int | float | str) for value in options.values()):
        return None
    try:
        program = trace(cell, hidden, bias=False, training=True)
    except ConfigError:  # it trains by the reference all the same
        return None
    shapes = cell.shapes(1, hidden)
    nodes = tuple(
        CarriedNode(op=node.op, args=node.args, name=node.name if node.op in (*_LEAVES, "product") else "",
                    value=node.value, width=node.width)
        for node in program.nodes
    )  # fmt: skip
    own = CarriedProgram(
        hidden=hidden,
        options=options,
        heads=cell.heads,
        rates=cell.rates(),
        sizes=cell.state_sizes(hidden),
        shapes={f"weight_{name}": shapes[f"weight_{name}"] for name in cell.matrices},
        nodes=nodes,
        outputs=tuple(place for _, place in program.outputs),
    )
    return CarriedCell(name=cell.name, **_declared(cell), programs=(own,))


def _declared(cell: Any) -> dict[str, Any]:
    """What a cell, or its record, says of itself besides its equations."""
    names = ("gates", "state", "vectors", "matrices", "recurrent", "noise", "held", "forget")
    return {name: getattr(cell, name) for name in names}


def _made(record: CarriedCell) -> type[Carried]:
    """A class of cells that play the programs of a record."""
    options = [(name, type(value), field(default=value)) for name, value in record.programs[0].options.items()]
    namespace = _declared(record) | {
        "name": record.name,
        "programs": {program.key: program for program in record.programs},
        "__module__": "unrolled.carried",
    }
    title = "".join(part.capitalize() for part in record.name.split("_") if part.isidentifier()) or "Cell"
    try:
        return make_dataclass(title, options, bases=(Carried,), namespace=namespace, frozen=True)
    except TypeError as error:
        raise ConfigError(f"its options are no names ({error})", where=f"cell {record.name!r}") from error


def _whole(record: CarriedCell) -> bool:
    """Whether the shapes of all weights are those that the record leads to."""
    kind: Any = _made(record)
    return all(_fits(kind(**one.options), one) for one in record.programs)


def _fits(cell: Carried, program: CarriedProgram) -> bool:
    original = CELLS[cell.name](**program.options)
    return all(
        original.shapes(size, program.hidden, bias=bias) == cell.shapes(size, program.hidden, bias=bias)
        for size in (1, 5)
        for bias in (False, True)
    )


def _same(known: Callable[..., Equations], kind: type[Carried], program: CarriedProgram) -> bool:
    """Whether two cells take a random step to the same state."""
    try:
        cells: tuple[Equations, Equations] = (known(**program.options), kind(**program.options))
    except TypeError:
        return False
    hidden, random = program.hidden, np.random.default_rng(0)
    shapes = [cell.shapes(1, hidden) for cell in cells]
    if shapes[0] != shapes[1] or _declared(cells[0]) != _declared(cells[1]):
        return False
    weights = {name: random.normal(size=shape) / hidden**0.5 for name, shape in shapes[0].items()}
    x = random.normal(size=(2, len(kind.gates) * hidden))
    state = tuple(random.normal(size=(2, size)) for size in program.sizes)
    one, other = (Step(cell, weights, _linear)(x, state) for cell in cells)
    return all(np.allclose(a, b, rtol=1e-9, atol=1e-9) for a, b in zip(one, other, strict=True))


def _linear(v: Any, weight: Any, bias: Any) -> Any:
    y = v @ weight.T
    return y if bias is None else y + bias


def _width(part: Any) -> int:
    """Columns of a state: of a symbol those of its value."""
    return int(part.builder.width(part.place) if hasattr(part, "builder") else part.shape[-1])


def _another(record: CarriedCell) -> BundleError:
    return BundleError(
        f"it carries a cell {record.name!r}, and another one of that name, with other equations, is known here",
        mend="give one of them another name, or use the bundle in a process of its own",
    )
