"""Nets: layers in time and depth, built from a spec."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.nets.custom import CustomNet, load_custom
    from unrolled.nets.net import Net
    from unrolled.nets.products import multiplications
    from unrolled.nets.recurrent import Recurrent
    from unrolled.nets.spec import NetSpec

# Imported when first used: the presets beside them are read without torch.
_HOMES = {
    "CustomNet": "custom",
    "Net": "net",
    "NetSpec": "spec",
    "Recurrent": "recurrent",
    "load_custom": "custom",
    "multiplications": "products",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = ["CustomNet", "Net", "NetSpec", "Recurrent", "load_custom", "multiplications"]
