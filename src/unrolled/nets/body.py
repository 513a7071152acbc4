"""The columns of the inputs and the layers that read them: what a net and a pretext task have in common.

Letters: B batch, T time, D inputs, K static inputs, H horizon, F known inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import LayerSpec
from unrolled.nets.layers.columns import Columns
from unrolled.program.shapes import Inputs, Outputs


class Body(nn.Module):
    """Layers in order, with initial weights drawn from torch's generator (set it for the same ones again).

    Args:
        specs: the layers.
        inputs: sizes of what goes in.
        outputs: sizes of what a head must give.

    Raises:
        ConfigError: a layer does not fit its place.
    """

    def __init__(self, specs: Sequence[LayerSpec], inputs: Inputs, outputs: Outputs) -> None:
        super().__init__()
        self.specs, self.inputs, self.outputs = tuple(specs), inputs, outputs
        told = next((size for spec in specs if (size := spec.embeds())), 0)
        self.x = Columns(inputs.numbers, inputs.categories, told if self._answers_items() else 0)
        self.static = Columns(inputs.static_numbers, inputs.static_categories)
        self.known = Columns(inputs.known_numbers, inputs.known_categories)
        shape = Shape(
            form="sequence",
            size=self.x.size,
            outputs=outputs,
            length=inputs.length,
            targets=inputs.targets,
            static=self.static.size,
            known=self.known.size,
            inputs=inputs,
            table=self._table_size(),
        )
        self.layers = Chain(self.specs, shape, "net")

    def described(self) -> tuple[tuple[str, str, int], ...]:
        """Name, shape of the output and number of weights of each layer, embeddings first."""
        rows = [
            (str(spec), str(layer.shape), weight_count(layer))
            for spec, layer in zip(self.specs, self.layers.parts, strict=True)
        ]
        tables = weight_count(self.x) + weight_count(self.static) + weight_count(self.known)
        if tables:
            rows.insert(0, ("embeddings", f"(B, {self.inputs.length or 'T'}, {self.x.size})", tables))
        return tuple(rows)

    def _run(self, x: Tensor, lengths: Tensor | None, static: Tensor | None, known: Tensor | None) -> Flow:
        """What leaves the last layer, for inputs that come from outside."""
        self._check(x=x, static=static, known=known)
        return self._flow(x, lengths, static, known)

    def _flow(self, x: Tensor, lengths: Tensor | None, static: Tensor | None, known: Tensor | None) -> Flow:
        result: Flow = self.layers(self.arriving(x, lengths, static, known))
        return result

    def arriving(self, x: Tensor, lengths: Tensor | None, static: Tensor | None, known: Tensor | None) -> Flow:
        """What arrives at the first layer."""
        return Flow(
            x=self.x(x),
            lengths=lengths,
            static=None if static is None else self.static(static),
            known=None if known is None else self.known(known),
            table=self.x.tables[0] if self._table_size() else None,
        )

    def _table_size(self) -> int:
        """Numbers that stand for each value to answer, where these are the categories of the first such input."""
        return self.x.tables[0].shape[1] if self._answers_items() else 0

    def _answers_items(self) -> bool:
        categories = self.inputs.categories
        return bool(categories) and categories[0] == self.outputs.values

    def _check(self, **given: Tensor | None) -> None:
        for name, value in given.items():
            columns = getattr(self, name).columns
            found = 0 if value is None else value.shape[-1]
            if found != columns:
                raise ConfigError(f"it has {found} columns, the net was built for {columns}", where=f"input {name!r}")


def weight_count(module: nn.Module) -> int:
    """How many a module has."""
    return sum(parameter.numel() for parameter in module.parameters())


def occupied(module: nn.Module) -> int:
    """Bytes of all that is stored of a module."""
    return sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())
