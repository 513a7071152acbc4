"""The recurrent layer: depth, directions, lengths, state."""

from __future__ import annotations

import copy
import io
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from unrolled import cells, engine
from unrolled.core.errors import BackendError, ConfigError
from unrolled.engine import draw_noise
from unrolled.nets.recurrent import Recurrent

D, H = 3, 4
TORCH: dict[str, Any] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def _layer(cell: str = "lstm", layers: int = 2, **options: Any) -> Recurrent:
    return Recurrent(cell, D, H, layers, dtype=torch.float64, **options)


def _x(batch: int = 3, time: int = 6) -> Tensor:
    return torch.randn(batch, time, D, dtype=torch.float64)


def _twin(layer: Recurrent) -> nn.RNNBase:
    """torch's layer with the same weights."""
    kind = TORCH[layer.cell.name]
    twin: nn.RNNBase = kind(
        D, H, layer.layers, bias=layer.bias, bidirectional=layer.bidirectional, batch_first=True, dtype=torch.float64
    )
    twin.load_state_dict(layer.state_dict())
    return twin


def _tuple(state: Any) -> tuple[Tensor, ...]:
    return state if isinstance(state, tuple) else (state,)


@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_it_equals_torch(cell: str, layers: int, bidirectional: bool, bias: bool) -> None:
    layer = _layer(cell, layers, bidirectional=bidirectional, bias=bias)
    x = _x()
    y, state = layer(x)
    expected, final = _twin(layer)(x)
    torch.testing.assert_close((y, *state), (expected, *_tuple(final)))
    again, state = layer(x, state)
    expected, final = _twin(layer)(x, final)
    torch.testing.assert_close((again, *state), (expected, *_tuple(final)))


@settings(max_examples=30, deadline=None)
@given(
    cell=st.sampled_from(sorted(TORCH)),
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    bidirectional=st.booleans(),
    seed=st.integers(0, 99),
)
def test_lengths_equal_torchs_packed_sequences(cell: str, lengths: list[int], bidirectional: bool, seed: int) -> None:
    torch.manual_seed(seed)
    layer, x, true = _layer(cell, bidirectional=bidirectional), _x(len(lengths), 7), torch.tensor(lengths)
    y, state = layer(x, lengths=true)
    packed, final = _twin(layer)(pack_padded_sequence(x, true, batch_first=True, enforce_sorted=False))
    expected, _ = pad_packed_sequence(packed, batch_first=True, total_length=7)
    torch.testing.assert_close((y, *state), (expected, *_tuple(final)))


@pytest.mark.parametrize("cell", ["rnn", "rnn_relu", "lstm", "gru", "gru_before"])
def test_steps_equal_the_sequence(cell: str) -> None:
    layer, x = _layer(cell), _x()
    y, final = layer(x)
    state = None
    for t in range(x.shape[1]):
        y_t, state = layer.step(x[:, t], state)
        torch.testing.assert_close(y_t, y[:, t])
    torch.testing.assert_close(state, final)


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(0, 6), cell=st.sampled_from(["lstm", "gru_before"]))
def test_a_cut_sequence_with_its_state_carried_equals_the_whole(cut: int, cell: str) -> None:
    layer, x = _layer(cell), _x()
    y, final = layer(x)
    first, state = layer(x[:, :cut])
    second, state = layer(x[:, cut:], state)
    torch.testing.assert_close((torch.cat((first, second), 1), *state), (y, *final))


def test_reversing_the_input_and_swapping_directions_reverses_the_output() -> None:
    layer = _layer("lstm", 1, bidirectional=True)
    swapped = copy.deepcopy(layer)
    for name, weight in layer.state_dict().items():
        other = name.removesuffix("_reverse") if name.endswith("_reverse") else f"{name}_reverse"
        swapped.get_parameter(other).data.copy_(weight)
    x = _x()
    (y, state), (y2, state2) = layer(x), swapped(x.flip(1))
    torch.testing.assert_close(y2.flip(1), torch.cat((y[..., H:], y[..., :H]), 2))
    torch.testing.assert_close(state2, tuple(part.flip(0) for part in state))


def test_a_bidirectional_layer_cannot_stream_and_says_which() -> None:
    layer = _layer("gru", bidirectional=True)
    assert not layer.causal and _layer("gru").causal
    with pytest.raises(
        ConfigError, match=r"Recurrent\(gru, 3, 4, layers=2, bidirectional=True\): it reads .* both ends"
    ):
        layer.step(torch.zeros(1, D, dtype=torch.float64))


def test_a_bidirectional_layer_starts_from_the_state_of_each_direction() -> None:
    layer, x = _layer("gru", 1, bidirectional=True), _x()
    hx = (torch.randn(2, 3, H, dtype=torch.float64),)
    y, _ = layer(x, hx)
    plain, _ = layer(x)
    assert not torch.allclose(y[:, 0, :H], plain[:, 0, :H]) and not torch.allclose(y[:, -1, H:], plain[:, -1, H:])


