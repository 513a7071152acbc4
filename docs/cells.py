"""Write the page of every cell from its program: ``python docs/cells.py``.

Equations and diagram come from the trace, paper and use from the docstring of the cell's file;
``tests/docs/test_cell_pages.py`` checks that the pages are what the code says.
"""

from __future__ import annotations

import inspect
import math
import re
import sys
from dataclasses import MISSING, fields
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from cell_diagram import diagram

from unrolled import cells
from unrolled.program import Node, Program, derive, linear_form, trace
from unrolled.program.equations import CELLS
from unrolled.program.text import SUM, Writer

FOLDER = Path(__file__).parent / "cells"
HIDDEN = 12
"""Of the traces; the pages say H."""
EXAMPLE = 16
"""An option without a default gets this."""

_GREEK = ("nu", "gamma", "alpha", "beta", "lambda", "mu")
_FUNCTIONS = {"sigmoid": r"\sigma", "tanh": r"\tanh", "exp": r"\exp", "log": r"\log", "max": r"\max", "min": r"\min"}
_MONOMIALS = {"D H": (1, 1), "H²": (0, 2), "D": (1, 0), "H": (0, 1), "": (0, 0)}


class Latex(Writer):
    """A program as typeset equations."""

    quotient_binding = (SUM, SUM)

    def binding(self, node: Node) -> int:
        return SUM if node.op == "input" else super().binding(node)

    def leaf(self, node: Node) -> str:
        match node.op:
            case "constant":
                return _number(node.value)
            case "input":
                return rf"W_{{{_plain(node.name)}}} x_t + b_{{{_plain(node.name)}}}"
            case "state":
                return symbol(node.name, "t-1")
            case "vector" if node.name.startswith("bias_hh."):
                return rf"b'_{{{_plain(node.name.removeprefix('bias_hh.'))}}}"
            case "vector":
                return symbol(node.name)
        return symbol(node.name, "t")

    def output(self, name: str) -> str:
        return symbol(name, "t")

    label = output

    def shared(self, count: int) -> str:
        return rf"\xi^{{({count})}}_t"

    def product(self, node: Node, v: str) -> str:
        return rf"{symbol(f'R_{node.name}')} {v if re.fullmatch(r'[^ ]+', v) else self.brackets(v)}"

    def function(self, op: str, *args: str) -> str:
        joined = ", ".join(args)
        match op:
            case "sqrt":
                return rf"\sqrt{{{joined}}}"
            case "abs":
                return rf"\left| {joined} \right|"
            case "positive":
                return rf"\left[ {joined} > 0 \right]"
            case "relu":
                return self.function("max", *args, "0")
        return _FUNCTIONS.get(op, rf"\operatorname{{{op}}}") + self.brackets(joined)

    def times(self, a: str, b: str, pointwise: bool) -> str:
        return rf"{a} \odot {b}" if pointwise else rf"{a} \, {b}"

    def quotient(self, a: str, b: str) -> str:
        return rf"\frac{{{a}}}{{{b}}}"

    def square(self, v: str) -> str:
        return f"{v}^2" if v.startswith(r"\left(") else f"{{{v}}}^2"

    def brackets(self, v: str) -> str:
        return rf"\left( {v} \right)"


def symbol(name: str, time: str = "") -> str:
    """A name with its subscript, and with that of time: ``c, t`` of ``new_c``."""
    stem, _, below = name.partition("_")
    if len(stem) > 1:
        stem = f"\\{stem}" if stem in _GREEK else rf"\mathrm{{{stem}}}"
    if name.endswith("_"):
        stem = rf"\tilde{{{stem}}}"
    under = ", ".join(filter(None, (_plain(below), time)))
    return f"{stem}_{{{under}}}" if len(under) > 1 else f"{stem}_{under}" if under else stem


def _plain(name: str) -> str:
    return rf"\mathrm{{{name}}}".replace("_", r"\_") if len(name) > 1 else name


def _number(value: float) -> str:
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    power = rf"10^{{{int(exponent)}}}" if exponent else ""
    return power if power and mantissa == "1" else rf"{mantissa} \cdot {power}" if power else mantissa


def made(name: str) -> Any:
    """The cell; an option without a default gets the example's value."""
    kind: Any = CELLS[name]
    return kind(**{field.name: EXAMPLE for field in fields(kind) if field.default is MISSING})


def page(name: str) -> str:
    """The page of a cell."""
    cell = made(name)
    program = trace(cell, HIDDEN, training=True)
    paper, use = prose(cell)
    lines = [
        f"# `{name}`: {_words(type(cell).__doc__).rstrip('.')}",
        paper,
        "## Equations",
        equations(program),
        letters(cell, program),
        f"![{name}: what is computed from what]({name}.svg)",
        "## Parameters",
        parameters(cell),
        "## Cost",
        cost(program),
        "## When to use it",
        use,
        "This page is written by `docs/cells.py` from the code. All cells: [Cells](../cells.md).",
    ]
    return "\n\n".join(lines) + "\n"


