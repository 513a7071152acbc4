"""The pages of the cells are what the code says."""

from __future__ import annotations

import re
import runpy
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from unrolled import cells
from unrolled.program import trace
from unrolled.program.equations import CELLS

DOCS = Path(__file__).resolve().parents[2] / "docs"
BUILT_IN = sorted(name for name, kind in CELLS.items() if kind.__module__.startswith("unrolled.cells."))


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        return runpy.run_path(str(DOCS / "cells.py"))


def test_pages_are_those_of_the_code(script: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {*CELLS} - {*BUILT_IN}:  # cells that other tests have registered
        monkeypatch.delitem(CELLS, name)
    written = script["written"]()
    assert {path.name for path in (DOCS / "cells").iterdir()} == written.keys(), "run: python docs/cells.py"
    for name, content in written.items():
        assert (DOCS / "cells" / name).read_text(encoding="utf-8") == content, f"{name}: run: python docs/cells.py"


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_page_says_paper_and_use_and_its_picture_is_xml(name: str) -> None:
    page = (DOCS / "cells" / f"{name}.md").read_text(encoding="utf-8")
    assert re.search(r"\b(19|20)\d\d\b", page.split("## Equations")[0]), "no paper with its year"
    assert "## When to use it\n\nUse it" in page
    for opening, closing in ((r"\left", r"\right"), ("{", "}"), (r"\begin", r"\end")):
        assert page.count(opening) == page.count(closing)
    picture = ET.parse(DOCS / "cells" / f"{name}.svg").getroot()
    boxes = {"".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert "xt" in boxes and any(box.startswith("ht = ") for box in boxes)


def test_parameters_are_counted(script: dict[str, Any]) -> None:
    assert "| all | | 4 D H + 4 H² + 8 H |" in script["parameters"](cells.LSTM())
    assert "| `weight_hh` | (8, H / 2, H / 2) | 2 H² |" in script["parameters"](cells.SLSTM(2))
    for name in BUILT_IN:
        cell = script["made"](name)
        total = re.search(r"^\| all \| \| (.*) \|$", script["parameters"](cell), re.MULTILINE)
        assert total is not None
        formula = re.sub(r"(?<=[\dDH²]) (?=[DH])", " * ", total[1]).replace("²", "**2")
        values = sum(_product(shape) for shape in cell.shapes(7, 48).values())
        assert eval(formula, {"D": 7, "H": 48}) == values, name


def _product(shape: tuple[int, ...]) -> int:
    return shape[0] * _product(shape[1:]) if shape else 1


def test_equations_are_typeset(script: dict[str, Any]) -> None:
    lines = script["equations"](trace(cells.GRU(), script["HIDDEN"])).splitlines()
    assert lines[4] == (
        r"n_t &= \tanh\left( W_{n} x_t + b_{n} + r_t \odot \left( R_n h_{t-1} + b'_{n} \right) \right) \\"
    )
    assert lines[5] == r"h_t &= \left( 1 - z_t \right) \odot n_t + z_t \odot h_{t-1}"
