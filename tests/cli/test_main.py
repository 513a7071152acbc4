"""The command as a whole: help, versions, exit codes, what it loads."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from tests.cli.terminal import unrolled

import unrolled as package
from unrolled.cli import advise, compare, demo, diagnose, evaluate, explain, predict, presets, report, search, train

MODULES = (advise, train, search, evaluate, diagnose, explain, predict, report, compare, presets, demo)
COMMANDS = {module.__name__.rpartition(".")[2] for module in MODULES}
SOURCE = Path(package.__file__).parent


def options_of(command: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]*", unrolled(command, "--help").out))


def test_help_lists_the_commands() -> None:
    found = unrolled("--help")
    assert found.code == 0 and found.err == ""
    assert set(re.findall(r"^  ([a-z]+)  ", found.out, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize("module", MODULES)
def test_every_command_has_an_example_of_itself(module: object) -> None:
    name = str(getattr(module, "__name__", "")).rpartition(".")[2]
    text = " ".join(unrolled(name, "--help").out.split())
    example: str = getattr(module, "EXAMPLE")  # noqa: B009  # each command module has one
    assert example in text and example.startswith(f"Example: unrolled {name}")
    given = set(re.findall(r"--[a-z-]+", example))
    assert given <= options_of(name)


def test_every_option_that_a_message_names_exists() -> None:
    known = set.union(*(options_of(command) for command in COMMANDS)) | {"--version"}
    said: dict[str, str] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", path.read_text(encoding="utf-8")):
            said.setdefault(option, str(path.relative_to(SOURCE)))
    css = {option for option, where in said.items() if where.startswith("report/")}
    assert {option: where for option, where in said.items() if option not in known | css} == {}


def test_version() -> None:
    assert unrolled("--version") == (0, f"{package.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["trian"], "Did you mean 'train'"),
        (["train", "--tagret", "x"], "--target"),
        (["predict"], "Missing argument"),
        (["evaluate", "a", "b", "--backtest", "0"], "--backtest"),
        (["predict", "a", "b", "--stride", "many"], "--stride"),
    ],
)
def test_a_command_that_cannot_be_read_is_exit_code_2(arguments: list[str], said: str) -> None:
    found = unrolled(*arguments)
    assert found.code == 2 and said in found.err and "Traceback" not in found.err


@pytest.mark.parametrize("arguments", [["presets"], ["predict", "a", "b"], ["compare", "a", "b"], ["demo"]])
def test_an_unknown_language_is_refused(arguments: list[str]) -> None:
    found = unrolled(*arguments, "--lang", "de")
    assert found.code == 2 and found.err == "error: --lang: there is no language 'de'\n  Choose en or zh\n"


def test_ctrl_c_outside_training_is_exit_code_130() -> None:
    with mock.patch("unrolled.nets.presets.presets", side_effect=KeyboardInterrupt):
        assert unrolled("presets") == (130, "", "stopped\n")


def test_what_the_base_install_lacks_is_said() -> None:
    gone = ModuleNotFoundError("No module named 'torch'", name="torch.nn")
    with mock.patch("unrolled.nets.presets.presets", side_effect=gone):
        found = unrolled("presets")
    assert found.code == 2
    assert found.err.startswith("error: this command needs torch, which is not installed\n  Install it with: pip")
    other = ModuleNotFoundError("No module named 'mine'", name="mine")
    with mock.patch("unrolled.nets.presets.presets", side_effect=other), pytest.raises(ModuleNotFoundError):
        unrolled("presets")


_LOADED = """
import sys
sys.argv = ["unrolled", *{arguments!r}]
from unrolled.cli.main import main
try:
    main()
except SystemExit:
    pass
heavy = {{"numpy", "torch", "polars", "pydantic", "sklearn", "pandas", "lightning_fabric", "rich", "yaml"}}
print("loaded:", *sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize(
    "arguments, allowed",
    [
        (["--help"], set()),
        (["train", "--help"], {"pydantic"}),  # typer itself loads it
        (["--version"], {"pydantic"}),
        (["presets"], {"pydantic", "rich", "yaml", "numpy"}),
    ],
)
def test_nothing_is_loaded_that_is_not_used(arguments: list[str], allowed: set[str]) -> None:
    text = f"import sys; sys.path[:0] = {[str(SOURCE.parent)]!r}\n" + _LOADED.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert set(done.stdout.splitlines()[-1].removeprefix("loaded:").split()) <= allowed


def test_the_package_runs_as_a_module() -> None:
    text = f"import sys, runpy; sys.path[:0] = {[str(SOURCE.parent)]!r}; sys.argv = ['unrolled', '--version']"
    done = subprocess.run(
        [sys.executable, "-c", f"{text}; runpy.run_module('unrolled', run_name='__main__')"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"{package.__version__}\n")
