"""A user's own cell: a layer kind, a spec, a plan, from one definition."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from unrolled.cells import Cell, register
from unrolled.core.errors import ConfigError
from unrolled.core.tolerances import TOLERANCES
from unrolled.nets import Net, NetSpec
from unrolled.program.check import check
from unrolled.program.equations import CELLS
from unrolled.program.functions import tanh
from unrolled.program.plan import run
from unrolled.program.shapes import Inputs, Outputs


@dataclass(frozen=True)
class Leaky(Cell):
    """Moves a share of the way to a simple cell's answer."""

    taps: int
    share: float = 0.25

    name = "leaky_of_test"
    gates = ("h",)

    def step(self, x: Any, R: Any, h: Any) -> tuple[Any]:
        return ((1 - self.share) * h + self.share * tanh(x.h + R.h(h)),)


@pytest.fixture
def leaky() -> Iterator[str]:
    register(Leaky)
    yield Leaky.name
    del CELLS[Leaky.name]


def test_it_is_a_layer_with_its_own_options(leaky: str) -> None:
    spec = NetSpec.parse([{leaky: {"size": 4, "taps": 2}}])
    assert spec.dump()[0][leaky]["share"] == 0.25
    assert NetSpec.parse(spec.dump()) == spec == pickle.loads(pickle.dumps(spec))
    with pytest.raises(ConfigError, match=r"leaky_of_test\.taps"):
        NetSpec.parse([{leaky: {}}])
    with pytest.raises(ConfigError, match=r"Did you mean 'share'"):
        NetSpec.parse([{leaky: {"taps": 2, "sharr": 0.5}}])


def test_its_plan_gives_the_same_numbers_with_the_same_options(leaky: str) -> None:
    answers = []
    for share in (0.25, 0.75):
        torch.manual_seed(0)
        net = Net(
            [{leaky: {"size": 4, "taps": 2, "share": share, "bidirectional": True}}], Inputs(numbers=2), Outputs()
        )
        x = torch.randn(3, 6, 2, generator=torch.Generator().manual_seed(1))
        weights = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
        answers.append(run(check(net.plan(), weights), weights, x.numpy()))
        with torch.no_grad():
            np.testing.assert_allclose(answers[-1], net(x).numpy(), **TOLERANCES["float32"]._asdict())
    assert np.abs(answers[0] - answers[1]).max() > 1e-3
