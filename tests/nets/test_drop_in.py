"""Drop-ins against ``torch.nn``: arguments, state, shapes, packing, weights, gradients."""

from __future__ import annotations

import copy
import inspect
import itertools
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

import unrolled
from unrolled.core.errors import ConfigError

D, H = 3, 4
LAYERS = ("LSTM", "GRU", "RNN")
CELLS = ("LSTMCell", "GRUCell", "RNNCell")

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")


def _pair(kind: str, **options: Any) -> tuple[Any, Any]:
    """Ours and torch's, with torch's weights."""
    options = {"dtype": torch.float64} | options
    ours, theirs = getattr(unrolled, kind)(D, H, **options), getattr(nn, kind)(D, H, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def _randn(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


def _hx(module: Any, *batch: int) -> Any:
    count = module.num_layers * (2 if module.bidirectional else 1)
    width = getattr(module, "proj_size", 0) or H
    if isinstance(module, nn.LSTM):
        return _randn(count, *batch, width), _randn(count, *batch, H)
    return _randn(count, *batch, width)


def _leaves(value: Any) -> list[Tensor]:
    if isinstance(value, PackedSequence):
        indices = [v for v in (value.sorted_indices, value.unsorted_indices) if v is not None]
        return [value.data, value.batch_sizes, *indices]
    return [value] if isinstance(value, Tensor) else [leaf for part in value for leaf in _leaves(part)]


def _assert_same(ours: Any, theirs: Any, x: Any, *args: Any, **options: Any) -> None:
    """Same structure, outputs and gradients to every weight."""
    actual, expected = ours(x, *args, **options), theirs(x, *args)
    assert type(actual) is type(expected) and (isinstance(actual, Tensor) or len(actual) == len(expected))
    torch.testing.assert_close(_leaves(actual), _leaves(expected))
    weights = [torch.randn_like(leaf) if leaf.is_floating_point() else None for leaf in _leaves(expected)]
    for module, result in ((ours, actual), (theirs, expected)):
        module.zero_grad()
        terms = [(w * leaf).sum() for w, leaf in zip(weights, _leaves(result), strict=True) if w is not None]
        torch.autograd.backward(torch.stack(terms).sum())
    for (name, weight), (other, expected_weight) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        assert name == other
        torch.testing.assert_close(weight.grad, expected_weight.grad)


def _options() -> list[tuple[str, dict[str, Any]]]:
    grid = itertools.product((1, 2), (True, False), (True, False), (True, False))
    names = ("num_layers", "bias", "batch_first", "bidirectional")
    common = [dict(zip(names, values, strict=True)) for values in grid]
    extra: list[tuple[str, dict[str, Any]]] = [
        ("RNN", {"nonlinearity": "relu", "num_layers": 2}),
        ("LSTM", {"proj_size": 2}),
    ]
    extra += [("LSTM", {"proj_size": 3, "num_layers": 2, "bidirectional": True, "bias": False})]
    return [(kind, options) for kind in LAYERS for options in common] + extra


@pytest.mark.parametrize(("kind", "options"), _options(), ids=str)
def test_every_option_and_every_form_of_input(kind: str, options: dict[str, Any]) -> None:
    ours, theirs = _pair(kind, **options)
    x = _randn(5, 6, D) if options.get("batch_first") else _randn(6, 5, D)
    lengths = torch.tensor([3, 6, 1, 6, 2])
    packed = pack_padded_sequence(x, lengths, batch_first=options.get("batch_first", False), enforce_sorted=False)
    for form, batch in ((x, (5,)), (_randn(6, D), ()), (packed, (5,))):
        _assert_same(ours, theirs, form)
        _assert_same(ours, theirs, form, _hx(theirs, *batch))


@pytest.mark.parametrize("kind", LAYERS)
def test_sorted_packed_sequences(kind: str) -> None:
    ours, theirs = _pair(kind, bidirectional=True)
    packed = pack_sequence([_randn(4, D), _randn(4, D), _randn(1, D)])
    assert packed.sorted_indices is None
    _assert_same(ours, theirs, packed, _hx(theirs, 3))


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("batch_first", [True, False])
def test_lengths_in_place_of_packing(kind: str, batch_first: bool) -> None:
    ours, theirs = _pair(kind, bidirectional=True, batch_first=batch_first)
    x, lengths = _randn(3, 6, D), [6, 2, 4]
    packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    expected, final = theirs(packed)
    y, state = ours(x if batch_first else x.transpose(0, 1), lengths=lengths)
    rows = y if batch_first else y.transpose(0, 1)
    again = pack_padded_sequence(rows, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    torch.testing.assert_close(again.data, expected.data)
    torch.testing.assert_close(state, final)
    assert not rows[1, 2:].any()


def test_a_packed_sequence_has_its_own_lengths() -> None:
    with pytest.raises(ConfigError, match="own lengths"):
        unrolled.GRU(D, H)(pack_sequence([torch.zeros(4, D)]), lengths=[4])


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("bias", [True, False])
def test_cells_equal_torchs(kind: str, bias: bool) -> None:
    ours, theirs = _pair(kind, bias=bias)
    for batch in ((5,), ()):
        state = (_randn(*batch, H), _randn(*batch, H)) if kind == "LSTMCell" else _randn(*batch, H)
        _assert_same(ours, theirs, _randn(*batch, D))
        _assert_same(ours, theirs, _randn(*batch, D), state)


def test_the_relu_cell_equals_torchs() -> None:
    ours, theirs = _pair("RNNCell", nonlinearity="relu")
    _assert_same(ours, theirs, _randn(5, D), _randn(5, H))


@pytest.mark.parametrize("kind", LAYERS)
def test_the_sequence_at_once_equals_a_hand_written_loop_over_the_cell(kind: str) -> None:
    layer = getattr(unrolled, kind)(D, H, dtype=torch.float64)
    cell = getattr(unrolled, f"{kind}Cell")(D, H, dtype=torch.float64)
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in layer.state_dict().items()})
    x = _randn(7, 5, D)
    y, final = layer(x)
    state, outputs = None, []
    for x_t in x:
        state = cell(x_t, state)
        outputs.append(state[0] if isinstance(state, tuple) else state)
    torch.testing.assert_close(torch.stack(outputs), y)
    expected = tuple(part[0] for part in final) if isinstance(final, tuple) else final[0]
    torch.testing.assert_close(state, expected)


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
def test_arguments_and_their_defaults_are_torchs(kind: str) -> None:
    ours = _arguments(getattr(unrolled, kind))
    if kind in LAYERS:
        base = _arguments(nn.RNNBase)
        base.pop("mode")
        expected = {**base, **({"nonlinearity": "tanh"} if kind == "RNN" else {})}
        if kind != "LSTM":
            expected.pop("proj_size")
    else:
        expected = _arguments(getattr(nn, kind))
    assert ours == expected


def _arguments(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters}


def test_positional_arguments_stand_where_torchs_stand() -> None:
    assert unrolled.LSTM(D, H, 2, False, True, 0.5, True, 2).state_dict().keys() == (
        nn.LSTM(D, H, 2, False, True, 0.5, True, 2).state_dict().keys()
    )
    ours, theirs = unrolled.RNN(D, H, 2, "relu", False, True), nn.RNN(D, H, 2, "relu", False, True)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(5, 6, D)
    torch.testing.assert_close(ours(x)[0], theirs(x)[0])


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
def test_initial_values_are_torchs_under_the_same_seed(kind: str) -> None:
    torch.manual_seed(3)
    ours = getattr(unrolled, kind)(D, H)
    torch.manual_seed(3)
    theirs = getattr(nn, kind)(D, H)
    for (name, weight), (other, expected) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert name == other and torch.equal(weight, expected)


def test_dropout_is_torchs() -> None:
    x = torch.randn(40, 30, D)
    ours, theirs = unrolled.LSTM(D, H, 2, dropout=0.4), nn.LSTM(D, H, 2, dropout=0.4)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours.eval()(x)[0], theirs.eval()(x)[0])
    assert not torch.allclose(ours.train()(x)[0], ours(x)[0])


