"""The door for models saved by Keras 3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets.keras.archive import read
from unrolled.nets.keras.graph import Graph, KerasModule, graph
from unrolled.nets.keras.spec import to_net
from unrolled.nets.net import Net
from unrolled.program.shapes import Outputs


@dataclass(frozen=True)
class KerasImport:
    """A model that came from Keras.

    Attributes:
        module: the model in torch: called as in Keras, it gives the same numbers.
        net: the same model from a net spec, which can be bundled and streamed; None where the spec cannot say it. It
            takes lengths in the place of a mask, codes as ``(B, T, 1)``, and its output is ``(B, steps, targets,
            values)`` before a last softmax or sigmoid, as our tasks expect it.
        notes: what differs, and why there is no net where there is none.
    """

    module: KerasModule
    net: Net | None
    notes: tuple[Note, ...]


def from_keras(path: Path | str, *, outputs: Outputs | None = None) -> KerasImport:
    """Read a Sequential or functional model that ``model.save("model.keras")`` wrote, with its weights.

    Keras itself is not needed, and nothing in the file is executed.

    Args:
        path: the file.
        outputs: what the numbers of the last layer are in a net, such as ``Outputs(steps=24)`` for a forecast; one
            step of so many values when absent.

    Returns:
        The model in evaluation mode.

    Raises:
        ConfigError: a layer, or an option of one, is not taken; the message names it.
        DataError: the file is missing, damaged, or was not written by Keras 3.
        MissingExtraError: h5py is not installed.
    """
    config, arrays = read(path)
    read_graph = graph(config, arrays)
    module = KerasModule(read_graph)
    module.eval()
    notes = list(_notes(read_graph))
    net = None
    try:
        net, final = to_net(read_graph, module, outputs)
        if final != "linear":
            notes.append(
                _note(
                    "keras_activation",
                    f"the net gives the values before the last {final}",
                    f"网络输出最后的 {final} 之前的数值",
                )
            )
    except ConfigError as error:
        notes.append(
            _note(
                "keras_no_net", f"no net spec, only a torch module: {error}", f"只有 torch 模块，没有网络规格：{error}"
            )
        )
    return KerasImport(module, net, tuple(notes))


def _notes(found: Graph) -> Iterator[Note]:
    """What a layer asks for that is not taken over, and does not change its numbers."""
    for source in found.layers.values():
        inner = source.config.get("layer")
        config = inner["config"] if isinstance(inner, dict) and "config" in inner else source.config
        where = source.where
        if config.get("stateful"):
            yield _note(
                "keras_stateful",
                f"{where}: stateful=True is left out, each call starts at zero",
                f"{where}：忽略 stateful=True，每次调用都从零状态开始",
            )
        if config.get("dropout") or config.get("recurrent_dropout"):
            yield _note(
                "keras_dropout", f"{where}: its dropout in training is left out", f"{where}：忽略其训练时的 dropout"
            )
        policy = source.config.get("dtype")
        name = (
            policy["config"].get("name")
            if isinstance(policy, dict) and isinstance(policy.get("config"), dict)
            else policy
        )
        if isinstance(name, str) and name.startswith("mixed"):
            yield _note(
                "keras_dtype",
                f"{where}: computed in float32, not {name[:40]}",
                f"{where}：以 float32 计算，而非 {name[:40]}",
            )


def _note(code: str, en: str, zh: str) -> Note:
    return Note(code=code, en=en, zh=zh)
