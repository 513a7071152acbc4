"""The progress display on a terminal, in a pipe, in both languages."""

from __future__ import annotations

import io
import re

from rich.console import Console
from tests.train.small import Memory, data, net, squared_error

from unrolled.core.records import Language, Metric
from unrolled.train import Progress, TrainSettings, fit


def shown(*, terminal: bool, language: Language = "en", **options: float) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=200)
    fit(
        net(),
        Memory(*data(40, 1), 8),
        squared_error,
        TrainSettings.model_validate({"epochs": 3, **options}),
        valid=Memory(*data(20, 2), 20),
        measure=lambda pairs: Metric(name="rmse", value=0.25),
        hooks=[Progress(language, console)],
    )
    return output.getvalue()


def test_a_pipe_gets_one_plain_line_an_epoch() -> None:
    lines = shown(terminal=False).splitlines()
    assert len(lines) == 4 and "\x1b" not in "".join(lines)
    number = r"[\d.e+-]+"
    figures = (
        rf"loss {number}  valid loss {number}  rmse 0\.25  gradient norm {number}  clipped \d+%  at most 0:00:\d\d left"
    )
    for epoch, line in enumerate(lines[:3], start=1):
        assert re.fullmatch(rf"epoch {epoch}/3  {figures}", line), line
    assert lines[3] == "all epochs done; best epoch 1"


def test_chinese_words() -> None:
    text = shown(terminal=False, language="zh")
    assert "轮次 1/3  损失" in text and "梯度范数" in text and "全部轮次完成" in text


def test_a_terminal_gets_a_live_line() -> None:
    text = shown(terminal=True)
    assert "\x1b[?25l" in text and text.rstrip().endswith("best epoch 1")
    assert "epoch 3/3" in text and "\x1b[?25h" in text


def test_reasons_to_stop() -> None:
    assert "no improvement any more; best epoch 1" in shown(terminal=False, patience=1)
    assert "time budget used up" in shown(terminal=False, max_seconds=1e-9)
