"""``unrolled presets``: the nets that have a name."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLE = "Example: unrolled presets --lang zh"


def presets(lang: Annotated[str, typer.Option(help="en or zh.")] = "en") -> None:
    """List the presets and what each is for."""
    import yaml
    from rich.console import Console

    from unrolled.core.errors import ConfigError
    from unrolled.nets.presets import presets as known

    if lang not in ("en", "zh"):
        raise ConfigError(f"there is no language {lang!r}", where="--lang", mend="choose en or zh")
    console = Console(highlight=False)
    for preset in known():
        console.print(f"[bold]{preset.name}[/]  ({', '.join(preset.task)})")
        console.print(f"  {preset.purpose['zh' if lang == 'zh' else 'en']}")
        for layer in preset.layers():
            console.print("    " + yaml.safe_dump(layer, default_flow_style=True, width=200).strip(), markup=False)
