"""From a cell's program and its derivative to byte code for whole sequences.

Letters: D input, H hidden, G gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from unrolled.native.code import Code, Group, Kind, Pass, Ref, Stage, aligned
from unrolled.native.lower import Value, lower, memory
from unrolled.program import Derivative, Node, Program


@dataclass(frozen=True)
class Tables:
    """The order in which a kernel takes names, and their sizes."""

    program: Program
    derivative: Derivative | None
    gates: tuple[str, ...]
    input_size: int
    heads: Mapping[str, int]
    parts: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    gate_widths: tuple[int, ...] = ()
    extras: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    weights: tuple[tuple[int, int, int], ...] = ()
    """Heads, rows and columns: of ``products``, then of each gate's part of ``weight_ih``."""
    vector_widths: tuple[int, ...] = ()
    saved: tuple[int, ...] = ()
    """Forward nodes that are kept for backward; each is a plane ``(B, width)`` of its own at each step."""
    saved_widths: tuple[int, ...] = ()

    @staticmethod
    def of(
        program: Program, derivative: Derivative | None, gates: tuple[str, ...], size: int, heads: Mapping[str, int]
    ) -> Tables:
        """The tables of a program; those of its derivative belong to the same."""
        width = {node.name: node.width for node in program.nodes if node.op == "input"}
        hidden = next(iter(width.values()), program.nodes[program.outputs[0][1]].width)
        shapes = {
            node.name: (heads.get(node.name, 1), node.width, program.nodes[node.args[0]].width)
            for node in program.nodes
            if node.op == "product"
        }
        vectors = {node.name: node.width for node in program.nodes if node.op == "vector"}
        gate_widths = tuple(width.get(gate, hidden) for gate in gates)
        saved = () if derivative is None else derivative.saved
        return Tables(
            program,
            derivative,
            gates,
            size,
            heads,
            parts=tuple(name for name, _ in program.outputs),
            widths=tuple(program.nodes[place].width for _, place in program.outputs),
            gate_widths=gate_widths,
            extras=tuple(dict.fromkeys(program.leaves("noise"))),
            products=tuple(shapes),
            vectors=tuple(vectors),
            weights=(*shapes.values(), *((1, width, size) for width in gate_widths)),
            vector_widths=(*vectors.values(), *gate_widths),
            saved=saved,
            saved_widths=tuple(aligned(program.nodes[place].width) for place in saved),
        )

    def gate(self, name: str) -> int:
        """The weight of a gate's projection."""
        return len(self.products) + self.gates.index(name)


class _Lowering:
    """What forward and backward share: leaves, products and operations of a program as values."""

    def __init__(self, tables: Tables, program: Program) -> None:
        self.tables, self.program = tables, program
        self.code = Code(len(tables.parts), tables.weights, tables.vector_widths)
        for part, width in enumerate(tables.widths):
            for kind in (Kind.PREVIOUS, Kind.NEXT):
                self.code.view(kind, part, width)
        self._mixed = _mixed(program)

    def values(self, leaf: Callable[[Node], Value]) -> list[Value]:
        """A value for each node. Where narrow values meet wide ones, they are repeated over the columns by a sum."""
        values: list[Value] = []
        for node in self.program.nodes:
            args = [values[arg] for arg in node.args]
            if node.op in ("product", "transposed"):
                weight = self.tables.products.index(node.name)
                value = Value("product", node.width, args, weights=[weight], transposed=node.op == "transposed")
            elif node.op == "constant":
                value = memory(self.code.constant(node.value), node.width)
                value.number = node.value
            elif args:
                value = Value(node.op, node.width, args)
            else:
                value = leaf(node)
            given = value.op == "product" or (not args and not self._repeated(value))
            if self._mixed and value.width == 1 and given and node.op != "constant":
                value = Value("sum", 1, [value])
            values.append(value)
        return values

    def _repeated(self, value: Value) -> bool:
        return value.ref is not None and self.code.views[value.ref.view][0] is Kind.REPEATED

    def ref(self, kind: Kind, index: int, width: int, column: int = 0) -> Value:
        return memory(Ref(self.code.view(kind, index, column + width), column), width)

    def vector(self, name: str) -> Value:
        index = self.tables.vectors.index(name)
        return self.ref(Kind.VECTOR, index, self.tables.vector_widths[index])

    def bias_ih(self, gate: str) -> Value:
        index = len(self.tables.vectors) + self.tables.gates.index(gate)
        return self.ref(Kind.VECTOR, index, self.tables.vector_widths[index])

    def given(self, node: Node) -> Value:
        """Leaves that mean the same forward and backward."""
        match node.op:
            case "state":
                part = self.tables.parts.index(node.name)
                return self.ref(Kind.PREVIOUS, part, self.tables.widths[part])
            case "noise":
                return self.ref(Kind.EXTRA, self.tables.extras.index(node.name), node.width)
            case "vector":
                return self.vector(node.name)
        raise ValueError(f"unknown leaf {node.op!r}")