def prose(cell: Any) -> tuple[str, str]:
    """The paper, and when to use the cell: the first words and the last paragraph of its file's docstring."""
    module = sys.modules[type(cell).__module__]
    paragraphs = [_words(text) for text in inspect.cleandoc(module.__doc__ or "").split("\n\n") if text[0] != " "]
    return re.sub(":$", ".", paragraphs[0]), paragraphs[-1] if paragraphs[-1].startswith("Use it") else ""


def equations(program: Program) -> str:
    """Typeset, one line a value."""
    lines = " \\\\\n".join(f"{name} &= {expression}" for name, expression in Latex(program).lines())
    return f"$$\n\\begin{{aligned}}\n{lines}\n\\end{{aligned}}\n$$"


def letters(cell: Any, program: Program) -> str:
    """What the letters of the equations stand for."""
    state = ", ".join(f"${symbol(part, 't')}$" for part in cell.state)
    texts = [f"State: {state}; ${symbol(cell.state[0], 't')}$ is the output."]
    if program.leaves("noise"):
        masks = " and ".join(f"${symbol(noise, 't')}$" for noise in program.leaves("noise"))
        when = "for the whole sequence" if cell.held else "at every step"
        texts.append(f"{masks}: random zeros and ones, drawn {when} in training, their mean elsewhere.")
    if any(node.width == HIDDEN and node.op == "mul" for node in program.nodes):
        texts.append(r"$\odot$ multiplies unit by unit.")
    if any(node.op == "sum" for node in program.nodes):
        texts.append(r"$\operatorname{mean}$ is over the units.")
    return " ".join(texts)


def parameters(cell: Any) -> str:
    """Name, shape and number of values of every parameter, as formulas in D and H."""
    rows = ["| parameter | shape | values |", "| --- | --- | --- |"]
    probes = [(d, h) for d, h in product((3, 5, 8), (HIDDEN, 2 * HIDDEN, 5 * HIDDEN))]
    shapes = [cell.shapes(*probe) for probe in probes]
    for name, shape in shapes[0].items():
        sizes = (_formula(probes, [found[name][axis] for found in shapes]) for axis in range(len(shape)))
        values = _formula(probes, [math.prod(found[name]) for found in shapes])
        rows.append(f"| `{name}` | ({', '.join(sizes)}{',' if len(shape) == 1 else ''}) | {values} |")
    total = _formula(probes, [sum(math.prod(shape) for shape in found.values()) for found in shapes])
    own = [f"`{field.name}` = {getattr(cell, field.name)}" for field in fields(cell)]
    note = f" Counted with {', '.join(own)}." if own else ""
    rows.append(f"| all | | {total} |")
    told = f"D inputs, H units, one direction.{note} `bias: false` leaves out `bias_ih` and `bias_hh`."
    return "\n".join(rows) + f"\n\n{told}"


def cost(program: Program) -> str:
    """What a step keeps and whether time can be parallel."""
    derivative = derive(program)
    kept = sum(program.nodes[place].width for place in derivative.saved)
    whole, rest = divmod(kept, HIDDEN)
    numbers = " + ".join(filter(None, (f"{whole} H" if whole > 1 else "H" * whole, f"{rest}" * (rest > 0)))) or "no"
    products = sum(node.op == "product" for node in program.nodes)
    back = sum(node.op == "transposed" for node in derivative.program.nodes)
    texts = [
        f"A step has {_count(products, 'recurrent product')}, its way back {_count(back, 'transposed one')}.",
        f"Training keeps {numbers} numbers a step besides the state.",
    ]
    if linear_form(program) is not None:
        texts.append("The step is linear in the state, unit by unit, so all steps can be computed in parallel.")
    return " ".join(texts)


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _formula(probes: list[tuple[int, int]], values: list[int]) -> str:
    """The polynomial in D and H through these values."""
    table = [[d**a * h**b for a, b in _MONOMIALS.values()] for d, h in probes]
    solved, *_ = np.linalg.lstsq(np.array(table, float), np.array(values, float))
    factors = [Fraction(float(factor)).limit_denominator(64) for factor in solved]
    assert all(sum(f * m for f, m in zip(factors, row, strict=True)) == v for row, v in zip(table, values, strict=True))
    terms = ((factor, name) for factor, name in zip(factors, _MONOMIALS, strict=True) if factor)
    return " + ".join(_term(factor, name) for factor, name in terms)


def _term(factor: Fraction, name: str) -> str:
    number = "" if factor.numerator == 1 and name else f"{factor.numerator}"
    return f"{number} {name}".strip() + (f" / {factor.denominator}" if factor.denominator > 1 else "")


def _words(text: str | None) -> str:
    """A docstring's paragraph as one line of Markdown."""
    return re.sub(r":\w+:`(.+?)`", r"`\1`", re.sub(r"\s+", " ", text or "").strip().replace("``", "`"))


def written() -> dict[str, str]:
    """Every file of the folder and its content."""
    files = {f"{name}.md": page(name) for name in cells.cells()}
    return files | {f"{name}.svg": diagram(trace(made(name), HIDDEN, training=True)) for name in cells.cells()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, content in written().items():
        (FOLDER / file).write_text(content, encoding="utf-8")
