"""A net's inference plan: a short list of operations as plain data, and its NumPy interpreter.

Letters: B batch, T time, D inputs, K static inputs, H horizon, F known inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from unrolled.core.records import Record
from unrolled.program.ops import OPS
from unrolled.program.ops.types import Array
from unrolled.program.shapes import Inputs, Outputs

VALUES = ("x", "lengths", "static", "known")
"""Names of the values that a plan starts from."""


class Op(Record):
    """One operation: ``outputs = op(*inputs, **weights, **options)``; values and weights are given by name."""

    op: str
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]
    weights: dict[str, str] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)


class Plan(Record):
    """Operations in order; ``result`` names the value ``(B, steps, targets, values)`` of the whole."""

    inputs: Inputs
    outputs: Outputs
    ops: tuple[Op, ...]
    result: str

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the tensors that the plan reads, each once."""
        return tuple(dict.fromkeys(name for op in self.ops for name in op.weights.values()))


Watch = Callable[[Op, tuple[Any, ...], Mapping[str, Array]], None]


def run(
    plan: Plan,
    weights: Mapping[str, Array],
    x: Array,
    lengths: Array | None = None,
    static: Array | None = None,
    known: Array | None = None,
    *,
    watch: Watch | None = None,
    ops: Mapping[str, Callable[..., Any]] = OPS,
) -> Array:
    """Compute a plan in NumPy; one from outside must have passed ``program.check.check``.

    Args:
        plan: the operations.
        weights: tensors by ``state_dict`` name.
        x: ``(B, T, D)``.
        lengths: ``(B,)`` true lengths, or None when all are T.
        static: ``(B, K)``.
        known: ``(B, H, F)``.
        watch: called before each operation with its input values and its weights by role.
        ops: the operations by name, for a reader that has a faster one.

    Returns:
        ``(B, steps, targets, values)``.
    """
    values: dict[str | None, Any] = {None: None, "x": x, "lengths": lengths, "static": static, "known": known}
    last_use = {name: index for index, op in enumerate(plan.ops) for name in op.inputs}
    for index, op in enumerate(plan.ops):
        inputs = tuple(values[name] for name in op.inputs)
        tensors = {role: weights[name] for role, name in op.weights.items()}
        if watch is not None:
            watch(op, inputs, tensors)
        results = ops[op.op](*inputs, **tensors, **op.options)
        values.update(zip(op.outputs, results if len(op.outputs) > 1 else (results,), strict=True))
        for name in {*op.inputs, *op.outputs}:
            if name not in (None, plan.result) and last_use.get(name, index) <= index:
                del values[name]
    answer: Array = values[plan.result]
    return answer
