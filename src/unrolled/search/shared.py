"""The super-net: every wiring of a recurrent layer with one set of weights (Pham et al. 2018, section 2).

An operation, that is a node with the node that it reads and its activation, has weights of its own, whatever else is
wired. So it is in the paper's convolutional cells and in DARTS (Liu, Simonyan & Yang 2019, arXiv 1806.09055); in the
paper's recurrent cell all activations of a node share, and an identity cannot live with weights that were tuned for a
sigmoid. A narrower cell takes the first rows and columns, and its output is filled up with zeros, so that the layers
above stay as they are.

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
from unrolled.search.wiring import ACTIVATIONS, Wiring

_FIRST = ("weight_ih", "bias_ih", "bias_hh", "weight_hh")  # of the node that reads the input


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
        for activation in ACTIVATIONS:
            self._draw(activation)

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
        found = {}
        for name in _FIRST:
            blocks = self.weights[f"{name}_{wiring.activations[0]}"].split(full)
            found[name] = torch.cat(
                [block[:small, :small] if name == "weight_hh" else block[:small] for block in blocks]
            )
        for at, read in enumerate(wiring.reads):
            for kind in "cn":
                shared = self.weights[f"weight_{kind}{at + 2}_{read}_{wiring.activations[at + 1]}"]
                found[f"weight_{kind}{at + 2}"] = shared[:small, :small].contiguous()
        return found

    def forward(self, x: Tensor, hx: State | None = None, *, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """``(B, T, D)`` to ``(B, T, H)`` and the final state ``(1, B, H)``, both zero beyond the child's h."""
        if hx is not None:
            raise ConfigError("starts from zeros only", where="the searched layer")
        y, (final,) = engine.run(self.cell, x, self.child(), lengths=lengths)
        missing = self.width - self.wiring.width
        return nn.functional.pad(y, (0, missing)), (nn.functional.pad(final, (0, missing))[None],)

    def _draw(self, activation: str) -> None:
        """First weights of all operations with this activation."""
        shapes = self.cell.shapes(self.input_size, self.width)
        first = {name: nn.Parameter(torch.empty(shapes[name])) for name in _FIRST}
        draw(self.cell, first, Initial())
        self.weights.update({f"{name}_{activation}": weight for name, weight in first.items()})
        for node in range(2, self.nodes + 1):
            for read in range(1, node):
                for kind in "cn":
                    weight = nn.Parameter(torch.empty(self.width, self.width))
                    self.weights[f"weight_{kind}{node}_{read}_{activation}"] = nn.init.xavier_uniform_(weight)


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
