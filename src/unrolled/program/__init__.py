"""A cell's equations and a net's plan as data, with a plain NumPy interpreter of both."""

from unrolled.program.check import check
from unrolled.program.plan import Op, Plan, run
from unrolled.program.shapes import Inputs, Outputs

__all__ = ["Inputs", "Op", "Outputs", "Plan", "check", "run"]
