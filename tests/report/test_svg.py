"""Charts as SVG files: well-formed, with everything that the page's chart has."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from unrolled.core.records import BarPicture, CurvePicture
from unrolled.report import charts
from unrolled.report.svg import drawing
from unrolled.report.words import Words

WORDS = Words()
SPACE = "{http://www.w3.org/2000/svg}"


def curve(*lines: tuple[float, ...]) -> charts.Chart:
    names = ("loss", "smoothed", "attention")
    return charts.curve(
        CurvePicture(
            name="loss_by_rate",
            x_label="lag",
            y_label="loss",
            x=tuple(map(float, range(len(lines[0])))),
            lines=dict(zip(names, lines, strict=False)),
        ),
        WORDS,
    )


def parsed(chart: charts.Chart) -> ElementTree.Element:
    return ElementTree.fromstring(drawing(chart))


def points(element: ElementTree.Element) -> list[list[float]]:
    return [[float(number) for number in pair.split(",")] for pair in element.attrib["points"].split()]


def test_lines_keep_their_shape_and_colours() -> None:
    found = parsed(curve((0.0, 1.0, 4.0), (4.0, 4.0, 4.0))).findall(f"{SPACE}polyline")
    first, second = map(points, found)
    assert [found[0].attrib["stroke"], found[1].attrib["stroke"]] == ["#0072b2", "#c65a00"]
    across, up = ([point[axis] for point in first] for axis in (0, 1))
    assert across[1] - across[0] == pytest.approx(across[2] - across[1], abs=0.2)
    assert (up[0] - up[2]) / (up[0] - up[1]) == pytest.approx(4, rel=0.02)
    assert {point[1] for point in second} == {up[2]}


def test_gaps_cut_a_line() -> None:
    found = parsed(curve((0.0, 1.0, float("nan"), 2.0, 3.0))).findall(f"{SPACE}polyline")
    assert [len(points(one)) for one in found] == [2, 2]


def test_bars_stand_on_zero() -> None:
    picture = BarPicture(name="contribution_by_column", y_label="share", labels=("a", "b"), values=(2.0, -1.0))
    bars = parsed(charts.bar(picture, WORDS)).findall(f"{SPACE}rect")[1:]
    heights = [float(bar.attrib["height"]) for bar in bars]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)
    assert float(bars[0].attrib["y"]) + heights[0] == pytest.approx(float(bars[1].attrib["y"]), abs=0.2)


def test_names_and_labels_are_written_and_escaped() -> None:
    picture = BarPicture(name="contribution_by_column", y_label="share", labels=("<b>", "x & y"), values=(1.0, 2.0))
    texts = [text.text for text in parsed(charts.bar(picture, WORDS)).iter(f"{SPACE}text")]
    assert {"<b>", "x & y", "Contribution of each input"} <= set(texts)
    texts = [text.text for text in parsed(curve((0.0, 1.0), (1.0, 2.0))).iter(f"{SPACE}text")]
    assert {"Loss", "Running mean", "Steps before the end"} <= set(texts)


def test_a_logarithmic_axis() -> None:
    chart = curve((1.0, 10.0, 100.0))
    chart.option["yAxis"]["type"] = "log"
    (line,) = parsed(chart).findall(f"{SPACE}polyline")
    up = [point[1] for point in points(line)]
    assert up[0] - up[1] == pytest.approx(up[1] - up[2], abs=0.2)


def test_a_flat_line_and_an_empty_one() -> None:
    assert len(parsed(curve((3.0, 3.0))).findall(f"{SPACE}polyline")) == 1
    assert parsed(curve((float("nan"),))).findall(f"{SPACE}polyline") == []
