"""What the user may ask of the model, and what a device affords where the user names only that."""

from __future__ import annotations

from collections.abc import Sequence

from unrolled.core.advice import Wishes
from unrolled.core.errors import ConfigError
from unrolled.core.validation import nearest

NEEDS = {
    "streaming": ("an answer at every step, as the steps arrive", "随数据到达逐步给出答案"),
    "generation": ("new sequences are to be written", "需要生成新的序列"),
    "memory": ("fine control of what is remembered", "需要精细控制记忆"),
    "modalities": ("inputs of several kinds (sensors and words, two rates)", "多种输入（传感器与文字、不同采样率）"),
}
"""Name -> (English, Chinese)."""

DEVICES: dict[str, tuple[float | None, float | None]] = {
    "watch": (250e3, 5e-3),
    "phone": (5e6, 20e-3),
    "laptop": (50e6, 100e-3),
    "server": (None, None),
    "gpu": (None, None),
}
"""Bytes of weights and seconds of an answer that are assumed to be bearable there, where nobody says other limits."""


def wishes(
    device: str | None = None, size: float | None = None, latency: float | None = None, needs: Sequence[str] = ()
) -> Wishes:
    """Wishes with the gaps filled from the device.

    Args:
        device: of ``DEVICES``.
        size: most bytes of weights.
        latency: most seconds for an answer.
        needs: of ``NEEDS``.

    Raises:
        ConfigError: an unknown device or need, or a limit that is not above zero.
    """
    if device is not None and device not in DEVICES:
        raise ConfigError(f"there is no device {device!r}", where="--device", mend=nearest(device, DEVICES))
    for need in needs:
        if need not in NEEDS:
            raise ConfigError(f"there is no need {need!r}", where="--need", mend=nearest(need, NEEDS))
    for name, given in (("--size", size), ("--latency", latency)):
        if given is not None and given <= 0:
            raise ConfigError("a limit must be above zero", where=name)
    affords = DEVICES[device] if device is not None else (None, None)
    filled = {"size": (size, affords[0]), "latency": (latency, affords[1])}
    return Wishes(
        device=device,
        size=affords[0] if size is None else size,
        latency=affords[1] if latency is None else latency,
        needs=tuple(dict.fromkeys(needs)),
        assumed=tuple(name for name, (own, taken) in filled.items() if own is None and taken is not None),
    )
