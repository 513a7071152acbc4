"""From values to byte code: products take up what is added to them, products and additions fuse, and what can be done
column by column is gathered into passes.

Letters: W width (columns of a value).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from unrolled.native.code import Code, Group, Kind, Pass, Ref, Stage, aligned


@dataclass(eq=False)
class Value:
    """One value of a step: a ``ref`` to memory, a ``product``, a ``sum`` of columns, or an operation on arguments."""

    op: str
    width: int
    args: list[Value] = field(default_factory=list)
    """Of a product its factors."""
    terms: list[tuple[Value, ...]] = field(default_factory=list)
    """Of a sum of columns what is added up: a value, or two to be multiplied. They are its arguments too."""
    ref: Ref | None = None
    weights: list[int] = field(default_factory=list)
    """Of a product, one for each factor."""
    transposed: bool = False
    starts: list[Value] = field(default_factory=list)
    """References that a product begins with instead of 0."""
    goals: list[Ref] = field(default_factory=list)
    """Memory where it must stand in the end."""
    number: float | None = None
    """Of a constant."""
    level: int = 0


def memory(ref: Ref, width: int) -> Value:
    """A value that is there."""
    return Value("ref", width, ref=ref)


def lower(code: Code, goals: Iterable[tuple[Value, Ref]]) -> None:
    """Add the passes of a step to ``code`` that bring each value to its place."""
    wanted = []
    for value, ref in goals:
        if value.op in ("ref", "sum"):
            value = Value("copy", value.width, [value])
        value.goals.append(ref)
        wanted.append(value)
    values = _sorted(wanted)
    for value in values:  # each pass changes who uses what, and counting is what takes time
        if value.op == "add":
            _absorb(value, _uses(wanted))
    for value in values:
        if value.op in ("tally", "sum"):
            _gather(value, _uses(wanted))
    for value in values:
        if value.op == "add":
            _order(value, _uses(wanted))
    for value in _sorted(wanted):
        if value.op in ("add", "sub", "mul"):
            _fuse(value, _uses(wanted))
    values = _sorted(wanted)
    for value in values:
        value.level = _level(value)
    _sink(values)
    _Emitter(code, values).emit()


def _sorted(wanted: list[Value]) -> list[Value]:
    """Every value that is needed, arguments first."""
    found: dict[Value, None] = {}
    stack = [(value, False) for value in reversed(wanted)]
    while stack:
        value, ready = stack.pop()
        if value in found:
            continue
        if ready:
            found[value] = None
        else:
            stack.append((value, True))
            stack += [(arg, False) for arg in reversed(value.args + value.starts)]
    return list(found)


def _uses(wanted: list[Value]) -> Counter[Value]:
    return Counter(arg for value in _sorted(wanted) for arg in value.args + value.starts)


def _alone(value: Value, uses: Counter[Value]) -> bool:
    return uses[value] == 1 and not value.goals


def _absorb(value: Value, uses: Counter[Value]) -> None:
    """A sum with products in it becomes one product over all factors, begun from up to two references."""
    terms: list[Value] = []
    stack = [value]
    while stack:
        term = stack.pop()
        if term.op == "add" and (term is value or (_alone(term, uses) and term.width == value.width)):
            stack += reversed(term.args)
        else:
            terms.append(term)
    products = [t for t in terms if t.op == "product" and _alone(t, uses) and t.width == value.width]
    if not products or len({t.transposed for t in products}) > 1 or products[0].width == 1:
        return
    whole = Value("product", value.width, transposed=products[0].transposed)
    for each in products:
        whole.args += each.args
        whole.weights += each.weights
        whole.starts += each.starts
    rest = [term for term in terms if term not in products]
    for term in [term for term in rest if term.op == "ref"][: 2 - len(whole.starts)]:
        whole.starts.append(term)
        rest.remove(term)
    if len(whole.starts) > 2 or len(whole.args) > 64:
        return
    if not rest:
        value.op, value.args, value.weights = "product", whole.args, whole.weights
        value.starts, value.transposed = whole.starts, whole.transposed
        return
    *inner, last = rest
    for term in inner:
        whole = Value("add", value.width, [whole, term])
    value.args = [whole, last]


def _gather(value: Value, uses: Counter[Value]) -> None:
    """A sum of columns, over rows too, takes up additions and products in what it sums."""
    if value.op == "tally":
        (term,) = value.args
        if term.op == "mul" and _alone(term, uses) and term.width == value.width:
            value.op, value.args = "tally_product", list(term.args)
    else:
        stack = list(value.args)
        width = stack[0].width
        while stack:
            term = stack.pop()
            inside = term.op in ("add", "mul") and _alone(term, uses) and term.width == width
            if inside and term.op == "add" and all(arg.width == width for arg in term.args):
                stack += reversed(term.args)
            else:
                value.terms.append(tuple(term.args) if inside and term.op == "mul" else (term,))
        value.args = [factor for term in value.terms for factor in term]


def _order(value: Value, uses: Counter[Value]) -> None:
    """Of an addition of several terms the products come last, so that each fuses with what was added before."""
    terms: list[Value] = []
    stack = list(reversed(value.args))
    while stack:
        term = stack.pop()
        if term.op == "add" and _alone(term, uses) and term.width == value.width:
            stack += reversed(term.args)
        else:
            terms.append(term)
    terms.sort(key=lambda term: term.op == "mul" and _alone(term, uses) and term.width == value.width)
    first, *inner, last = terms
    for term in inner:
        first = Value("add", max(first.width, term.width), [first, term])
    value.args = [first, last]


def _fuse(value: Value, uses: Counter[Value]) -> None:
    """A product of two and an addition become one operation, three factors too; x (1 - x) becomes x - x x."""
    a, b = value.args
    if value.op == "mul":
        _fuse_factors(value, a, b, uses)
        return
    if b.op == "mul" and _alone(b, uses) and b.width == value.width and a is not b:
        value.op, value.args = "fma" if value.op == "add" else "fnma", [*b.args, a]
    elif a.op == "mul" and _alone(a, uses) and a.width == value.width and a is not b:
        value.op, value.args = "fma" if value.op == "add" else "fms", [*a.args, b]


def _fuse_factors(value: Value, a: Value, b: Value, uses: Counter[Value]) -> None:
    for x, other in ((a, b), (b, a)):
        if other.op == "sub" and other.args[1] is x and other.args[0].number == 1 and _alone(other, uses):
            value.op, value.args = "fnma", [x, x, x]
            return
    for x, other in ((a, b), (b, a)):
        if x.op == "mul" and _alone(x, uses) and x.width == value.width:
            value.op, value.args = "mul3", [*x.args, other]
            _fuse_slope(value, uses)
            return


def _fuse_slope(value: Value, uses: Counter[Value]) -> None:
    """Two factors and the derivative of a sigmoid, s - s s, or of a tanh, 1 - s s, become one operation."""
    for slope in value.args:
        if slope.op != "fnma" or not _alone(slope, uses) or slope.width != value.width:
            continue
        s, again, start = slope.args
        if s is again and (start is s or start.number == 1):
            others = [arg for arg in value.args if arg is not slope]
            value.op, value.args = "slope_sigmoid" if start is s else "slope_tanh", [*others, s]
            return


def _level(value: Value) -> int:
    """Passes that must be over before; narrow values come before wide ones of the same level."""
    if value.op == "ref":
        return 0
    if value.op == "sum":
        return max(arg.level for arg in value.args) + 1
    after = int(value.op == "product")
    return max((0 if arg.op == "ref" else arg.level + after for arg in value.args), default=0)


def _sink(values: list[Value]) -> None:
    """What only later passes want is computed there, unless more would have to be kept for it."""
    users: dict[Value, list[Value]] = defaultdict(list)
    for value in values:
        for arg in value.args:
            users[arg].append(value)
    for value in reversed(values):
        if value.op in ("ref", "product", "sum") or value.goals or value.width == 1 or not users[value]:
            continue
        if any(user.op == "product" or _reach(user) != value.width for user in users[value]):
            continue
        latest = min(user.level - (user.op == "sum") for user in users[value])
        kept = [arg for arg in value.args if arg.op not in ("ref", "sum") and not arg.goals and arg.level < latest]
        if latest > value.level and len(kept) <= 1:
            value.level = latest


def _reach(value: Value) -> int:
    """Columns of the pass that computes it."""
    return max(arg.width for arg in value.args) if value.op == "sum" else value.width


class _Emitter:
    """Writes passes, one for each level and width."""

    def __init__(self, code: Code, values: list[Value]) -> None:
        self._code = code
        self._values = [value for value in values if value.op != "ref"]
        self._scratch = 0
        self._users: dict[Value, list[Value]] = defaultdict(list)
        for value in self._values:
            for arg in value.args:
                self._users[arg].append(value)
        self._homes: dict[Value, Ref] = {}

    def emit(self) -> None:
        passes: dict[tuple[int, int, int], list[Value]] = defaultdict(list)
        for value in self._values:
            if value.op == "sum":
                view = self._narrow()
                self._homes[value] = Ref(view)
            else:
                self._settle(value)
            passes[self._key(value)].append(value)
        for key in sorted(passes):
            self._code.passes.append(_PassWriter(self._code, key[2], self._homes).write(passes[key]))

    def _key(self, value: Value) -> tuple[int, int, int]:
        width = _reach(value)
        return value.level - (value.op == "sum"), int(width > 1), width

    def _settle(self, value: Value) -> None:
        """Memory for a value that leaves its pass."""
        here, users = self._key(value), self._users[value]
        as_factor = any(user.op == "product" for user in users)
        if value.width == 1 and any(_reach(user) > 1 for user in users) and not as_factor:
            self._homes[value] = Ref(self._narrow())
        elif value.goals:
            self._homes[value] = value.goals[0]
        elif as_factor or any(self._key(user) != here for user in users):
            self._homes[value] = Ref(
                self._code.view(Kind.SCRATCH, 0, self._scratch + aligned(value.width)), self._scratch
            )
            self._scratch += aligned(value.width)

    def _narrow(self) -> int:
        count = sum(kind is Kind.NARROW for kind, _, _ in self._code.views)
        return self._code.view(Kind.NARROW, count, 1)


class _PassWriter:
    """Writes one pass: products first, then operations in order; slots are used again."""

    def __init__(self, code: Code, width: int, homes: dict[Value, Ref]) -> None:
        self._code, self._homes = code, homes
        self._pass = Pass(Stage.STEP, width)
        self._slots: dict[Value, int] = {}
        self._free: list[int] = []
        self._refs: dict[Ref, int] = {}

    def write(self, values: list[Value]) -> Pass:
        products = [value for value in values if value.op == "product"]
        others = [value for value in values if value.op not in ("product", "sum")]
        sums = [value for value in values if value.op == "sum"]
        order = products + others + sums
        last = {arg: index for index, value in enumerate(order) for arg in [*value.args, *value.starts, value]}
        groups: dict[object, Group] = {}
        for value in products:
            self._product(value, groups)
        for index, value in enumerate(others, len(products)):
            operands = [self._operand(arg) for arg in value.args]
            for arg in {*value.args}:
                if last[arg] == index and arg in self._slots:
                    self._free.append(self._slots.pop(arg))
            out = self._result(value)
            padded = [*operands, *[operands[0]] * (3 - len(operands))]
            self._pass.instructions.append((value.op, out, *padded))  # type: ignore[arg-type]
            self._copies(value, out)
        for value in sums:
            for term in value.terms:
                a, *b = map(self._operand, term)
                self._pass.sums.append((a, b[0] if b else -1, self._homes[value].view))
        return self._finished()

    def _product(self, value: Value, groups: dict[object, Group]) -> None:
        factors = [(self._home(arg), arg.width) for arg in value.args]
        heads = tuple(self._code.weights[weight][0] for weight in value.weights)
        key = (value.transposed, tuple(factors), heads)
        if key not in groups:
            groups[key] = Group(value.transposed, factors)
            self._pass.groups.append(groups[key])
        starts = [self._operand(start) for start in value.starts] + [-1, -1]
        out = self._result(value)
        groups[key].results.append((out, (starts[0], starts[1]), value.weights))
        self._copies(value, out)

    def _copies(self, value: Value, out: int) -> None:
        for goal in value.goals:
            if goal != self._homes[value]:
                self._pass.instructions.append(("copy", self._ref(goal), out, out, out))

    def _result(self, value: Value) -> int:
        if value in self._homes:
            return self._ref(self._homes[value])
        if not self._free:
            self._free.append(self._pass.slots)
            self._pass.slots += 1
        self._slots[value] = self._free.pop()
        return self._slots[value]

    def _operand(self, value: Value) -> int:
        return self._slots[value] if value in self._slots else self._ref(self._home(value))

    def _home(self, value: Value) -> Ref:
        return value.ref if value.ref is not None else self._homes[value]

    def _ref(self, ref: Ref) -> int:
        """Marked by a negative number until the slots are counted."""
        if ref not in self._refs:
            self._refs[ref] = len(self._refs)
            self._pass.refs.append(ref)
        return -2 - self._refs[ref]

    def _finished(self) -> Pass:
        def place(operand: int) -> int:
            return operand if operand >= -1 else self._pass.slots - 2 - operand

        done = self._pass
        done.instructions = [(op, *(place(o) for o in operands)) for op, *operands in done.instructions]  # type: ignore[misc]
        done.sums = [(place(a), place(b), view) for a, b, view in done.sums]
        for group in done.groups:
            group.results = [(place(o), (place(s[0]), place(s[1])), weights) for o, s, weights in group.results]
        return done
