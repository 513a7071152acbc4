import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.core.records import Metric
from unrolled.report.format import MISSING, duration, interval, moment, number, percent, plain, size


@given(st.floats(min_value=-1e12, max_value=1e12, allow_nan=False))
def test_a_number_reads_back_to_four_digits(value: float) -> None:
    read = float(number(value).replace(",", "").replace("−", "-"))
    assert math.isclose(read, value, rel_tol=5.01e-4, abs_tol=0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, MISSING),
        (math.nan, MISSING),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (0.0, "0"),
        (-0.0, "0"),
        (3.298, "3.298"),
        (-0.5, "−0.5000"),
        (1234567.0, "1,234,567"),
        (0.00001234, "1.234e-05"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("low", "high"), [(None, None), (1.0, None), (math.nan, 2.0)])
def test_half_an_interval_is_none(low: float | None, high: float | None) -> None:
    assert interval(Metric(name="rmse", value=1.5, low=low, high=high)) == ""


def test_units() -> None:
    assert interval(Metric(name="rmse", value=1.5, low=1.0, high=2.0)) == "1.000 – 2.000"
    assert [size(999), size(203_012), size(5_000_000_000)] == ["999 B", "203 kB", "5.00 GB"]
    assert [duration(0.5), duration(207.4), duration(7300, "zh")] == ["0.500 s", "3 min 27 s", "2 小时 1 分"]
    assert duration(math.nan) == MISSING
    assert [percent(0), percent(0.0123)] == ["0 %", "1.2 %"]
    assert moment("2026-03-04T09:15:22.123+00:00") == "2026-03-04 09:15 UTC"
    assert moment("yesterday") == "yesterday"


def test_plain_keeps_letters_of_all_scripts_and_takes_what_steers() -> None:
    assert plain("Größe 节假日 می‌خواهم 👩‍🔬\n\t") == "Größe 节假日 می‌خواهم 👩‍🔬\n\t"
    assert plain("a\x1b[31mb\x00c\u202ed\ud800\x7f") == "a�[31mb�c�d��"
