"""The palette, measured by the contrast formula of WCAG 2.2."""

import re
from importlib import resources
from itertools import combinations

import pytest

ASSETS = resources.files("unrolled.report").joinpath("assets")
PAIRS = [
    (text, ground) for text in ("ink", "soft", "model", "good", "fair", "poor") for ground in ("page", "card", "tint")
]
DRAWN = ("model", "second", "third", "fourth", "fifth", "truth")


def palette(name: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", ASSETS.joinpath(name).read_text().split("}")[0]))


def channels(color: str) -> list[float]:
    values = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]


def contrast(one: str, other: str) -> float:
    light = [sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), channels(c), strict=True)) for c in (one, other)]
    return (max(light) + 0.05) / (min(light) + 0.05)


def mixed(color: str, ground: str, share: float) -> str:
    pairs = [(int(color[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


@pytest.fixture(params=["report.css", "dark.css"])
def colors(request: pytest.FixtureRequest) -> dict[str, str]:
    return palette(request.param)


def test_text_can_be_read(colors: dict[str, str]) -> None:
    for text, ground in PAIRS:
        assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)


def test_lines_stand_out_from_the_card(colors: dict[str, str]) -> None:
    for name in DRAWN:
        assert contrast(colors[name], colors["card"]) >= 3, name


@pytest.mark.parametrize("name", ["report.css", "dark.css"])
def test_the_text_of_a_full_cell_can_be_read(name: str) -> None:
    found = re.search(r"--shade: ([0-9.]+)", ASSETS.joinpath(name).read_text())
    assert found is not None
    colors = palette(name)
    for fill in ("model", "second"):
        assert contrast(colors["ink"], mixed(colors[fill], colors["tint"], float(found[1]))) >= 4.5, fill


def test_both_themes_name_the_same_colours() -> None:
    assert set(palette("report.css")) == set(palette("dark.css"))


def test_lines_that_meet_in_a_chart_differ(colors: dict[str, str]) -> None:
    for one, other in combinations(("model", "second", "third"), 2):
        assert sum(abs(a - b) for a, b in zip(channels(colors[one]), channels(colors[other]), strict=True)) > 0.25
