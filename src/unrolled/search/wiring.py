"""How the nodes of a recurrent cell are wired: what an architecture search chooses (Pham et al. 2018, section 2.1).

    c_1 = sigmoid(W_c x_t + b_c + R_c h_{t-1} + b'_c)
    s_1 = c_1 f_1(W_n x_t + b_n + R_n h_{t-1} + b'_n) + (1 - c_1) h_{t-1}
    c_l = sigmoid(C_{l,j} s_j)                                  node l reads one earlier node j
    s_l = c_l f_l(N_{l,j} s_j) + (1 - c_l) s_j                  highway gate c_l
    h_t = the mean of the nodes that no other reads

Chosen are, for each node, its activation f and (but for the first) the earlier node that it reads; and the width.

Letters: H hidden, L nodes.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from unrolled.cells import Cell
from unrolled.program import functions

ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "tanh": functions.tanh,
    "relu": functions.relu,
    "sigmoid": functions.sigmoid,
    "identity": lambda value: value,
}


@dataclass(frozen=True)
class Wiring:
    """One architecture.

    Attributes:
        activations: of the L nodes, by name.
        reads: the node that each node but the first reads, counted from 1.
        width: H.
    """

    activations: tuple[str, ...]
    reads: tuple[int, ...]
    width: int

    @property
    def nodes(self) -> int:
        """L."""
        return len(self.activations)

    @property
    def loose(self) -> tuple[int, ...]:
        """Nodes that no other reads, counted from 1."""
        return tuple(node for node in range(1, self.nodes + 1) if node not in self.reads)

    @property
    def name(self) -> str:
        """The same for the same equations, whatever the width."""
        told = f"{self.activations}{self.reads}"
        return f"found_{hashlib.sha256(told.encode()).hexdigest()[:6]}"

    def __str__(self) -> str:
        later = zip(self.reads, self.activations[1:], strict=True)
        rest = (f"{node}<{read} {function}" for node, (read, function) in enumerate(later, start=2))
        return ", ".join([f"1 {self.activations[0]}", *rest])

    def cell(self) -> Cell:
        """The cell, whose equations are those that ``source`` writes."""
        return _cell_class(self.activations, self.reads)()

    def source(self) -> str:
        """The cell as an ordinary cell file."""
        return _FILE.format(
            name=self.name,
            title="".join(part.capitalize() for part in self.name.split("_")),
            wiring=self,
            imports=", ".join(sorted({"sigmoid", *self.activations} - {"identity"})),
            matrices=", ".join(f'"{matrix}"' for matrix in _matrices(self.nodes)),
            equations="\n".join(f"        {line}" for line in self._equations()),
            written="\n".join(f"    {line}" for line in self._equations()),
        )

    def _equations(self) -> list[str]:
        """The lines of ``step``."""
        lines = [
            "c1 = sigmoid(x.c1 + R.c1(h))",
            f"s1 = c1 * {_call(self.activations[0], 'x.n1 + R.n1(h)')} + (1 - c1) * h",
        ]
        for at, read in enumerate(self.reads):
            node, read_node = at + 2, f"s{read}"
            inner = _call(self.activations[at + 1], f"R.n{node}({read_node})")
            lines.append(f"c{node} = sigmoid(R.c{node}({read_node}))")
            lines.append(f"s{node} = c{node} * {inner} + (1 - c{node}) * {read_node}")
        ends = [f"s{node}" for node in self.loose]
        lines.append(f"h = {ends[0]}" if len(ends) == 1 else f"h = ({' + '.join(ends)}) / {len(ends)}")
        return lines


def draw(nodes: int, widths: tuple[int, ...], generator: random.Random) -> Wiring:
    """A wiring in which every choice is as likely as every other."""
    return Wiring(
        tuple(generator.choice(ACTIVATIONS) for _ in range(nodes)),
        tuple(generator.randint(1, node - 1) for node in range(2, nodes + 1)),
        generator.choice(widths),
    )


def count(nodes: int, widths: tuple[int, ...]) -> int:
    """How many wirings there are."""
    return int(len(ACTIVATIONS) ** nodes) * math.factorial(nodes - 1) * len(widths)


def _matrices(nodes: int) -> tuple[str, ...]:
    return tuple(f"{kind}{node}" for node in range(2, nodes + 1) for kind in ("c", "n"))


def _call(function: str, value: str) -> str:
    if function != "identity":
        return f"{function}({value})"
    return value if value.startswith("R.") else f"({value})"


@lru_cache(maxsize=4096)
def _cell_class(activations: tuple[str, ...], reads: tuple[int, ...]) -> type[Cell]:
    """A class of its own for each wiring, so that what is traced once is known."""
    loose = Wiring(activations, reads, 1).loose

    class Wired(Cell):
        """A cell of wired nodes."""

        name = Wiring(activations, reads, 1).name
        gates = ("c1", "n1")
        matrices = _matrices(len(activations))

        def shapes(self, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
            square = {f"weight_{matrix}": (hidden_size, hidden_size) for matrix in self.matrices}
            return super().shapes(input_size, hidden_size, bias=bias) | square

        def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
            c = functions.sigmoid(x.c1 + R.c1(h))
            nodes = [c * _FUNCTIONS[activations[0]](x.n1 + R.n1(h)) + (1 - c) * h]
            for at, read in enumerate(reads):
                s, node = nodes[read - 1], at + 2
                c = functions.sigmoid(getattr(R, f"c{node}")(s))
                nodes.append(c * _FUNCTIONS[activations[node - 1]](getattr(R, f"n{node}")(s)) + (1 - c) * s)
            total = nodes[loose[0] - 1]
            for node in loose[1:]:
                total = total + nodes[node - 1]
            return (total if len(loose) == 1 else total / len(loose),)

    return Wired


_FILE = '''"""A recurrent cell found by architecture search (ENAS, Pham et al. 2018, arXiv 1802.03268).

{written}

Nodes, with the node that each reads: {wiring}.
Each is highway-gated by its c; the new state is the mean of the nodes that no other reads.

Shapes: x_t ``(B, D)``, h ``(B, H)``, W ``(2H, D)``, R.c1 and R.n1 ``(H, H)``, the other products ``(H, H)`` without
bias; the state is h, the output.
"""

from __future__ import annotations

from typing import Any

from unrolled import cells
from unrolled.program.functions import {imports}


@cells.register
class {title}(cells.Cell):
    """A found cell."""

    name = "{name}"
    gates = ("c1", "n1")
    matrices = ({matrices})

    def shapes(self, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
        square = {{f"weight_{{matrix}}": (hidden_size, hidden_size) for matrix in self.matrices}}
        return super().shapes(input_size, hidden_size, bias=bias) | square

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
{equations}
        return (h,)
'''
