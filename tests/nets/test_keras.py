"""Models saved by Keras, read by us: held against Keras itself."""

from __future__ import annotations

import io
import json
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from unrolled.core.errors import ConfigError, DataError
from unrolled.nets.keras import KerasImport, from_keras
from unrolled.program.plan import run
from unrolled.program.shapes import Outputs
from unrolled.testing.compare import assert_close

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras: Any = pytest.importorskip("keras", reason="Keras is not installed")
h5py: Any = pytest.importorskip("h5py", reason="h5py is not installed")
L: Any = keras.layers

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras warns of its own use of torch

B, T, D = 4, 9, 3
Array = npt.NDArray[Any]


def _x(masked: bool = False) -> Array:
    """``(B, T, D)``; with ``masked`` some steps, at the start, in the middle and at the end, hold zeros only."""
    x = np.random.default_rng(0).normal(size=(B, T, D)).astype(np.float32)
    if masked:
        x[0, 6:] = 0
        x[1, :3] = 0
        x[2, [2, 5]] = 0
        x[3, 1:] = 0
    return x


def _codes() -> Array:
    codes = np.random.default_rng(1).integers(1, 7, size=(B, T)).astype(np.float32)
    codes[0, 5:], codes[1, :2] = 0, 0
    return codes


def _shake(model: Any) -> None:
    """Weights that no initialiser gives: biases and statistics are not zero."""
    rng = np.random.default_rng(2)
    for weight in model.weights:
        value = rng.normal(size=weight.shape) * 0.5
        weight.assign(np.abs(value) + 0.1 if "variance" in weight.path else value)


def _imported(model: Any, folder: Path, **options: Any) -> KerasImport:
    _shake(model)
    path = folder / "model.keras"
    model.save(path)
    return from_keras(path, **options)


def _same(model: Any, folder: Path, *inputs: Array) -> KerasImport:
    """The torch module gives Keras' numbers."""
    made = _imported(model, folder)
    expected = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    with torch.no_grad():
        actual = made.module(*(torch.from_numpy(x) for x in inputs))
    ours = actual if isinstance(actual, tuple) else (actual,)
    theirs = expected if isinstance(expected, list | tuple) else (expected,)
    for a, e in zip(ours, theirs, strict=True):
        assert_close(a, torch.from_numpy(np.array(e)), "against Keras")
    return made


def _sequential(*layers: Any, shape: tuple[int | None, ...] = (None, D)) -> Any:
    return keras.Sequential([L.Input(shape), *layers])


RECURRENT: dict[str, Callable[..., Any]] = {
    "lstm": lambda **o: L.LSTM(5, **o),
    "lstm without bias": lambda **o: L.LSTM(5, use_bias=False, **o),
    "lstm hard": lambda **o: L.LSTM(5, recurrent_activation="hard_sigmoid", activation="softsign", **o),
    "gru": lambda **o: L.GRU(5, **o),
    "gru before": lambda **o: L.GRU(5, reset_after=False, **o),
    "gru hard": lambda **o: L.GRU(5, recurrent_activation="hard_sigmoid", **o),
    "gru before relu": lambda **o: L.GRU(5, reset_after=False, activation="relu", use_bias=False, **o),
    "rnn": lambda **o: L.SimpleRNN(5, **o),
    "rnn relu": lambda **o: L.SimpleRNN(5, activation="relu", **o),
    "rnn linear": lambda **o: L.SimpleRNN(5, activation="linear", **o),
}


@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("masked", [False, True])
def test_recurrent_layers(name: str, masked: bool, tmp_path: Path) -> None:
    make = RECURRENT[name]
    for options in ({}, {"return_sequences": True}, {"return_sequences": True, "go_backwards": True}):
        layers = [L.Masking(), make(**options)] if masked else [make(**options)]
        _same(_sequential(*layers), tmp_path, _x(masked))


