"""The super-net: every wiring of a recurrent layer with one set of weights (Pham et al. 2018, section 2).

The product of node l with an earlier node j has weights of its own, whatever else is wired; a narrower cell takes the
first rows and columns of them, and its output is filled up with zeros, so that the layers above stay as they are.

Letters: B batch, T time, D inputs, H hidden at most, h hidden of a child, L nodes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unrolled import engine
from unrolled.cells import Cell, Initial
from unrolled.core.errors import ConfigError
from unrolled.engine import State
from unrolled.nets import Recurrent
from unrolled.nets.initial import draw
from unrolled.search.wiring import Wiring


class Shared(nn.Module):
    """Stands in the place of a ``Recurrent`` of one layer; ``wiring`` says which child runs.

    Args:
        input_size: D.
        nodes: L.
        width: H, of the widest child.
    """

    layers = directions = 1
    causal = True

    def __init__(self, input_size: int, nodes: int, width: int) -> None:
        super().__init__()
        self.input_size, self.nodes, self.width = input_size, nodes, width
        self.wiring = Wiring(("tanh",) * nodes, tuple(range(1, nodes)), width)
        self.weights = nn.ParameterDict()
        for name, shape in self._shapes().items():
            self.weights[name] = nn.Parameter(torch.empty(shape))
        draw(self.cell, dict(self.weights), Initial())

    @property
    def cell(self) -> Cell:
        """That of the child."""
        return self.wiring.cell()

    @property
    def output_size(self) -> int:
        """H."""
        return self.width

    def child(self) -> dict[str, Tensor]:
        """The weights of the child that runs, by the names that its cell lists."""
        wiring, full, small = self.wiring, self.width, self.wiring.width
        found = {
            name: torch.cat([part[:small] for part in self.weights[name].split(full)])
            for name in ("weight_ih", "bias_ih", "bias_hh")
        }
        found["weight_hh"] = torch.cat([part[:small, :small] for part in self.weights["weight_hh"].split(full)])
        for at, read in enumerate(wiring.reads):
            for kind in "cn":
                shared = self.weights[f"weight_{kind}{at + 2}_{read}"]
                found[f"weight_{kind}{at + 2}"] = shared[:small, :small].contiguous()
        return found

    def forward(self, x: Tensor, hx: State | None = None, *, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """``(B, T, D)`` to ``(B, T, H)`` and the final state ``(1, B, H)``, both zero beyond the child's h."""
        if hx is not None:
            raise ConfigError("starts from zeros only", where="the searched layer")
        y, (final,) = engine.run(self.cell, x, self.child(), lengths=lengths)
        missing = self.width - self.wiring.width
        return nn.functional.pad(y, (0, missing)), (nn.functional.pad(final, (0, missing))[None],)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = self.cell.shapes(self.input_size, self.width)
        square = {
            f"weight_{kind}{node}_{read}": (self.width, self.width)
            for node in range(2, self.nodes + 1)
            for read in range(1, node)
            for kind in "cn"
        }
        return {name: shape for name, shape in shapes.items() if name[-1] == "h"} | square


def share(net: nn.Module, name: str, nodes: int) -> Shared:
    """Replace the one recurrent layer of a net whose cell is called ``name`` by its super-net, in place.

    Raises:
        ConfigError: there is no such layer, or more than one, or it has more than one layer or direction.
    """
    places = [
        (module, key)
        for module in net.modules()
        for key, inner in module.named_children()
        if isinstance(inner, Recurrent) and inner.cell.name == name
    ]
    if len(places) != 1:
        raise ConfigError(f"one layer is to be searched, not {len(places)}", where="net", mend="write enas once")
    module, key = places[0]
    before = module.get_submodule(key)
    assert isinstance(before, Recurrent)
    if before.layers * before.directions != 1:
        raise ConfigError("a searched layer is one layer in one direction", where="net", mend="leave out layers")
    made = Shared(before.input_size, nodes, before.hidden_size)
    setattr(module, key, made)
    return made
