import io
import math

import pytest
from rich.console import Console, RenderableType
from tests.report.runs import RUNS, failure_run, forecast_run

from unrolled.core.records import Language, Note, Run
from unrolled.report import terminal


def printed(*renderables: RenderableType, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    for renderable in renderables:
        console.print(renderable)
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def everything(run: Run, language: Language, width: int) -> str:
    return printed(
        terminal.data(run.data, language),
        terminal.assumptions(run.facts.assumptions, language),
        terminal.net(run.net, language),
        terminal.evaluation(run.evaluation, language),
        terminal.comparison([run, run], language),
        width=width,
    )


@pytest.mark.parametrize("task", sorted(RUNS))
def test_records_say_the_same_in_both_languages(task: str) -> None:
    run = RUNS[task]()
    english, chinese = everything(run, "en", 120), everything(run, "zh", 120)
    assert "50,753" in english and "50,753" in chinese
    assert run.evaluation.verdict.en in english and run.evaluation.verdict.zh in chinese
    assert "What was assumed" in english and "所作假设" in chinese


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    from rich.cells import cell_len

    assert max(map(cell_len, everything(forecast_run(), "zh", width).splitlines())) <= width


def test_warnings_come_first_and_stand_out() -> None:
    lines = printed(terminal.data(forecast_run().data)).splitlines()
    notes = [line for line in lines if line.startswith(("!", "·"))]
    assert notes[0].startswith("! Time stamps are irregular") and notes[1].startswith("· The file is UTF-8")


def test_the_winning_baseline_is_marked_and_named() -> None:
    text = printed(terminal.evaluation(failure_run().evaluation))
    assert "✓ 0.8300" in text and "✓ 0.8100" not in text
    assert "does better than this model" in text
    assert text.rstrip().splitlines()[-1].startswith("Poor")


def test_foreign_text_steers_nothing() -> None:
    run = forecast_run()
    note = Note(code="x", en="[red]\x1b[31mred[/red] [/nothing]", zh="x")
    columns = ({"name": "[bold]\x1b]0;title\x07", "role": "target"},)
    text = printed(
        terminal.data(run.data.model_copy(update={"columns": columns, "source": "a[/b]\x9b31m.csv"})),
        terminal.assumptions((note,)),
        terminal.net(run.net.model_copy(update={"layers": (("[link=x]", "\x1b[2J", 1),)})),
    )
    assert "\x1b" not in text and "\x9b" not in text and "\x07" not in text
    assert "[red]" in text and "[bold]" in text and "[link=x]" in text and "a[/b]" in text


def test_nothing_assumed_prints_nothing() -> None:
    assert printed(terminal.assumptions(())).strip() == ""


def test_figures_that_are_not_numbers_are_dashes() -> None:
    run = forecast_run()
    metrics = tuple(one.model_copy(update={"value": math.nan}) for one in run.evaluation.model.metrics)
    model = run.evaluation.model.model_copy(update={"metrics": metrics})
    text = printed(terminal.evaluation(run.evaluation.model_copy(update={"model": model})))
    assert "nan" not in text.lower() and "is not a number" in text