@pytest.mark.parametrize(
    "activation",
    [
        *("elu", "exponential", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid", "relu6", "selu", "silu"),
        *("softplus", "tanh_shrink"),
    ],
)
def test_activations_inside_cells_and_behind_layers(activation: str, tmp_path: Path) -> None:
    few = _x()[:, :2] * 0.3  # an unbounded state would explode over more steps
    layers = (L.SimpleRNN(5, activation=activation, return_sequences=True), L.Dense(4, activation=activation))
    _same(_sequential(*layers), tmp_path, few)
    _same(_sequential(L.GRU(5, recurrent_activation=activation)), tmp_path, few)


@pytest.mark.parametrize("name", ["concatenate", "add", "subtract", "multiply", "maximum", "minimum"])
def test_operations_on_values_lose_masks_as_in_keras(name: str, tmp_path: Path) -> None:
    codes = [L.Input((None,)), L.Input((None,))]
    a, b = (L.Embedding(7, 4, mask_zero=True)(each) for each in codes)
    operation = getattr(keras.ops, name)
    joined = operation([a, b], -1) if name == "concatenate" else operation(a, b)
    _same(keras.Model(codes, L.LSTM(3)(joined)), tmp_path, _codes(), np.ascontiguousarray(_codes()[::-1]))


@pytest.mark.parametrize("merge", ["concat", "sum", "ave", "mul"])
@pytest.mark.parametrize("sequences", [False, True])
def test_bidirectional(merge: str, sequences: bool, tmp_path: Path) -> None:
    for masked in (False, True):
        both = L.Bidirectional(L.GRU(4, return_sequences=sequences), merge_mode=merge)
        _same(_sequential(*([L.Masking()] if masked else []), both), tmp_path, _x(masked))


def test_masks_pass_through_layers_as_in_keras(tmp_path: Path) -> None:
    layers = (
        L.Embedding(7, 4, mask_zero=True),
        L.Dropout(0.3),
        L.LSTM(5, return_sequences=True),
        L.TimeDistributed(L.Dense(6, activation="tanh")),
        L.BatchNormalization(),
        L.Bidirectional(L.LSTM(3, return_sequences=True, zero_output_for_mask=False)),
        L.LayerNormalization(),
        L.GlobalAveragePooling1D(),
    )
    _same(_sequential(*layers, shape=(None,)), tmp_path, _codes())


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.Conv1D(4, 3),
        lambda: L.Conv1D(4, 4, padding="same", strides=2, activation="relu"),
        lambda: L.Conv1D(6, 3, padding="causal", dilation_rate=2, groups=3, use_bias=False),
        lambda: L.MaxPooling1D(2),
        lambda: L.MaxPooling1D(3, strides=2, padding="same"),
        lambda: L.AveragePooling1D(3, strides=2, padding="same"),
        lambda: L.AveragePooling1D(2),
        lambda: L.GlobalMaxPooling1D(),
        lambda: L.GlobalAveragePooling1D(keepdims=True),
        lambda: L.Dense(4, activation="gelu"),
        lambda: L.Dense(4, activation="leaky_relu", use_bias=False),
        lambda: L.Activation("selu"),
        lambda: L.LeakyReLU(0.1),
        lambda: L.ReLU(),
        lambda: L.BatchNormalization(scale=False),
        lambda: L.LayerNormalization(center=False),
    ],
)
def test_other_layers(layer: Callable[[], Any], tmp_path: Path) -> None:
    _same(_sequential(L.Masking(), layer(), shape=(T, D)), tmp_path, _x(masked=True))


def test_averages_leave_uneven_padding_out(tmp_path: Path) -> None:
    """As Keras does on TensorFlow, JAX and NumPy; on torch it repeats the last step there."""
    made = _imported(_sequential(L.AveragePooling1D(4, strides=3, padding="same"), shape=(T, D)), tmp_path)
    x = _x()
    expected = np.stack([x[:, start : start + 4].mean(1) for start in (0, 3, 6)], 1)
    y = made.module(torch.from_numpy(x))
    assert isinstance(y, torch.Tensor)
    assert_close(y, torch.from_numpy(expected), "averages")


def test_flatten_and_repeat(tmp_path: Path) -> None:
    layers = (L.Flatten(), L.Dense(4), L.RepeatVector(5), L.GRU(3, return_sequences=True))
    _same(_sequential(*layers, shape=(T, D)), tmp_path, _x())