def test_dropout_without_a_second_layer_warns_as_torch_does() -> None:
    with pytest.warns(UserWarning, match="only one"):
        layer = unrolled.GRU(D, H, dropout=0.4)
    x = torch.randn(6, 5, D)
    assert torch.equal(layer(x)[0], layer(x)[0])


def test_device_and_dtype_reach_every_parameter() -> None:
    for kind in (*LAYERS, *CELLS):
        module = getattr(unrolled, kind)(D, H, device="meta", dtype=torch.bfloat16)
        assert {(w.device.type, w.dtype) for w in module.parameters()} == {("meta", torch.bfloat16)}


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("LSTM", {"proj_size": 4}, "proj_size"),
        ("LSTM", {"proj_size": -1}, "proj_size"),
        ("RNN", {"nonlinearity": "sigmoid"}, "nonlinearity"),
        ("RNNCell", {"nonlinearity": "sigmoid"}, "nonlinearity"),
        ("GRU", {"num_layers": 0}, "layers"),
        ("GRUCell", {"input_size": 0}, "input_size"),
        ("LSTMCell", {"hidden_size": 0}, "hidden_size"),
    ],
)
def test_impossible_options_are_refused(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        getattr(unrolled, kind)(**{"input_size": D, "hidden_size": H} | options)


@pytest.mark.parametrize(("kind", "shape"), [("LSTM", (2, 3, 4, D)), ("GRU", (D,)), ("RNNCell", (2, 3, D))])
def test_inputs_of_another_rank_are_refused(kind: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="dimensions"):
        getattr(unrolled, kind)(D, H)(torch.zeros(shape))


def test_what_existing_code_asks_of_a_layer() -> None:
    ours, theirs = _pair("LSTM", num_layers=2, bidirectional=True)
    ours.flatten_parameters()
    assert ours.num_layers == 2 and not ours.batch_first and ours.proj_size == 0
    assert ours.input_size == D and ours.hidden_size == H and ours.bias is True and ours.dropout == 0.0
    for mine, other in zip(ours.all_weights, theirs.all_weights, strict=True):
        torch.testing.assert_close(mine, list(other))


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
def test_copies_and_pickles_give_the_same_numbers(kind: str) -> None:
    module = getattr(unrolled, kind)(D, H)
    x = torch.randn(6, D)[:1] if kind in CELLS else torch.randn(6, 2, D)
    expected = _leaves(module(x))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert all(torch.equal(a, b) for a, b in zip(_leaves(other(x)), expected, strict=True))


def test_a_parameter_that_is_replaced_is_used() -> None:
    layer, x = unrolled.GRU(D, H), torch.randn(6, 2, D)
    before = layer(x)[0]
    layer.weight_ih_l0 = nn.Parameter(torch.zeros_like(layer.get_parameter("weight_ih_l0")))
    assert not torch.allclose(layer(x)[0], before)


def test_streaming_steps_equal_the_sequence() -> None:
    layer, x = unrolled.LSTM(D, H, 2), torch.randn(6, 2, D)
    y, _ = layer(x)
    state = None
    for t, x_t in enumerate(x):
        y_t, state = layer.step(x_t, state)
        torch.testing.assert_close(y_t, y[t])
