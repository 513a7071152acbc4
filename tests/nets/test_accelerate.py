"""torch models whose recurrent layers were replaced: the same numbers, the same objects."""

from __future__ import annotations

import copy
import io
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import unrolled
from unrolled.core.errors import ConfigError
from unrolled.nets.accelerate import accelerate
from unrolled.testing.compare import assert_close

B, T, D, H = 3, 6, 4, 5
LAYERS: list[tuple[type[nn.RNNBase], dict[str, Any]]] = [
    (nn.LSTM, {}),
    (nn.LSTM, {"num_layers": 2, "bidirectional": True, "batch_first": True}),
    (nn.LSTM, {"proj_size": 2, "bidirectional": True, "bias": False}),
    (nn.LSTM, {"dtype": torch.float64}),
    (nn.GRU, {"num_layers": 2, "batch_first": True}),
    (nn.GRU, {"bidirectional": True, "bias": False}),
    (nn.RNN, {"nonlinearity": "relu", "batch_first": True}),
    (nn.RNN, {"num_layers": 2}),
]


class Loop(nn.Module):
    """A hand-written loop, and one over several cells."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(D, H)
        self.deep: nn.ModuleList = nn.ModuleList([nn.GRUCell(H, H), nn.GRUCell(H, H)])

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for step in x:
            state = self.cell(step, state)
        assert state is not None
        h: Tensor = state[0]
        for layer in self.deep:
            h = layer(h)
        return h


class OwnLSTM(nn.LSTM):
    """A subclass that changes what comes out."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        y, state = super().forward(input, hx)
        return 2 * y, state


def _results(layer: nn.Module, x: Tensor | PackedSequence) -> list[Tensor]:
    """Output, final state and all gradients, under weights that let no error cancel."""
    y, state = layer(x)
    parts = [y.data if isinstance(y, PackedSequence) else y, *(state if isinstance(state, tuple) else (state,))]
    generator = torch.Generator().manual_seed(1)
    loss = sum((part * torch.randn(part.shape, generator=generator).to(part)).sum() for part in parts)
    assert isinstance(loss, Tensor)
    return [*parts, *torch.autograd.grad(loss, [v for v in (x, *layer.parameters()) if isinstance(v, Tensor)])]


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize(("kind", "options"), LAYERS)
@pytest.mark.parametrize("packed", [False, True])
def test_outputs_states_and_gradients_stay(kind: Any, options: dict[str, Any], packed: bool) -> None:
    torch.manual_seed(0)
    layer = kind(D, H, **options)
    first = options.get("batch_first", False)
    x: Any = torch.randn((B, T, D) if first else (T, B, D), dtype=options.get("dtype"), requires_grad=True)
    if packed:
        x = pack_padded_sequence(x.detach(), torch.tensor([4, 6, 1]), batch_first=first, enforce_sorted=False)
    expected = _results(layer, x)
    report = accelerate(layer, quiet=True)
    assert len(report.swapped) == 1 and isinstance(layer, getattr(unrolled, kind.__name__))
    for number, (ours, theirs) in enumerate(zip(_results(layer, x), expected, strict=True)):
        assert_close(ours, theirs, f"{layer}, result {number}")


def test_everything_about_the_module_stays() -> None:
    calls: list[str] = []
    layer: Any = nn.LSTM(D, H, 2, dropout=0.5)
    body = nn.Sequential(layer, nn.Identity())
    model = nn.ModuleDict({"body": body, "other": nn.GRU(D, H), "shared": layer})
    layer.register_forward_hook(lambda module, args, out: calls.append(type(module).__module__))
    layer.note = "mine"
    layer.weight_ih_l1.requires_grad_(False)
    model.eval()
    before = {name: parameter for name, parameter in model.named_parameters(remove_duplicate=False)}
    state = torch.get_rng_state()
    accelerate(model, quiet=True)
    assert torch.equal(torch.get_rng_state(), state)
    after = dict(model.named_parameters(remove_duplicate=False))
    assert list(after) == list(before) and all(after[name] is before[name] for name in after)
    assert body[0] is layer is model["shared"] and not layer.training and layer.note == "mine"
    assert not layer.weight_ih_l1.requires_grad and layer.dropout == 0.5 and layer.num_layers == 2
    layer(torch.zeros(T, B, D))
    assert calls == ["unrolled.nets.drop_in"]