def _mixed(program: Program) -> bool:
    """Whether narrow values meet wide ones: they are then kept repeated in every column of a vector."""
    nodes = program.nodes
    return any(
        node.width > 1 and any(nodes[arg].width == 1 and nodes[arg].op != "constant" for arg in node.args)
        for node in nodes
        if node.op not in ("product", "transposed")
    )


def forward_code(tables: Tables, *, save: bool, fused: bool) -> Code:
    """One step forward.

    Args:
        tables: names and sizes.
        save: leave what backward needs.
        fused: multiply x in each step, together with the state; otherwise for a chunk of steps before.
    """
    lowering = _Lowering(tables, tables.program)
    code = lowering.code
    starts = [sum(map(aligned, tables.gate_widths[:gate])) for gate in range(len(tables.gates))]

    def leaf(node: Node) -> Value:
        if node.op != "input":
            return lowering.given(node)
        gate = tables.gates.index(node.name)
        if not fused:
            return lowering.ref(Kind.PROJECTED, 0, node.width, starts[gate])
        x = lowering.ref(Kind.INPUT, 0, tables.input_size)
        product = Value("product", node.width, [x], weights=[tables.gate(node.name)])
        return Value("add", node.width, [product, lowering.bias_ih(node.name)])

    if not fused:
        code.passes += _prologue(lowering, starts)
    values = lowering.values(leaf)
    goals = [
        (values[place], Ref(code.view(Kind.NEXT, part, tables.widths[part])))
        for part, (_, place) in enumerate(tables.program.outputs)
    ]
    for plane, place in enumerate(tables.saved) if save else ():
        goals.append((values[place], Ref(code.view(Kind.SAVED, plane, tables.saved_widths[plane]))))
    lower(code, goals)
    return code


def linear_code(inputs: int, outputs: int) -> Code:
    """``W x_t + b``, without a state: the head of a stream."""
    code = Code(1, ((1, outputs, inputs),), (outputs,))
    x, out = Ref(code.view(Kind.INPUT, 0, inputs)), Ref(code.view(Kind.NEXT, 0, outputs))
    group = Group(False, [(x, inputs)], [(0, (1, -1), [0])])
    bias = Ref(code.view(Kind.VECTOR, 0, outputs))
    code.passes.append(Pass(Stage.STEP, outputs, refs=[out, bias], groups=[group]))
    return code


def _prologue(lowering: _Lowering, starts: list[int]) -> list[Pass]:
    """``W x_t + b`` of all gates of one width, into ``PROJECTED``."""
    tables, code = lowering.tables, lowering.code
    passes: dict[int, Pass] = {}
    x = Ref(code.view(Kind.INPUT, 0, tables.input_size))
    for gate, width in enumerate(tables.gate_widths):
        each = passes.setdefault(width, Pass(Stage.PROLOGUE, width, groups=[Group(False, [(x, tables.input_size)])]))
        bias = lowering.bias_ih(tables.gates[gate]).ref
        target = Ref(code.view(Kind.PROJECTED, 0, starts[gate] + aligned(width)), starts[gate])
        assert bias is not None
        each.refs += [bias, target]
        out = len(each.refs) - 1
        each.groups[0].results.append((out, (out - 1, -1), [tables.gate(tables.gates[gate])]))
    return list(passes.values())


