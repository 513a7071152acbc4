"""Nets: layers in time and depth, built from a spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.core.lazy import on_first_use

if TYPE_CHECKING:
    from unrolled.nets.custom import CustomNet, load_custom
    from unrolled.nets.net import Net
    from unrolled.nets.pretext import Pretext
    from unrolled.nets.products import multiplications
    from unrolled.nets.recurrent import Recurrent
    from unrolled.nets.spec import NetSpec

# Imported when first used: the presets beside them are read without torch.
_HOMES = {
    "CustomNet": "custom",
    "Net": "net",
    "NetSpec": "spec",
    "Pretext": "pretext",
    "Recurrent": "recurrent",
    "load_custom": "custom",
    "multiplications": "products",
}
__getattr__ = on_first_use(__name__, _HOMES)

__all__ = ["CustomNet", "Net", "NetSpec", "Pretext", "Recurrent", "load_custom", "multiplications"]