@pytest.mark.parametrize("bidirectional", [False, True])
def test_no_steps_and_no_sequences(bidirectional: bool) -> None:
    layer = _layer("lstm", bidirectional=bidirectional)
    width = layer.output_size
    y, (h, c) = layer(_x(3, 0))
    assert y.shape == (3, 0, width) and h.shape == c.shape == (2 * layer.directions, 3, H) and not h.any()
    y, (h, c) = layer(_x(0, 6))
    assert y.shape == (0, 6, width) and h.shape == c.shape == (2 * layer.directions, 0, H)
    hx = tuple(torch.randn(2 * layer.directions, 3, H, dtype=torch.float64) for _ in range(2))
    torch.testing.assert_close(layer(_x(3, 0), hx)[1], hx)


def test_dropout_acts_between_layers_in_training_only() -> None:
    layer, x = _layer("gru", 2, dropout=0.5), _x(8, 20)
    plain = copy.deepcopy(layer)
    plain.dropout = 0.0
    torch.testing.assert_close(layer.eval()(x)[0], plain(x)[0])
    assert not torch.allclose(layer.train()(x)[0], plain(x)[0])
    torch.testing.assert_close(layer(x)[1][0][0], plain(x)[1][0][0])  # the first layer is untouched
    layer.dropout = 1.0
    y = layer(x)[0]
    torch.testing.assert_close(y, y[:1].expand_as(y))  # the second layer hears nothing of x


def test_dropout_keeps_the_mean() -> None:
    torch.manual_seed(0)
    layer = Recurrent("rnn_relu", 1, 1, 2, dropout=0.3, bias=False)
    for weight in layer.parameters():
        weight.data.fill_(1.0)
    y, _ = layer(torch.ones(4000, 1, 1))
    assert y.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert y.mean().item() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_size": 0}, "input_size: must be at least 1"),
        ({"hidden_size": -1}, "hidden_size: must be at least 1"),
        ({"layers": 0}, "layers: must be at least 1"),
        ({"layers": 2, "dropout": 1.5}, r"dropout: must lie within 0 \.\. 1"),
        ({"dropout": 0.5}, "dropout: acts between recurrent layers, and there is only one"),
        ({"cell": "gur"}, r"(?s)cell 'gur'.*'gru'"),
    ],
)
def test_impossible_options_are_refused(arguments: dict[str, Any], message: str) -> None:
    defaults: dict[str, Any] = {"cell": "gru", "input_size": 3, "hidden_size": 4}
    with pytest.raises(ConfigError, match=message):
        Recurrent(**(defaults | arguments))


@pytest.mark.parametrize(
    "hx",
    [
        (torch.zeros(2, 3, H, dtype=torch.float64),),
        torch.zeros(2, 3, H, dtype=torch.float64),
        (torch.zeros(1, 3, H, dtype=torch.float64),) * 2,
    ],
    ids=["one part", "not a tuple", "one layer"],
)
def test_a_state_that_does_not_fit_is_refused(hx: Any) -> None:
    with pytest.raises(ConfigError, match=r"tuple of 2 \(h, c\), each \(2, B, H\)"):
        _layer("lstm")(_x(), hx)


def test_a_step_takes_one_time_step() -> None:
    with pytest.raises(ConfigError, match=r"x_t must be \(B, D\)"):
        _layer().step(_x())


def test_the_backend_can_be_insisted_on() -> None:
    layer, x = _layer("gru"), _x()
    expected = layer(x)[0]
    layer.backend = "reference"
    torch.testing.assert_close(layer(x)[0], expected)
    before = _layer("gru_before")
    before.backend = "torch"
    with pytest.raises(BackendError, match="no kernel"):
        before(x)


