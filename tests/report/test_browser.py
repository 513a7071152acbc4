"""Reports in a real browser: every chart is drawn, nothing is written to the console, nothing is fetched."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.report.reading import Page
from tests.report.runs import RUNS, forecast_run

from unrolled.report import comparison, html

OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --virtual-time-budget=5000 --enable-logging=stderr --v=0"
)

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("needs Chromium to draw the charts")
    return found


def drawn(browser: str, source: str, folder: Path, theme: str = "light") -> tuple[str, str]:
    """The page after its scripts ran, and what the browser said meanwhile."""
    page = folder / "report.html"
    page.write_text(source)
    done = browse(browser, folder, f"{page.as_uri()}#{theme}")
    return done.stdout, done.stderr


def browse(browser: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [browser, *OPTIONS.split(), f"--user-data-dir={folder}/profile", "--dump-dom", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def messages(said: str) -> list[str]:
    return [line for line in said.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize("task", sorted(RUNS))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_chart_is_drawn(chromium: str, task: str, theme: str, tmp_path: Path) -> None:
    source = html.render(RUNS[task](), "zh")
    after, said = drawn(chromium, source, tmp_path, theme)
    plots = re.split(r'class="plot"', after)[1:]
    assert len(plots) == len(Page(source).options) >= 5
    assert all(re.search(r"<svg[^>]*>.*?<path", plot, re.DOTALL) for plot in plots)
    assert "训练集" in "".join(plots) and "轮</text>" in after
    assert messages(said) == []
    assert f'data-theme="{theme}"' in after


def test_a_comparison_is_drawn(chromium: str, tmp_path: Path) -> None:
    after, said = drawn(chromium, comparison.render([forecast_run(), forecast_run()]), tmp_path)
    assert after.count("<svg") >= 5 + 2 and messages(said) == []


def test_the_browser_refuses_a_script_that_is_not_ours(chromium: str, tmp_path: Path) -> None:
    planted = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    after, said = drawn(chromium, html.render(forecast_run()).replace("<main>", f"<main>{planted}"), tmp_path)
    assert "<title>owned" not in after
    assert len([message for message in messages(said) if "Content Security Policy" in message]) >= 2


def framed(browser: str, source: str, width: int, script: str, folder: Path) -> str:
    """The text that ``script`` gives for the page in a frame of that width; it calls the page's element ``root``."""
    inner, outer = folder / "inner.html", folder / "outer.html"
    inner.write_text(source)
    outer.write_text(
        f"<iframe style='width:{width}px;height:900px' src='{inner.as_uri()}#light'></iframe>"
        "<script>setTimeout(() => {"
        "const root = document.querySelector('iframe').contentDocument.documentElement;"
        f"document.title = {script};"
        "}, 2000)</script>"
    )
    after = browse(browser, folder, "--allow-file-access-from-files", outer.as_uri()).stdout
    found = re.search("<title>(.*)</title>", after)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("width", [360, 390, 1200])
def test_no_page_is_wider_than_the_screen(chromium: str, width: int, tmp_path: Path) -> None:
    run = forecast_run()
    facts = run.facts.model_copy(update={"name": "n" * 300, "command": "c" * 300, "target": ("t" * 300,)})
    source = html.render(run.model_copy(update={"facts": facts}))
    script = "[root.querySelectorAll('svg path').length > 20, root.scrollWidth - root.clientWidth]"
    assert framed(chromium, source, width, script, tmp_path) == "true,0"
    too_wide = source.replace("<main>", f"<main><p style='width:{width + 1}px'>x</p>")
    assert framed(chromium, too_wide, width, script, tmp_path) != "true,0"


def test_the_button_turns_page_and_charts_dark_and_back(chromium: str, tmp_path: Path) -> None:
    ground = "getComputedStyle(root.querySelector('body')).backgroundColor"
    look = f"[{ground}, root.querySelector('.plot text').getAttribute('fill')]"
    source = html.render(forecast_run())
    light = framed(chromium, source, 800, look, tmp_path)
    clicked = f"(root.querySelector('#theme').click(), {look})"
    dark = framed(chromium, source, 800, clicked, tmp_path)
    assert dark.startswith("rgb(19, 22, 26)") and light.startswith("rgb(246, 246, 243)")
    assert dark.rsplit(",", 1)[1] != light.rsplit(",", 1)[1]
    assert framed(chromium, source, 800, f"({clicked}, {clicked})", tmp_path) == light


def test_paper_is_light_narrow_and_unfolded_and_leaves_no_trace(chromium: str, tmp_path: Path) -> None:
    view = "root.ownerDocument.defaultView"
    look = (
        "[root.dataset.theme, root.querySelector('.plot svg').getAttribute('width') < 690,"
        "root.querySelectorAll('details:not([open])').length]"
    )
    source = html.render(forecast_run())
    printing = f"(root.querySelector('#theme').click(), {view}.dispatchEvent(new Event('beforeprint')), {look})"
    assert framed(chromium, source, 1100, printing, tmp_path) == "light,true,0"
    after = f"({printing}, {view}.dispatchEvent(new Event('afterprint')), {look})"
    assert framed(chromium, source, 1100, after, tmp_path) == "dark,false,0"