def test_an_optimiser_made_before_goes_on_and_copies_work() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.GRU(D, H))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    keys = list(model.state_dict())
    accelerate(model, quiet=True)
    layer: Any = model[0]
    before = layer.weight_hh_l0.detach().clone()
    x = torch.randn(T, B, D)
    model(x)[0].sum().backward()
    optimizer.step()
    assert not torch.equal(layer.weight_hh_l0, before)
    assert list(model.state_dict()) == keys
    expected = model(x)[0]
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    copies = [copy.deepcopy(model), pickle.loads(pickle.dumps(model)), torch.load(buffer, weights_only=False)]
    for made in copies:
        assert torch.equal(made(x)[0], expected)
        assert made[0].weight_hh_l0 is not layer.weight_hh_l0
    fresh = nn.Sequential(nn.GRU(D, H))
    fresh.load_state_dict(model.state_dict())
    assert_close(fresh(x)[0], expected, "back in torch")


def test_one_sequence_without_a_batch_and_a_given_state() -> None:
    layer = nn.LSTM(D, H, bidirectional=True)
    x, hx = torch.randn(T, D), (torch.randn(2, H), torch.randn(2, H))
    expected, (h, c) = layer(x, hx)
    accelerate(layer, quiet=True)
    y, state = layer(x, hx)
    for ours, theirs in zip((y, *state), (expected, h, c), strict=True):
        assert_close(ours, theirs, "one sequence")


def test_dropout_of_a_single_layer_does_not_warn_again() -> None:
    with pytest.warns(UserWarning, match="dropout"):
        layer = nn.LSTM(D, H, dropout=0.5)
    accelerate(layer, quiet=True)
    layer(torch.zeros(T, B, D))


def test_loops_over_cells_are_named_with_their_line(capsys: pytest.CaptureFixture[str]) -> None:
    report = accelerate(nn.Sequential(Loop(), nn.Linear(H, 1)))
    assert not report.swapped
    assert [found.place for found in report.left] == ["0.cell", "0.deep.0", "0.deep.1"]
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    for found, expected in zip(report.left, ("self.cell(step", "in self.deep", "in self.deep"), strict=True):
        number = int(found.reason.split("test_accelerate.py:")[1].split(";")[0])
        assert expected in lines[number - 1]
    assert capsys.readouterr().out.strip() == str(report)
    assert "replaced 0 of 3" in str(report)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_what_is_left_has_a_reason() -> None:
    own, script = OwnLSTM(D, H), torch.jit.script(nn.LSTM(D, H))
    with_norm = weight_norm(nn.GRU(D, H), "weight_hh_l0")
    model = nn.ModuleList([own, script, with_norm, nn.Linear(D, H), nn.LSTM(D, H)])
    x = torch.randn(T, B, D)
    expected = own(x)[0]
    report = accelerate(model, quiet=True)
    assert [found.place for found in report.swapped] == ["4"]
    reasons = {found.place: found.reason for found in report.left}
    assert "subclass" in reasons["0"] and "TorchScript" in reasons["1"] and "parametrization" in reasons["2"]
    assert torch.equal(own(x)[0], expected)


def test_weights_computed_by_a_hook_are_read_anew_each_call() -> None:
    """A parametrization registered after the replacement acts, and its gradient arrives."""
    layer: Any = nn.GRU(D, H)
    accelerate(layer, quiet=True)
    x = torch.randn(T, B, D)
    expected = layer(x)[0]
    weight_norm(layer, "weight_hh_l0")
    assert_close(layer(x)[0], expected, "weight norm leaves the weight as it was")
    layer(x)[0].sum().backward()
    assert layer.parametrizations["weight_hh_l0"].original0.grad is not None


def test_a_model_without_recurrent_layers_and_a_second_call() -> None:
    assert str(accelerate(nn.Linear(2, 3), quiet=True)) == "no recurrent layer found"
    model = nn.Sequential(nn.LSTM(D, H))
    assert len(accelerate(model, quiet=True).swapped) == 1
    assert accelerate(model, quiet=True).swapped == ()


class OtherNames(nn.Module):
    """Its methods do not call it ``self``."""

    def __init__(this) -> None:
        super().__init__()
        this.cell = nn.GRUCell(D, H)

    def forward(this, x: Tensor) -> Tensor:
        h: Tensor = this.cell(x)
        return h


def test_a_loop_is_found_whatever_the_instance_is_called() -> None:
    (found,) = accelerate(OtherNames(), quiet=True).left
    number = int(found.reason.split("test_accelerate.py:")[1].split(";")[0])
    assert "this.cell(x)" in Path(__file__).read_text(encoding="utf-8").splitlines()[number - 1]


@pytest.mark.parametrize("model", [5, nn.LSTM])
def test_what_is_no_module_is_refused(model: Any) -> None:
    with pytest.raises(ConfigError, match="needs a torch module"):
        accelerate(model)


def test_it_is_a_public_name() -> None:
    assert unrolled.accelerate is accelerate
