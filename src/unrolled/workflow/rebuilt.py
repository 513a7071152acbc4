"""The torch net of a bundle, to look into."""

from __future__ import annotations

import torch

from unrolled.core.bundle import Bundle
from unrolled.core.errors import ConfigError
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs


def rebuilt(bundle: Bundle, where: str) -> Net:
    """The net with its trained weights, outside training.

    Raises:
        ConfigError: the net is a user's own module, or an encoder that gives no answers yet.
    """
    net = untrained(bundle, where)
    net.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in bundle.weights.items()})
    return net.eval()


def untrained(bundle: Bundle, where: str) -> Net:
    """The same net with first weights, drawn from torch's generator.

    Raises:
        ConfigError: as of :func:`rebuilt`.
    """
    manifest = bundle.manifest
    if manifest.task == "pretrain":
        raise ConfigError(
            "it holds a pretrained encoder, which gives no answers yet",
            where=where,
            mend="train a task from it: unrolled train labelled.csv --target y --from this",
        )
    if manifest.net is None:
        raise ConfigError(
            "its net is a module of your own, whose inside is not known",
            where=where,
            mend="call unrolled.diagnose.examine with the module in Python",
        )
    return Net(manifest.net, Inputs.model_validate(manifest.inputs), Outputs.model_validate(manifest.outputs))