def test_a_functional_model_with_branches_shared_layers_and_two_outputs(tmp_path: Path) -> None:
    first, second = L.Input((None, D)), L.Input((None,))
    shared = L.GRU(4, return_sequences=True)
    embedded = L.Embedding(7, D, mask_zero=True)(second)
    a, b = shared(L.Masking()(first)), shared(embedded)
    merged = L.Concatenate()([L.Add()([a, b]), L.Multiply()([a, b]), L.Maximum()([a, b])])
    pooled = L.GlobalAveragePooling1D()(merged)
    outputs = [L.Dense(2, name="named")(pooled), L.Dense(3, activation="softmax")(L.LSTM(4)(merged))]
    made = _same(keras.Model([first, second], outputs), tmp_path, _x(masked=True), _codes())
    assert made.net is None and [note.code for note in made.notes] == ["keras_no_net"]


SPECS: dict[str, Callable[[], list[Any]]] = {
    "stacked": lambda: [L.LSTM(5, return_sequences=True), L.Dropout(0.2), L.GRU(4), L.Dense(6)],
    "both ways": lambda: [
        L.Bidirectional(L.GRU(4, return_sequences=True), merge_mode="sum"),
        L.Bidirectional(L.SimpleRNN(3, use_bias=False)),
        L.Dense(8, activation="tanh"),
        L.Dense(2, activation="softmax"),
    ],
    "convolutions": lambda: [
        L.Conv1D(4, 3, padding="causal", strides=2, activation="relu"),
        L.Conv1D(5, 2, padding="same"),
        L.GRU(4, reset_after=False, return_sequences=True),
        L.GlobalMaxPooling1D(),
        L.Dense(1),
        L.Activation("sigmoid"),
    ],
    "mean": lambda: [L.LSTM(4, return_sequences=True), L.GlobalAveragePooling1D(), L.Dropout(0.1), L.Dense(3)],
}


@pytest.mark.parametrize("name", SPECS)
def test_a_net_from_a_spec_gives_the_same_numbers_and_so_does_its_plan(name: str, tmp_path: Path) -> None:
    model = _sequential(*SPECS[name]())
    made = _same(model, tmp_path, _x())
    net = made.net
    assert net is not None
    with torch.no_grad():
        y = net(torch.from_numpy(_x()))
        expected = made.module(torch.from_numpy(_x()))
    assert isinstance(expected, torch.Tensor)
    codes = [note.code for note in made.notes]
    final: dict[str, Any] = {"both ways": lambda v: v.softmax(-1), "convolutions": torch.sigmoid}
    assert codes == (["keras_activation"] if name in final else [])
    assert_close(final.get(name, lambda v: v)(y[:, 0, 0]), expected, "net")
    weights = {key: tensor.numpy() for key, tensor in net.state_dict().items()}
    assert_close(torch.from_numpy(run(net.plan(), weights, _x())), y, "plan")


def test_masking_becomes_lengths_and_codes_an_embedding(tmp_path: Path) -> None:
    made = _imported(_sequential(L.Masking(), L.LSTM(5), L.Dense(4)), tmp_path, outputs=Outputs(steps=4))
    x = torch.from_numpy(_x())
    x[0, 6:] = 0
    assert made.net is not None
    with torch.no_grad():
        expected = made.module(x)
        y = made.net(x, lengths=torch.tensor([6, T, T, T]))
    assert isinstance(expected, torch.Tensor)
    assert_close(y[:, :, 0, 0], expected, "lengths")
    made = _imported(_sequential(L.Embedding(7, 4), L.GRU(5), L.Dense(2), shape=(None,)), tmp_path)
    assert made.net is not None and made.net.inputs.categories == (6,)
    codes = torch.from_numpy(_codes())
    with torch.no_grad():
        expected = made.module(codes)
        assert isinstance(expected, torch.Tensor)
        assert_close(made.net(codes[..., None])[:, 0, 0], expected, "codes")