def test_gradients_reach_everything_through_depth_directions_and_lengths() -> None:
    layer = Recurrent("gru_before", 2, 3, 2, bidirectional=True, dtype=torch.float64)
    lengths = torch.tensor([3, 2])

    def function(x: Tensor, h: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        named = dict(zip(dict(layer.named_parameters()), weights, strict=True))
        y, (h,) = torch.func.functional_call(layer, named, (x, (h,)), {"lengths": lengths})
        return y, h

    x = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    h = torch.randn(4, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, (x, h, *layer.parameters()))


def test_saved_weights_give_the_same_numbers() -> None:
    layer, other, file = _layer("lstm"), _layer("lstm"), io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    x = _x()
    assert torch.equal(layer(x)[0], other(x)[0])
    assert torch.equal(copy.deepcopy(layer)(x)[0], layer(x)[0])


def test_a_cell_with_options_and_a_projected_output() -> None:
    layer = Recurrent(cells.LSTMProjected(2), D, H, 2, bidirectional=True)
    layer.backend = "reference"
    y, (h, c) = layer(torch.randn(3, 5, D))
    assert layer.output_size == y.shape[2] == 4 and h.shape == (4, 3, 2) and c.shape == (4, 3, H)


def test_printing_shows_what_differs_from_the_defaults() -> None:
    assert str(Recurrent("rnn", 2, 3)) == "Recurrent(rnn, 2, 3)"
    assert str(_layer("gru", dropout=0.5, bias=False)) == "Recurrent(gru, 3, 4, layers=2, dropout=0.5, bias=False)"


def test_masks_are_drawn_anew_while_training_and_never_elsewhere() -> None:
    layer, x = _layer("lstm_zoneout", 1), _x()
    torch.manual_seed(0)
    first, second = layer(x)[0], layer(x)[0]
    torch.manual_seed(0)
    assert torch.equal(layer(x)[0], first) and not torch.equal(first, second)
    layer.eval()
    before = torch.get_rng_state()
    assert torch.equal(layer(x)[0], layer(x)[0]) and torch.equal(torch.get_rng_state(), before)


def test_zoneout_of_all_units_stands_still() -> None:
    layer, hx = _layer("lstm", 1), (torch.rand(1, 3, H).double(), torch.rand(1, 3, H).double())
    layer.cell = cells.LSTMZoneout(1 - 1e-12, 1 - 1e-12)
    torch.testing.assert_close(layer(_x(), hx)[1], hx)


@pytest.mark.parametrize("cell", [cells.LSTMDropout(0.0), cells.LSTMVariational(0.0), cells.LSTMZoneout(0.0, 0.0)])
def test_without_noise_they_are_the_lstm(cell: Any) -> None:
    layer, plain, x = Recurrent(cell, D, H, dtype=torch.float64), _layer("lstm", 1), _x()
    plain.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(x), plain(x))


def test_a_held_mask_is_the_same_at_all_steps_and_others_are_not() -> None:
    x = torch.zeros(64, 50, 1, dtype=torch.float64)
    held = draw_noise(cells.LSTMVariational(0.3), x, 8)
    each = draw_noise(cells.LSTMZoneout(0.3, 0.1), x, 8)
    assert held is not None and each is not None and held["d"].shape == each["z_c"].shape == (64, 50, 8)
    assert (held["d"] == held["d"][:, :1]).all() and not (each["z_c"] == each["z_c"][:, :1]).all()
    assert {*held["d"].flatten().tolist()} == {0, 1}
    assert held["d"].mean().item() == pytest.approx(0.7, abs=0.08)  # 512 draws
    assert each["z_c"].mean().item() == pytest.approx(0.3, abs=0.01)  # 25,600 draws
    assert each["z_h"].mean().item() == pytest.approx(0.1, abs=0.01)
    assert draw_noise(cells.LSTM(), x, 8) is None


def test_dropout_leaves_the_mean_of_what_is_written() -> None:
    """One step from zeros with open gates: c = d tanh(g) / (1 - rate), half of it dropped."""
    torch.manual_seed(0)
    layer = Recurrent(cells.LSTMDropout(0.5), 1, 1000)
    for weight in layer.parameters():
        torch.nn.init.zeros_(weight)
    torch.nn.init.ones_(layer.get_parameter("bias_ih_l0").data.view(4, -1)[2])
    _, (_, c) = layer(torch.zeros(20, 1, 1))
    whole = 0.5 * math.tanh(1.0)
    assert c.unique().tolist() == pytest.approx([0.0, 2 * whole])
    assert c.mean().item() == pytest.approx(whole, abs=0.02)


def test_a_rate_that_is_missing_or_no_probability_is_refused() -> None:
    class Wrong(cells.LSTMZoneout):
        def rates(self) -> dict[str, float]:
            return {"z_c": 1.5, "z_h": 0.0}

    with pytest.raises(ConfigError, match=r"lstm_zoneout.rates\(\): one probability for each"):
        Recurrent(Wrong(), D, H)(torch.zeros(1, 2, D))


@pytest.mark.parametrize(
    "noise",
    [{"d": torch.ones(3, 6, H)}, {"z_c": torch.ones(3, 6, H)}, {"z_c": torch.ones(3, H), "z_h": torch.ones(3, H)}],
)
def test_masks_that_do_not_fit_are_refused(noise: dict[str, Tensor]) -> None:
    layer = _layer("lstm_zoneout", 1)
    with pytest.raises(ConfigError, match=r"the noise must be \('z_c', 'z_h'\), each of shape \(3, 6, 4\)"):
        engine.run(layer.cell, _x(), layer.weights()[0], noise=noise)


@pytest.mark.parametrize("cell", ["indrnn", "lru", "min_gru", "min_lstm"])
def test_a_cell_without_recurrent_products_has_no_weights_for_them(cell: str) -> None:
    layer = _layer(cell, 2, bidirectional=True)
    assert not any("hh" in name for name in layer.state_dict())
    y, _ = layer(_x())
    assert y.shape == (3, 6, 2 * H)


def test_heads_must_divide_the_units() -> None:
    with pytest.raises(ConfigError, match="4 heads cannot share 10 units"):
        Recurrent("slstm", D, 10)
