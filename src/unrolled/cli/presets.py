"""``unrolled presets``: the nets that have a name."""

from __future__ import annotations

from unrolled.cli.language import Lang, language_of

EXAMPLE = "Example: unrolled presets --lang zh"


def presets(lang: Lang = "en") -> None:
    """List the presets and what each is for."""
    import yaml
    from rich.console import Console

    from unrolled.nets.presets import presets as known

    language = language_of(lang)
    console = Console(highlight=False)
    for preset in known():
        console.print(f"[bold]{preset.name}[/]  ({', '.join(preset.task)})")
        console.print(f"  {preset.purpose[language]}")
        for layer in preset.layers():
            console.print("    " + yaml.safe_dump(layer, default_flow_style=True, width=200).strip(), markup=False)
