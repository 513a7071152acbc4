"""A net that reads a sequence as it arrives: after each step it gives what the whole net would give so far.

Letters: B independent streams, T time, D inputs, K static inputs, H horizon, F known inputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError, DataError
from unrolled.program import equations
from unrolled.program.ops import CARRIED, OPS
from unrolled.program.plan import Op, Plan
from unrolled.runtime.chain import Chain, Layer
from unrolled.runtime.convolution import Convolution
from unrolled.runtime.pooling import pool_so_far

Array = npt.NDArray[Any]
State = dict[str, Any]

_BY_STEP = (
    *("activation", "batch_norm", "columns", "conv2d", "embedding", "end_in_blank", "layer_norm", "linear", "merge"),
    *("mix", "multiply", "places", "slice_axis", "top_k", "unflatten"),
)
"""Operations on sequences that look at one step at a time."""


class _Step(NamedTuple):
    """An operation with everything but its inputs bound; values are given and taken by name."""

    run: Callable[..., tuple[Any, ...]]
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]


class Stream:
    """A plan at work step by step, with carried state; :meth:`step` equals the net on all steps so far.

    Layers may run at a slower pace (``slow``, convolutions with a stride): what they say is held until they say more.

    Args:
        plan: of a net whose every layer can stream.
        weights: tensors by ``state_dict`` name; they are copied.
        batch: B, independent streams in one object.
        static: ``(B, K)``.
        known: ``(B, H, F)``, the same at every step.
        lazy: recurrent layers multiply only with what has changed since the step before; see ``Chain``.

    Raises:
        ConfigError: an operation of the plan needs the whole sequence; it is named.
    """

    def __init__(
        self,
        plan: Plan,
        weights: Mapping[str, Array],
        batch: int = 1,
        *,
        static: Array | None = None,
        known: Array | None = None,
        lazy: bool = False,
    ) -> None:
        self.plan, self.batch = plan, batch
        self._weights = {name: np.array(weights[name]) for name in plan.weights}
        self._given, self._lazy = {"static": static, "known": known}, lazy
        self.columns = plan.inputs.numbers + len(plan.inputs.categories)
        self._uses = Counter(name for op in plan.ops for name in op.inputs)
        self._same: dict[str | None, str | None] = {}  # values of operations that another does, and where they are
        self._convolutions: dict[str, Convolution] = {}
        self._carried: dict[str, tuple[Array, ...]] = {}
        self._sequences = {"x"}
        self._paces: dict[str, int] = {}  # of those at a pace of their own: steps of the input in one of theirs
        self._absent = {"lengths"}
        self._pooled: set[str] = set()
        self._by_one = False
        self.dtype = np.result_type(*(weight for weight in self._weights.values() if weight.dtype.kind == "f"))
        self._layers: dict[str, list[Layer]] = {}
        for op in plan.ops:
            self._prepare(op)
        self._chains = {name: Chain(layers, batch, lazy=lazy) for name, layers in self._layers.items()}
        self._steps = [self._bound(op) for op in plan.ops if op.outputs[0] not in self._same]
        self._result: str | None = self._found(plan.result)
        if plan.result in self._sequences and plan.result in self._paces:
            self._steps.append(self._holding(plan.result))

    def step(self, x: npt.ArrayLike, known: Array | None = None) -> Array:
        """One time step: ``(B, D)`` to ``(B, steps, targets, values)``; ``known`` ``(B, H, F)`` of this step.

        Raises:
            DataError: x has another shape.
        """
        given = np.asarray(x, self.dtype)
        if given.shape == (self.columns,) and self.batch == 1:
            given = given[None]
        if given.shape != (self.batch, self.columns):
            raise DataError(f"x has the shape {given.shape}, expected {(self.batch, self.columns)}", where="stream")
        return self._run(given[:, None], None if known is None else known[:, None])[:, 0]

    def process(self, x: npt.ArrayLike, known: Array | None = None) -> Array:
        """A chunk: ``(B, T, D)`` to ``(B, T, steps, targets, values)``, as T steps would.

        Args:
            x: the inputs.
            known: ``(B, T, H, F)``, of each step; those that were given for all steps when absent.

        Raises:
            DataError: x has another shape.
        """
        given = np.asarray(x, self.dtype)
        if given.ndim != 3 or (given.shape[0], given.shape[2]) != (self.batch, self.columns):
            raise DataError(
                f"x has the shape {given.shape}, expected ({self.batch}, T, {self.columns})", where="stream"
            )
        if not self._by_one or given.shape[1] == 0:
            return self._run(given, known)
        steps = [slice(t, t + 1) for t in range(given.shape[1])]
        return np.concatenate([self._run(given[:, t], None if known is None else known[:, t]) for t in steps], 1)

    @property
    def multiplications(self) -> tuple[int, int]:
        """Of recurrent layers in a lazy stream: those done so far, and what they would have been without."""
        counts = [chain.multiplications for chain in self._chains.values()]
        return sum(done for done, _ in counts), sum(dense for _, dense in counts)

    def snapshot(self) -> State:
        """A copy of all states, for :meth:`restore`."""
        chains = {name: chain.snapshot() for name, chain in self._chains.items()}
        tails = {name: layer.snapshot() for name, layer in self._convolutions.items()}
        return chains | tails | {name: tuple(map(np.copy, state)) for name, state in self._carried.items()}

    def restore(self, state: State) -> None:
        """Go on from a state that :meth:`snapshot` gave, here or in a stream of the same net.

        Raises:
            DataError: it belongs to another net, or another number of streams.
        """
        if state.keys() != self._chains.keys() | self._convolutions.keys() | self._carried.keys():
            raise DataError("it belongs to another net", where="state")
        for name in self._carried:
            if any(len(part) != self.batch for part in state[name]):
                raise DataError(f"it is not of {self.batch} streams", where="state")
        for name, chain in self._chains.items():
            chain.restore(state[name])
        self._carried = {name: tuple(map(np.array, state[name])) for name in self._carried}
        for name, layer in self._convolutions.items():
            layer.restore(state[name])

    def reset(self) -> None:
        """Start anew."""
        for chain in self._chains.values():
            chain.reset()
        for layer in self._convolutions.values():
            layer.reset()
        self._carried = dict.fromkeys(self._carried, ())

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are streams of their own, that go on from the same state."""
        options = {**self._given, "lazy": self._lazy}
        return _restored, (self.plan, self._weights, self.batch, options, self.snapshot())

    def _prepare(self, op: Op) -> None:
        """Check that an operation can stream, and make room for what it remembers."""
        if not self._sequences.intersection(name for name in op.inputs if name):
            if self._pooled.intersection(name for name in op.inputs if name):
                self._pooled.update(op.outputs)
            return
        self._keep_pace(op)
        if op.op == "recurrent" and not op.options["reverse"] and set(op.inputs[2:]) <= {None}:
            self._add_layer(op)
        elif op.op == "conv1d" and op.options["right"] == 0:
            tensors = {role: self._weights[name].astype(self.dtype) for role, name in op.weights.items()}
            given = {"stride": op.options["stride"], "each": op.options.get("each", False)}
            self._convolutions[op.outputs[0]] = Convolution(
                tensors["weight"], tensors.get("bias"), **given, batch=self.batch
            )
        elif self._joins(op):
            self._same[op.outputs[0]] = op.inputs[0]
        elif op.op in CARRIED and self._sequences | self._absent >= set(op.inputs):
            self._carried[op.outputs[0]] = ()
        elif op.op == "pool" and op.options["backward"] == 0:
            self._pooled.update(op.outputs)
            if op.options["kind"] != "last" or op.inputs[0] in self._paces:
                self._carried[op.outputs[0]] = ()
            return
        elif op.op == "spread" and op.inputs[0] not in self._sequences | self._pooled:
            pass  # static inputs, which every step may see
        elif op.op not in _BY_STEP or op.options.get("axis", -1) != -1 or self._mixed(op):
            raise ConfigError(
                f"the operation {op.op!r} (value {op.outputs[0]!r} of the plan) needs the whole sequence",
                where="the net",
                mend="leave that layer out; net.streamable() names it",
            )
        self._sequences.update(op.outputs[: CARRIED.get(op.op, 1)])
        self._absent.update(op.outputs[1:2] if op.op in ("conv1d", "thin") else ())

    def _joins(self, op: Op) -> bool:
        """Let the convolution before a norm or an activation do its work, where nothing else reads what is between."""
        name = self._found(op.inputs[0])
        layer = self._convolutions.get(str(name))
        if layer is None or layer.closed or self._uses[op.inputs[0]] > 1 or self.plan.result == op.inputs[0]:
            return False
        if op.op == "batch_norm":
            tensors = {role: self._weights[name] for role, name in op.weights.items()}
            layer.join_norm(**tensors, eps=op.options["eps"])
        elif op.op == "activation":
            layer.join_activation(op.options["kind"])
        return op.op in ("batch_norm", "activation")

    def _found(self, name: str | None) -> str | None:
        """Where a value is kept."""
        while name in self._same:
            name = self._same[name]
        return name

    def _keep_pace(self, op: Op) -> None:
        """Note how many steps of the input are in one step of what an operation gives."""
        source = op.inputs[1] if op.op == "hold" else next(name for name in op.inputs if name in self._sequences)
        slower = {"thin": "every", "conv1d": "stride"}.get(op.op)
        pace = self._paces.get(str(source), 1) * (op.options[slower] if slower else 1)
        if pace > 1:
            self._paces.update(dict.fromkeys(op.outputs, pace))

    def _mixed(self, op: Op) -> bool:
        """Whether it joins steps with what is no sequence."""
        return not (self._sequences | self._absent).issuperset(name for name in op.inputs if name)

    def _add_layer(self, op: Op) -> None:
        """A layer right upon another, whose values nobody else reads, joins its chain."""
        options = op.options.get("settings") or {}
        weights = {role: self._weights[name] for role, name in op.weights.items()}
        below = self._layers.pop(str(op.inputs[0]), []) if self._only(op.inputs[0]) else []
        if below:
            made = next(other for other in self.plan.ops if op.inputs[0] in other.outputs)
            self._same[op.inputs[0]] = made.inputs[0]
        self._layers[op.outputs[0]] = [*below, Layer(equations.cell(op.options["cell"], **options), weights)]
        self._by_one = self._by_one or any(self._uses[name] for name in op.outputs[1:])

    def _only(self, name: str | None) -> bool:
        """Whether the outputs of the layer that makes this value are read once."""
        made = next((op.outputs for op in self.plan.ops if name in op.outputs), ())
        return sum(self._uses[output] for output in made) == 1 and name != self.plan.result

    def _run(self, x: Array, known: Array | None = None) -> Array:
        """Sequences step by step, then everything after pooling with the steps folded into the batch."""
        time = x.shape[1]
        values: dict[str | None, Any] = {None: None, "x": x, "lengths": None}
        for name, value in self._given.items():
            values[name] = None if value is None else np.repeat(np.asarray(value, self.dtype), time, axis=0)
        if known is not None:
            values["known"] = np.asarray(known, self.dtype).reshape(-1, *known.shape[2:])
        for run, inputs, outputs in self._steps:
            values.update(zip(outputs, run(*(values[name] for name in inputs)), strict=False))
        result: Array = values[self._result]
        if self.plan.outputs.every:
            return result[:, :, None]
        return result if self.plan.result in self._sequences else result.reshape(self.batch, time, *result.shape[1:])

    def _bound(self, op: Op) -> _Step:
        name = op.outputs[0]
        if op.op == "pool" and name in self._carried:
            run = partial(pool_so_far, kind=op.options["kind"], every=self._paces.get(str(op.inputs[0]), 1))
            return _Step(self._carrying(name, run, 1), (self._found(op.inputs[0]), "x"), op.outputs)
        return _Step(self._runner(op), tuple(map(self._found, op.inputs)), op.outputs)

    def _holding(self, name: str) -> _Step:
        """Answers at a pace of their own, each held until the next."""
        held = f"{name} held"
        self._carried[held], self._result = (), held
        run = partial(OPS["hold"], every=self._paces[name])
        return _Step(self._carrying(held, run, 1), (self._found(name), "x"), (held,))

    def _carrying(self, name: str, function: Callable[..., tuple[Any, ...]], count: int) -> Callable[..., Any]:
        """An operation that goes on from the state it left; ``count`` of its results come before that."""

        def run(*inputs: Any) -> tuple[Any, ...]:
            results = function(*inputs, *self._carried[name])
            self._carried[name] = results[count:]
            return tuple(results)

        return run

    def _runner(self, op: Op) -> Callable[..., tuple[Any, ...]]:
        """What computes an operation of the plan, from its inputs to its outputs."""
        name, used = op.outputs[0], any(self._uses[output] for output in op.outputs[1:])
        if name in self._chains:
            chain = self._chains[name]
            return lambda x, *_: (chain.advance(x), *(chain.state if used else [None] * (len(op.outputs) - 1)))
        if name in self._convolutions:
            layer = self._convolutions[name]
            return lambda x, *_: (layer.process(x), None)
        if op.op == "spread":  # alike at all steps, however few of them there are
            return lambda static, x: (static.reshape(len(x), -1, static.shape[-1])[:, : x.shape[1]],)
        if op.op == "pool" and op.inputs[0] in self._sequences:
            return lambda x, *_: (x.reshape(-1, x.shape[2]),)
        function = OPS[op.op]
        given = {role: self._weights[weight] for role, weight in op.weights.items()} | op.options
        if name in self._carried:
            return self._carrying(name, partial(function, **given), CARRIED[op.op])
        if len(op.outputs) > 1:
            return lambda *inputs: tuple(function(*inputs, **given))
        return lambda *inputs: (function(*inputs, **given),)


def _restored(plan: Plan, weights: Mapping[str, Array], batch: int, options: dict[str, Any], state: State) -> Stream:
    stream = Stream(plan, weights, batch, **options)
    stream.restore(state)
    return stream
