"""A plan from outside, held against its weights before it is trusted with data."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from unrolled.core.errors import BundleError, ConfigError
from unrolled.program.ops import OPS
from unrolled.program.ops.types import Array
from unrolled.program.plan import VALUES, Op, Plan, run

_MOST_OPS = 2000
_LARGEST = 1 << 26
"""Numbers that one operation may hold for one short sample."""

_TRIAL_STEPS = 3
BROKEN = (ArithmeticError, AttributeError, ConfigError, IndexError, KeyError, MemoryError, TypeError, ValueError)
"""What a plan that contradicts itself or its weights can raise."""


def check(plan: Plan, weights: Mapping[str, Array]) -> Plan:
    """The plan with its options parsed, after a trial on one sample of zeros.

    Raises:
        BundleError: an unknown operation, a missing value or weight, an option out of its bounds, shapes that do
            not fit each other, or more numbers than any real net needs.
    """
    inputs, outputs = plan.inputs, plan.outputs
    columns = (inputs.numbers, inputs.targets, inputs.static_numbers, inputs.known_numbers)
    counts = (outputs.steps, outputs.targets, outputs.values, 1 if inputs.length is None else inputs.length)
    if len(plan.ops) > _MOST_OPS or min(columns) < 0 or min(counts) < 1:
        raise BundleError("its sizes are impossible", where="the plan")
    checked = plan.model_copy(update={"ops": _named(plan, weights)})
    _try(checked, weights)
    return checked


def _named(plan: Plan, weights: Mapping[str, Array]) -> tuple[Op, ...]:
    """The operations with parsed options; every name in them was found to mean something."""
    known = set(VALUES)
    checked = []
    for index, op in enumerate(plan.ops):
        where = f"operation {index + 1} ({op.op[:40]!r}) of the plan"
        if op.op not in OPS:
            raise BundleError("this version does not know it", where=where, mend="install a newer version of unrolled")
        missing = [name for name in op.inputs if name is not None and name not in known]
        if missing:
            raise BundleError(f"it reads the value {missing[0][:40]!r}, which nothing computes", where=where)
        if known & set(op.outputs):
            raise BundleError("it computes a value that is there already", where=where)
        absent = [name for name in op.weights.values() if name not in weights]
        if absent:
            raise BundleError(f"it reads the weight {absent[0][:80]!r}, which is not in the file", where=where)
        checked.append(op.model_copy(update={"options": _options(op, where)}))
        known |= set(op.outputs)
    if plan.result not in known:
        raise BundleError(f"nothing computes its result {plan.result[:40]!r}", where="the plan")
    return tuple(checked)


def _options(op: Op, where: str) -> dict[str, Any]:
    """Options checked against the operation's own signature."""
    try:
        inspect.signature(OPS[op.op]).bind(*op.inputs, **op.weights, **op.options)
        parsed = _schema(OPS[op.op]).model_validate(op.options)
    except TypeError as error:
        raise BundleError(f"it does not take these arguments ({str(error)[:80]})", where=where) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:40]
        raise BundleError(f"its option {place!r} is wrong ({first['msg'][:80]})", where=where) from error
    return {name: getattr(parsed, name) for name in op.options}


@cache
def _schema(function: Callable[..., Any]) -> type[BaseModel]:
    """A model with one field for each keyword-only argument."""
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    fields: dict[str, Any] = {
        parameter.name: (parameter.annotation, ... if parameter.default is parameter.empty else parameter.default)
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    return create_model(function.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def _try(plan: Plan, weights: Mapping[str, Array]) -> None:
    """Run one sample of zeros, looking before each operation at what it would allocate."""
    inputs, outputs = plan.inputs, plan.outputs
    at = 0

    def watch(op: Op, values: tuple[Any, ...], tensors: Mapping[str, Array]) -> None:
        nonlocal at
        at += 1
        if _largest(op, [value for value in values if value is not None], tensors) > _LARGEST:
            raise MemoryError("it asks for more numbers than any real net needs")

    columns = inputs.numbers + len(inputs.categories)
    fixed = inputs.static_numbers + len(inputs.static_categories)
    ahead = inputs.known_numbers + len(inputs.known_categories)
    try:
        if max(_TRIAL_STEPS * columns, outputs.steps * ahead, fixed, outputs.size) > _LARGEST:
            raise MemoryError("its inputs and outputs are larger than any real ones")
        with np.errstate(all="ignore"):
            y = run(
                plan,
                weights,
                np.zeros((1, _TRIAL_STEPS, columns), np.float32),
                None,
                np.zeros((1, fixed), np.float32) if fixed else None,
                np.zeros((1, outputs.steps, ahead), np.float32) if ahead else None,
                watch=watch,
            )
        steps = np.shape(y)[1] if outputs.blank else _TRIAL_STEPS if outputs.every else outputs.steps
        shape = (1, steps, outputs.targets, outputs.values)
        if np.shape(y) != shape:
            raise ValueError(f"it gives the shape {np.shape(y)} in the place of {shape}")
    except BROKEN as error:
        where = f"operation {at} ({plan.ops[at - 1].op!r}) of the plan" if at else "the plan"
        raise BundleError(
            f"it does not fit its inputs and weights ({str(error)[:200]})", where=where, mend="get the file again"
        ) from error


def _largest(op: Op, values: list[Any], tensors: Mapping[str, Array]) -> int:
    """An upper bound of the numbers that an operation makes, from what it reads and its options."""
    shapes = [np.shape(value) for value in values]
    size = sum(math.prod(shape) for shape in shapes)
    factor = op.options.get("times", 1) * op.options.get("channels", 1)
    padding = sum(op.options.get(name, 0) for name in ("length", "left", "right"))
    padded = max((padding * math.prod(shape[2:]) for shape in shapes), default=0)
    rows = max((math.prod(shape[:-1]) for shape in shapes), default=1)
    lookup = op.op in ("embedding", "tile")
    wide = (math.prod(tensor.shape[1:]) if lookup else math.prod(tensor.shape[:1]) for tensor in tensors.values())
    if op.op == "hold" and len(shapes) == 2:
        size += math.prod(shapes[1][:2]) * shapes[0][-1]
    rows *= op.options.get("height", 1) * op.options.get("width", 1)
    return int(size * factor + padded * max(1, *(shape[0] for shape in shapes if shape), 1) + rows * sum(wide))