def test_the_module_trains(tmp_path: Path) -> None:
    made = _imported(_sequential(L.Masking(), L.Bidirectional(L.GRU(4)), L.BatchNormalization(), L.Dense(1)), tmp_path)
    made.module.train()
    y = made.module(torch.from_numpy(_x(masked=True)))
    assert isinstance(y, torch.Tensor)
    torch.autograd.backward(y.square().sum())
    for name, parameter in made.module.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    layers = [L.LSTM(3, stateful=True, dropout=0.1), L.Dense(1)]
    model = keras.Sequential([L.Input(batch_shape=(B, T, D)), *layers])
    codes = {note.code for note in _imported(model, tmp_path).notes}
    assert codes == {"keras_stateful", "keras_dropout"}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: L.LSTM(3, activation="gelu"), "'gelu' cannot stand inside a cell"),
        (lambda: L.Conv2D(3, 3), "this kind of layer is not taken"),
        (lambda: L.ReLU(max_value=6.0), "options are not taken"),
        (lambda: L.Lambda(lambda v: v + 1), "this kind of layer is not taken"),
        (lambda: L.TimeDistributed(L.LSTM(3)), "wraps a LSTM"),
    ],
)
def test_what_cannot_be_taken_is_named(layer: Callable[[], Any], message: str, tmp_path: Path) -> None:
    kind = layer()
    shape = (4, 6, D) if kind.__class__.__name__ in ("Conv2D", "TimeDistributed") else (T, D)
    with pytest.raises(ConfigError, match=message) as caught:
        _imported(_sequential(kind, shape=shape), tmp_path)
    assert kind.name in str(caught.value)


def test_an_initial_state_and_a_nested_model_are_refused(tmp_path: Path) -> None:
    first = L.Input((None, D))
    state = L.GRU(4)(first)
    with pytest.raises(ConfigError, match="called with"):
        _imported(keras.Model(first, L.GRU(4)(first, initial_state=state)), tmp_path)
    inner = _sequential(L.GRU(4))
    with pytest.raises(ConfigError, match=r"Sequential.*a model inside a model is not taken"):
        _imported(keras.Model(first, inner(first)), tmp_path)
    second = keras.Model(first, L.GRU(4)(first))
    with pytest.raises(ConfigError, match=r"Functional.*a model inside a model is not taken"):
        _imported(keras.Model(again := L.Input((None, D)), second(again)), tmp_path)
    with pytest.raises(ConfigError, match="by name are not taken"):
        _imported(keras.Model({"a": first}, L.GRU(4)(first)), tmp_path)


def _rewritten(path: Path, config: Any = None, weights: bytes | None = None) -> Path:
    """The file with other content."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    if config is not None:
        entries["config.json"] = json.dumps(config).encode()
    if weights is not None:
        entries["model.weights.h5"] = weights
    changed = path.with_name("changed.keras")
    with zipfile.ZipFile(changed, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return changed


def test_damaged_and_hostile_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    _sequential(L.LSTM(3), L.Dense(1)).save(path)
    with pytest.raises(DataError, match="no such file"):
        from_keras(tmp_path / "absent.keras")
    (tmp_path / "text.keras").write_text("no zip")
    with pytest.raises(DataError, match="damaged"):
        from_keras(tmp_path / "text.keras")
    wrong: list[Any] = [[], {}, {"class_name": "Sequential", "config": {"layers": [1]}}, {"class_name": "Sequential"}]
    for content in wrong:
        with pytest.raises(DataError):
            from_keras(_rewritten(path, content))
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    config["config"]["layers"][1]["module"] = "os"
    with pytest.raises(ConfigError, match="maker's own"):
        from_keras(_rewritten(path, config))
    with pytest.raises(DataError, match="damaged"):
        from_keras(_rewritten(path, weights=b"\x89HDF\r\n\x1a\n" + b"\0" * 64))
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.ones(36, np.float32).tobytes())
    for name, write in _HOSTILE.items():
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            write(file, secret)
        with pytest.raises((DataError, ConfigError)):
            from_keras(_rewritten(path, weights=buffer.getvalue()))
            pytest.fail(name)


def _link_out(file: Any, secret: Path) -> None:
    file["layers"] = h5py.ExternalLink(str(secret), "/")


def _link_within(file: Any, secret: Path) -> None:
    file["layers"] = h5py.SoftLink("/layers")


def _outside(file: Any, secret: Path) -> None:
    file.create_dataset("layers/lstm/cell/vars/0", (3, 12), "f4", external=[(str(secret), 0, 144)])


def _huge(file: Any, secret: Path) -> None:
    file.create_dataset("layers/lstm/cell/vars/0", (1 << 20, 1 << 20), "f4", chunks=(64, 64))


_HOSTILE = {"link out": _link_out, "link within": _link_within, "outside": _outside, "huge": _huge}


def test_it_is_a_public_name() -> None:
    import unrolled

    assert unrolled.from_keras is from_keras
