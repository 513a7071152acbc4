"""A cell's equations and a net's plan as data, with a plain NumPy interpreter of both."""

from unrolled.program.check import check
from unrolled.program.derive import Derivative, derive
from unrolled.program.fold import fold_biases
from unrolled.program.linear import linear_form
from unrolled.program.plan import Op, Plan, run
from unrolled.program.program import Node, Program
from unrolled.program.shapes import Inputs, Outputs
from unrolled.program.trace import trace

__all__ = [
    "Derivative",
    "Inputs",
    "Node",
    "Op",
    "Outputs",
    "Plan",
    "Program",
    "check",
    "derive",
    "fold_biases",
    "linear_form",
    "run",
    "trace",
]
