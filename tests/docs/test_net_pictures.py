"""The pictures of nets are what their specs say, and the page of nets shows all of them."""

from __future__ import annotations

import runpy
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from unrolled.nets import NetSpec
from unrolled.nets.presets import presets

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCRIPT: dict[str, Any] = runpy.run_path(str(DOCS / "net_pictures.py"))


def test_pictures_are_those_of_the_specs() -> None:
    written = SCRIPT["written"]()
    assert {path.name for path in (DOCS / "nets").iterdir()} == written.keys(), "run: python docs/net_pictures.py"
    page = (DOCS / "nets.md").read_text(encoding="utf-8")
    for name, content in written.items():
        assert (DOCS / "nets" / name).read_text(encoding="utf-8") == content, "run: python docs/net_pictures.py"
        assert f"(nets/{name})" in page


def test_a_picture_names_every_layer_and_nothing_leaves_it() -> None:
    specs = {entry.name: entry.layers() for entry in presets()} | SCRIPT["ARCHITECTURES"]
    for name, spec in specs.items():
        picture = ET.fromstring(SCRIPT["picture"](NetSpec.parse(spec).layers))
        texts = [text.text or "" for text in picture.iter("{http://www.w3.org/2000/svg}text")]
        for layer in _names(spec):
            assert any(text.split(" ")[0] == layer for text in texts), (name, layer)
        for box in picture.iter("{http://www.w3.org/2000/svg}rect"):
            for place, size in (("x", "width"), ("y", "height")):
                end = float(box.get(place, 0)) + float(box.attrib[size])
                assert end <= float(picture.attrib[size]) and float(box.get(place, 0)) >= 0, name


def _names(spec: Any) -> set[str]:
    """Every layer that a list names, at any depth."""
    if isinstance(spec, list):
        return set().union(*map(_names, spec))
    if isinstance(spec, str):
        return {spec}
    ((name, options),) = spec.items()
    inner = [value for key, value in (options or {}).items() if key in ("layers", "branches")]
    return {name}.union(*map(_names, inner))
