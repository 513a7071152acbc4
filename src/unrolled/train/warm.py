"""Start from the weights of another net, all or some layers; leave layers as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from unrolled.core.errors import ConfigError


def warm_start(
    net: nn.Module, weights: Mapping[str, Tensor | npt.NDArray[np.generic]], patterns: Sequence[str] = ("*",)
) -> list[str]:
    """Copy the weights whose names match one of ``patterns`` (``*`` and ``?``) into ``net``.

    Args:
        net: takes the weights.
        weights: by ``state_dict`` name, of another net or a bundle.
        patterns: which weights; those that one side alone has are passed over.

    Returns:
        The names that were copied.

    Raises:
        ConfigError: a pattern matches nothing on both sides, or a weight has another shape.
    """
    own = net.state_dict()
    shared = [name for name in own if name in weights]
    chosen = matching(shared, patterns, "warm_layers")
    for name in chosen:
        given, wanted = tuple(weights[name].shape), tuple(own[name].shape)
        if given != wanted and (given, wanted) != ((1,), ()):  # early bundles wrote one number as a list of one
            raise ConfigError(
                f"this weight has the shape {given} there and {wanted} in this net",
                where=f"warm start: {name}",
                mend="leave it out with warm_layers, or use the same sizes and the same columns",
            )
    with torch.no_grad():
        for name in chosen:
            own[name].copy_(torch.as_tensor(weights[name]).reshape(own[name].shape))
    return chosen


def freeze(net: nn.Module, patterns: Sequence[str]) -> list[str]:
    """Take the weights whose names match one of ``patterns`` out of training; their names.

    Raises:
        ConfigError: a pattern matches nothing, or nothing is left to train.
    """
    parameters = dict(net.named_parameters())
    frozen = matching(parameters, patterns, "freeze")
    for name in frozen:
        parameters[name].requires_grad_(False)
    if not any(parameter.requires_grad for parameter in parameters.values()):
        raise ConfigError("no weight is left to train", where="freeze", mend="give fewer patterns")
    return frozen


def matching(names: Iterable[str], patterns: Sequence[str], option: str) -> list[str]:
    """The names that match one of ``patterns`` (``*`` and ``?``).

    Raises:
        ConfigError: a pattern matches nothing; the nearest names are told.
    """
    names = list(names)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            near = get_close_matches(pattern, names, n=3, cutoff=0.0)
            raise ConfigError(
                f"no weight is called {pattern!r}",
                where=option,
                mend=f"the nearest names are {', '.join(near)}" if near else "the two nets share no weight",
            )
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