def backward_code(tables: Tables, *, want_input: bool) -> Code:
    """One step backward, and what is multiplied after a chunk of steps."""
    derivative = tables.derivative
    assert derivative is not None
    lowering = _Lowering(tables, derivative.program)
    code = lowering.code
    for part, width in enumerate(tables.widths):
        code.view(Kind.CARRY, part, width)
        code.view(Kind.CARRY_NEXT, part, width)

    def leaf(node: Node) -> Value:
        match node.op:
            case "gradient":
                part = tables.parts.index(node.name)
                carry = lowering.ref(Kind.CARRY, part, node.width)
                if part:
                    return carry
                return Value("add", node.width, [lowering.ref(Kind.D_OUTPUT, 0, node.width), carry])
            case "output":
                return lowering.ref(Kind.NEXT, tables.parts.index(node.name), node.width)
            case "saved":
                repeated = node.width == 1 and _mixed(tables.program)
                kind = Kind.REPEATED if repeated else Kind.SAVED
                return lowering.ref(kind, tables.saved.index(int(node.name)), node.width)
        return lowering.given(node)

    values = lowering.values(leaf)
    outputs = dict(derivative.program.outputs)
    columns: dict[int, int] = {}
    goals: list[tuple[Value, Ref]] = []
    for part, (name, width) in enumerate(zip(tables.parts, tables.widths, strict=True)):
        place = outputs.get(f"state.{name}")
        value = memory(code.constant(0.0), width) if place is None else values[place]
        goals.append((value, Ref(code.view(Kind.CARRY_NEXT, part, width))))
    total = 0
    for name, place in outputs.items():
        if name.startswith(("state.", "vector.")) or place in columns:
            continue
        columns[place] = total
        width = derivative.program.nodes[place].width
        goals.append((values[place], Ref(code.view(Kind.OUTER, 0, total + aligned(width)), total)))
        total += aligned(width)
    for index, name in enumerate(tables.vectors):
        place = outputs.get(f"vector.{name}")
        if place is not None and place not in columns:
            width = derivative.program.nodes[place].width
            goals.append((Value("tally", width, [values[place]]), Ref(code.view(Kind.TALLIED, index, width))))
    lower(code, goals)
    column = {name: columns[place] for name, place in outputs.items() if place in columns}
    _jobs(lowering, derivative, column)
    if want_input:
        code.passes += _epilogue(lowering, column)
    return code


def _jobs(lowering: _Lowering, derivative: Derivative, column: Mapping[str, int]) -> None:
    """Gradients of weights and vectors, from the adjoints of many steps."""
    tables, code = lowering.tables, lowering.code
    for number, (name, place) in enumerate(derivative.products):
        if f"product.{number}" not in column:
            continue
        weight = tables.products.index(name)
        heads, out, inside = tables.weights[weight]
        operand = _operand(lowering, place)
        for head in range(heads):
            rows, across = out // heads, inside // heads
            ref = Ref(operand.view, operand.column + head * across)
            begin = column[f"product.{number}"] + head * rows
            code.jobs.append((begin, rows, ref, across, weight, head * rows * across))
    x = Ref(code.view(Kind.INPUT, 0, tables.input_size))
    for index, gate in enumerate(tables.gates):
        if f"input.{gate}" in column:
            begin, width = column[f"input.{gate}"], tables.gate_widths[index]
            code.jobs.append((begin, width, x, tables.input_size, tables.gate(gate), 0))
            code.vector_jobs.append((begin, width, len(tables.vectors) + index))
    for index, name in enumerate(tables.vectors):
        if f"vector.{name}" in column:
            code.vector_jobs.append((column[f"vector.{name}"], tables.vector_widths[index], index))


def _operand(lowering: _Lowering, place: int) -> Ref:
    """Where the operand of a product lies, row by row."""
    tables = lowering.tables
    node = tables.program.nodes[place]
    if node.op in ("state", "noise"):
        value = lowering.given(node)
    elif place in tables.saved:
        value = lowering.ref(Kind.SAVED, tables.saved.index(place), node.width)
    else:
        part = next(part for part, (_, new) in enumerate(tables.program.outputs) if new == place)
        value = lowering.ref(Kind.NEXT, part, node.width)
    assert value.ref is not None
    return value.ref


def _epilogue(lowering: _Lowering, column: Mapping[str, int]) -> list[Pass]:
    """``dx = sum over gates of W^T d``, for a chunk of steps."""
    tables, code = lowering.tables, lowering.code
    gates = [gate for gate in tables.gates if f"input.{gate}" in column]
    outer = code.view(Kind.OUTER, 0, 1)
    group = Group(
        True,
        [(Ref(outer, column[f"input.{g}"]), tables.gate_widths[tables.gates.index(g)]) for g in gates],
        [(0, (-1, -1), [tables.gate(gate) for gate in gates])],
    )
    target = Ref(code.view(Kind.D_INPUT, 0, tables.input_size))
    return [Pass(Stage.EPILOGUE, tables.input_size, refs=[target], groups=[group])]
