"""A user's own module in the place of a net."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.nets import CustomNet, load_custom
from unrolled.program.shapes import Inputs, Outputs

INPUTS, OUTPUTS = Inputs(numbers=3), Outputs(steps=2, targets=2)


class Own(nn.Module):
    """Two maps, one of them with an odd constructor."""

    def __init__(self, input_size: int, output_size: int, width: int = 5) -> None:
        super().__init__()
        self.rnn = nn.GRU(input_size, width, batch_first=True)
        self.head = nn.Linear(width, output_size)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.rnn(x)[0][:, -1])
        return y


class Wide(nn.Module):
    """Takes everything, returns the last number of x."""

    def forward(self, x: Tensor, **rest: Tensor | None) -> Tensor:
        last = x[:, -1, :1] if rest["lengths"] is None else x[torch.arange(len(x)), rest["lengths"] - 1, :1]
        return last.expand(-1, 4)


class Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


class Demanding(nn.Module):
    def __init__(self, secret: int) -> None:
        super().__init__()


def test_it_answers_as_a_net_does() -> None:
    own = Own(3, 4)
    net = CustomNet(own, INPUTS, OUTPUTS)
    x = torch.randn(6, 9, 3)
    torch.testing.assert_close(net(x), own(x).view(6, 2, 2, 1))
    assert net.plan() is None
    facts = net.summary()
    assert facts.parameters == sum(p.numel() for p in own.parameters()) and facts.spec == f"{__name__}:Own"
    assert [name for name, _, _ in facts.layers] == ["rnn", "head"]
    assert [note.code for note in net.streamable()] == ["custom_net"]


def test_inputs_go_in_by_name() -> None:
    net = CustomNet(Wide(), Inputs(numbers=3, static_numbers=1), OUTPUTS)
    x, lengths = torch.randn(2, 4, 3), torch.tensor([4, 2])
    y = net(x, lengths, static=torch.zeros(2, 1))
    torch.testing.assert_close(y[:, 0, 0, 0], x[[0, 1], [3, 1], 0])


def test_inputs_it_does_not_take() -> None:
    with pytest.raises(ConfigError, match="does not take 'static'"):
        CustomNet(Own(3, 4), Inputs(numbers=3, static_numbers=1), OUTPUTS)
    with pytest.raises(ConfigError, match="does not take 'lengths'"):
        CustomNet(Own(3, 4), INPUTS, OUTPUTS)(torch.randn(2, 4, 3), torch.tensor([4, 2]))


def test_outputs_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match=r"returns the shape \(2, 5\).*\n.*\(B, 4\)"):
        CustomNet(Own(3, 5), INPUTS, OUTPUTS)(torch.randn(2, 4, 3))
    with pytest.raises(ConfigError, match="returns tuple"):
        CustomNet(Pair(), INPUTS, OUTPUTS)(torch.randn(2, 4, 3))


def test_import_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = ModuleType("their_nets")
    home.Own, home.ready, home.Demanding, home.text = Own, Own(3, 4), Demanding, "no"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "their_nets", home)
    net = load_custom("their_nets:Own", INPUTS, OUTPUTS)
    assert isinstance(net.module, Own) and net.module.rnn.input_size == 3 and net.module.head.out_features == 4
    assert load_custom("their_nets:ready", INPUTS, OUTPUTS).module is home.ready
    for path, says in {
        "their_nets:Missing": "cannot be imported",
        "nowhere_at_all:Own": "cannot be imported",
        "their_nets": "cannot be imported",
        "their_nets:text": "not a torch module",
        "their_nets:Demanding": "asks for 'secret'",
    }.items():
        with pytest.raises(ConfigError, match=says):
            load_custom(path, INPUTS, OUTPUTS)
