"""Heat maps: every figure has its cell, in the colour of its scale, on the page and as SVG."""

from __future__ import annotations

from xml.etree import ElementTree

from unrolled.core.records import HeatPicture
from unrolled.report.blocks import chart
from unrolled.report.heat import bounds, heat
from unrolled.report.svg import drawing
from unrolled.report.words import Words

SPACE = "{http://www.w3.org/2000/svg}"


def picture(*rows: tuple[float | None, ...], signed: bool = False) -> HeatPicture:
    return HeatPicture(
        name="attention_map",
        x_label="looked_at",
        y_label="looks",
        value_label="weight",
        x=tuple(f"<{at}>" for at in range(len(rows[0]))),
        y=tuple(f"row {at}" for at in range(len(rows))),
        values=rows,
        signed=signed,
    )


def test_each_figure_has_a_cell_and_a_gap_has_none() -> None:
    option = heat(picture((0.1, None), (float("nan"), 0.4), (0.0, 0.2)), Words()).option
    assert option["series"][0]["data"] == [[0, 0, 0.1], [1, 1, 0.4], [0, 2, 0.0], [1, 2, 0.2]]
    assert option["xAxis"]["data"] == ["<0>", "<1>"] and option["yAxis"]["inverse"]
    assert (option["cells"]["min"], option["cells"]["max"]) == (0, 0.4)


def test_the_scale() -> None:
    assert bounds(picture((0.2, 0.5))) == (0, 0.5)
    assert bounds(picture((-3.0, 1.0), signed=True)) == (-3, 3)
    assert bounds(picture((-8.0, 0.0))) == (-8, 0)  # logarithms
    assert bounds(picture((0.0, 0.0)))[1] > 0 and bounds(picture((0.0, 0.0), signed=True)) == (-1, 1)
    assert bounds(picture((None, None))) == (0, 1)


def test_as_svg() -> None:
    sheet = ElementTree.fromstring(drawing(heat(picture((-2.0, 0.0), (2.0, None), signed=True), Words())))
    fills = [one.attrib["fill"] for one in sheet.iter(f"{SPACE}rect")][1:4]
    assert fills == ["#c65a00", "#ffffff", "#0072b2"]
    first, second, below = (one.attrib for one in [*sheet.iter(f"{SPACE}rect")][1:4])
    assert float(second["x"]) > float(first["x"]) and float(below["y"]) > float(first["y"])
    texts = {text.text for text in sheet.iter(f"{SPACE}text")}
    assert {"Where each step looks", "<0>", "row 1", "-2", "2", "Step that looks"} <= texts


def test_a_long_name_of_a_row_is_cut_and_many_rows_are_thinned() -> None:
    many = picture(*[(0.1, 0.2)] * 200).model_copy(update={"y": ("x" * 80, *(f"r{at}" for at in range(1, 200)))})
    texts = [text.text or "" for text in ElementTree.fromstring(drawing(heat(many, Words()))).iter(f"{SPACE}text")]
    assert any(text.startswith("xxx") and text.endswith("…") for text in texts)
    assert sum(text.startswith("r") for text in texts) < 40
    assert heat(many, Words()).option["yAxis"]["axisLabel"]["interval"] == 9


def test_the_page_has_the_scale_beside_it_in_both_languages() -> None:
    for language, said in (("en", "Where each step looks"), ("zh", "每一步关注的位置")):
        words = Words(language)  # type: ignore[arg-type]
        card = str(chart(heat(picture((0.0, 0.25)), words), words))
        assert said in card and 'class="scale"' in card and "0.250" in card
        assert "linear-gradient(to right, var(--card), var(--model))" in card and "&lt;0&gt;" not in card
