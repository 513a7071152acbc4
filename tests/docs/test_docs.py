"""What the pages say is what the code does."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

import numpy as np
import pytest
import yaml
from tests.fixtures import make_bundle

from unrolled import cells
from unrolled.core.bundle import Manifest
from unrolled.evaluate import BASELINES, verdict
from unrolled.nets import Net, NetSpec
from unrolled.nets.layers import layer_kinds
from unrolled.prepare.calendar import FEATURES
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import Decoding
from unrolled.prepare.readers import READERS
from unrolled.prepare.series import Role
from unrolled.prepare.transforms.chain import TRANSFORMS
from unrolled.prepare.write import to_csv
from unrolled.program.equations import CELLS
from unrolled.program.shapes import Inputs, Outputs
from unrolled.tasks import TASKS, Scales, make_task
from unrolled.train import TrainSettings
from unrolled.workflow.config import Config

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
TABLES: dict[str, Any] = runpy.run_path(str(ROOT / "docs/tables.py"))

_FENCE = re.compile(r"(?P<mark><!-- run -->\n)?```(?P<language>\w+)\n(?P<code>.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\((?!https?://|#)(?P<path>[^)#\s]+)")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def names_in_code(page: str) -> set[str]:
    """Words that the page writes as code."""
    return {word for span in re.findall(r"`([^`\n]+)`", text(page)) for word in re.split(r"[^\w.:-]+", span)}


def blocks(language: str, *, run: bool = False) -> Iterator[tuple[str, str]]:
    for name in NAMES:
        for block in _FENCE.finditer(text(name)):
            if block["language"] == language and (bool(block["mark"]) or not run):
                yield name, block["code"]


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_those_of_the_code(name: str) -> None:
    assert TABLES["filled"](text(name)) == text(name), "run: python docs/tables.py"


def test_every_table_has_its_page() -> None:
    shown = {place["name"] for name in NAMES for place in TABLES["PLACE"].finditer(text(name))}
    recurrent = {f"layer {name}" for name in cells.cells()}
    without_options = {f"layer {name}" for name, kind in layer_kinds().items() if not kind.model_fields}
    assert shown >= set(TABLES["TABLES"]) - recurrent - without_options
    common = set(layer_kinds()["lstm"].model_fields)
    for name in cells.cells():
        assert set(layer_kinds()[name].model_fields) - common <= names_in_code("docs/cells.md"), name


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_files(name: str) -> None:
    for link in _LINK.finditer(text(name)):
        assert (ROOT / name).parent.joinpath(link["path"]).exists(), link["path"]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the pages speak of it: a bundle, and a file to predict."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copy(ROOT / "tests/fixtures/bundle_v1.unrolled", folder / "model.unrolled")
    (folder / "new.csv").write_text(to_csv(make_bundle.table()), encoding="utf-8")
    return folder


@pytest.mark.parametrize(("name", "code"), list(blocks("python", run=True)))
def test_python_runs(name: str, code: str, reader: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(reader)
    with patch.dict(CELLS):  # a page registers cells
        exec(compile(code, name, "exec", dont_inherit=True), {"__name__": "block"})


def commands() -> Iterator[tuple[str, str]]:
    """Every line that calls the command: in shell blocks, and indented."""
    for name in NAMES:
        for line in re.findall(r"^(?:    )?((?:torchrun \S+ \d+ -m )?unrolled [a-z].*)$", text(name), re.MULTILINE):
            yield name, line.partition("  #")[0].removeprefix("torchrun --nproc-per-node 2 -m ")


@pytest.mark.parametrize(("name", "line"), list(commands()))
def test_commands_parse(name: str, line: str) -> None:
    """The command and its options exist, and take what they are given."""
    _, command, *arguments = shlex.split(line)
    TABLES["COMMANDS"][command].make_context(command, arguments)


@pytest.mark.parametrize(("name", "code"), list(blocks("yaml")))
def test_yaml_is_understood(name: str, code: str) -> None:
    """A net spec, or a whole job."""
    given = yaml.safe_load(code)
    spec = NetSpec.parse({"net": given["net"]})
    named = tuple(dict.fromkeys(re.findall(r"(?:sensor|setting)_\d+", code)))
    Net(spec, Inputs(numbers=len(named) or 3, targets=1, length=30, names=named), Outputs())
    if set(given) != {"net"}:
        config = Config.parse(given)
        make_task(config.task.pop("name"), config.task)
        TrainSettings(**config.train)


def test_named_things_are_on_their_page() -> None:
    pages = {
        "docs/cells.md": {*cells.cells(), *(type(cells.cell(name)).__name__ for name in ("rnn", "gru", "lstm"))},
        "docs/nets.md": set(layer_kinds()),
        "docs/data.md": {*READERS, *TRANSFORMS, *FEATURES},
        "docs/tasks.md": {*TASKS, *BASELINES},
        "docs/bundle.md": set(Manifest.model_fields),
        "docs/commands.md": set(),
    }
    for page, wanted in pages.items():
        assert wanted <= names_in_code(page), f"{page} lacks {wanted - names_in_code(page)}"
    for role in get_args(Role):
        assert f"| {role} |" in text("docs/data.md")
    for command in TABLES["COMMANDS"]:
        assert f"\n## {command}\n" in text("docs/commands.md")


def test_verdicts_are_listed() -> None:
    for code in {*vars(verdict)["_LEVELS"], "no_comparison"}:
        assert f"| `{code}` |" in text("docs/tasks.md")


def figures(task: str, settings: dict[str, Any], targets: int) -> set[str]:
    """Names of all figures of a task, those of a class or target cut at the colon."""
    random = np.random.default_rng(0)
    made = make_task(task, settings)
    steps = 2 if task == "forecast" else 1
    output = random.normal(size=(40, steps, targets, 1 if task != "classify" else 2))
    shape = (40, 2, targets) if task == "forecast" else (40, targets)
    truth = random.normal(size=shape) if task in ("forecast", "regress") else random.integers(0, 2, shape).astype(float)
    plain: Decoding = made._plain(output)
    decoding = made.calibrate(output, truth, plain)
    scales = Scales(deviation=np.ones(targets), naive=np.ones((40, targets)))
    return {metric.name.partition(":")[0] for metric in made.metrics(truth, decode(output, decoding), scales)}


@pytest.mark.parametrize(
    ("task", "settings", "targets"),
    [
        ("forecast", {"horizon": 2}, 2),
        ("classify", {}, 1),
        ("classify", {}, 2),
        ("regress", {}, 1),
        ("regress", {"cap": 1.0}, 1),
        ("failure", {}, 1),
        ("pairs", {}, 1),
        ("recommend", {}, 1),
    ],
)
def test_figures_are_listed(task: str, settings: dict[str, Any], targets: int) -> None:
    row = re.search(rf"^\| {task} \| (`.*) \|$", text("docs/tasks.md"), re.MULTILINE)
    assert row is not None
    listed = set(re.findall(r"`([\w@]+)", row[1]))
    found = {name.removesuffix("_capped") for name in figures(task, settings, targets)}
    assert found <= listed, found - listed


def test_the_picture_has_the_rooms() -> None:
    contracts = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    rooms = [room.strip() for layer in layers for room in layer.split("|")]
    assert re.findall(r'class="name"[^>]*>(\w+)<', text("docs/house.svg")) == rooms


def test_both_readmes_show_the_same_commands() -> None:
    def shown(name: str) -> list[str]:
        code = [block["code"] for block in _FENCE.finditer(text(name)) if block["language"] in ("sh", "yaml", "text")]
        return [line.partition("#")[0].rstrip() for block in code for line in block.splitlines()]

    assert shown("README.md") == shown("README.zh-CN.md")
    assert text("README.md").count("\n## ") == text("README.zh-CN.md").count("\n## ")
