"""Fill the tables of the pages in this folder from the code: ``python docs/tables.py``.

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``; ``tests/docs/test_docs.py`` checks that each is
what the code says.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from functools import partial
from pathlib import Path
from typing import Any

import typer
import yaml
from pydantic import BaseModel

from unrolled import cells
from unrolled.advise import RULES
from unrolled.cells import Initial
from unrolled.cli.main import app
from unrolled.data import SplitSettings
from unrolled.nets.layers import layer_kinds
from unrolled.nets.presets import presets
from unrolled.prepare.readers import SUFFIXES, ReadOptions
from unrolled.program.equations import CELLS
from unrolled.search import SearchSettings
from unrolled.tasks import TASKS
from unrolled.train.settings import LayerRule, TrainSettings
from unrolled.workflow.config import Config, DataSettings

COMMANDS: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
PLACE = re.compile(r"(?P<open><!-- table: (?P<name>[\w .-]+) -->\n)(?P<table>.*?)(?P<close><!-- end -->)", re.DOTALL)
Rows = list[list[str]]
ARCHITECTURES = Path(__file__).resolve().parents[1] / "examples" / "architectures.yaml"


def options(model: type[BaseModel]) -> Rows:
    """Name, default, allowed values and meaning of every option of a settings class."""
    schema = model.model_json_schema()
    told = meanings(model)
    rows = [["option", "default", "values", "meaning"]]
    for name, entry in schema["properties"].items():
        text = entry.get("description") if "description" in entry and "$ref" not in entry else told.get(name, "")
        rows.append([f"`{name}`", _default(name, entry, schema), _values(entry), text])
    return rows if any(row[3] for row in rows[1:]) else [row[:3] for row in rows]


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """What the docstrings of a settings class and its bases say under "Attributes:"."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        _, _, text = (kind.__dict__.get("__doc__") or "").partition("Attributes:\n")
        entries: list[tuple[str, str]] = re.findall(r"^ {8}(\w[\w, ]*): (.*(?:\n {12}.*)*)", text, re.MULTILINE)
        for names, meaning in entries:
            found |= {name: _plain(meaning) for name in names.split(", ")}
    return found


def command_table(name: str) -> Rows:
    """Arguments and options of a command."""
    rows = [["argument or option", "meaning"]]
    for parameter in COMMANDS[name].params:
        is_option = parameter.param_type_name == "option"
        shown = ", ".join(parameter.opts) if is_option else parameter.metavar or parameter.name.upper()
        rows.append([f"`{shown}`", parameter.help or ""])
    return rows


def preset_table() -> Rows:
    """Presets, their tasks and what they are for."""
    rows = [["preset", "task", "parameters", "for"]]
    for preset in presets():
        given = ", ".join(f"`{key}`: {value}" for key, value in preset.parameters.items())
        rows.append([f"`{preset.name}`", ", ".join(preset.task), given, preset.purpose["en"]])
    return rows


def architecture_table() -> Rows:
    """Architectures, their presets, and what trains them on real data."""
    rows = [["architecture", "preset", "on real data"]]
    for name, entry in yaml.safe_load(ARCHITECTURES.read_text(encoding="utf-8")).items():
        shown = entry["presets"] or [entry["picture"]]
        named = ", ".join(f"[`{each}`](nets/{each}.svg)" for each in shown)
        script = f"`python examples/{entry.get('script', f'architecture.py {name}')}`"
        rows.append([entry["title"], named, script])
    return rows


def cell_table() -> Rows:
    """Cells, their state, their own options and what they are for."""
    rows = [["cell", "class", "state", "options of its own", "use it"]]
    for name in cells.cells():
        kind: Any = CELLS[name]
        own = [f"`{field.name}`: {_given(field)}" for field in fields(kind)]
        told = inspect.getdoc(inspect.getmodule(kind)) or ""
        _, _, use = re.sub(r"\s+", " ", told).rpartition(" Use it ")
        use = re.split(r"[.;:](?: |$)", use)[0].replace("``", "`")
        state = ", ".join(kind.state)
        rows.append([f"[`{name}`](cells/{name}.md)", f"`{kind.__name__}`", state, ", ".join(own), use])
    return rows


def _given(field: Field[Any]) -> str:
    return "must be given" if field.default is MISSING else f"{field.default}"


def rule_table() -> Rows:
    """Rules of an advice: when they speak, what they say, and who says so."""
    rows = [["rule", "when", "advice", "source"]]
    for rule in RULES:
        when = "; ".join(map(str, rule.when)) or "always"
        rows.append([f"`{rule.code}`", when, rule.advice[0], rule.source])
    return rows


def suffix_table() -> Rows:
    """Suffixes that name a format."""
    formats: dict[str, list[str]] = {}
    for suffix, name in SUFFIXES.items():
        formats.setdefault(name, []).append(f"`{suffix}`")
    return [["format", "suffix"], *([f"`{name}`", ", ".join(found)] for name, found in formats.items())]


TABLES: Mapping[str, Callable[[], Rows]] = {
    "config": partial(options, Config),
    "search": partial(options, SearchSettings),
    "data": partial(options, DataSettings),
    "split": partial(options, SplitSettings),
    "reading": partial(options, ReadOptions),
    "suffixes": suffix_table,
    "training": partial(options, TrainSettings),
    "layer rule": partial(options, LayerRule),
    "initial": partial(options, Initial),
    "presets": preset_table,
    "architectures": architecture_table,
    "rules": rule_table,
    "cells": cell_table,
    **{f"task {name}": partial(options, task.options) for name, task in TASKS.items()},
    **{f"layer {name}": partial(options, kind) for name, kind in layer_kinds().items()},
    **{f"command {name}": partial(command_table, name) for name in COMMANDS},
}


def filled(page: str) -> str:
    """The page with every table as the code has it."""
    return PLACE.sub(lambda place: place["open"] + _markdown(TABLES[place["name"]]()) + place["close"], page)


def _markdown(rows: Rows) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [cells[0], ["---"] * len(cells[0]), *cells[1:]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _plain(text: str) -> str:
    """A docstring's words in Markdown, and in YAML's terms."""
    return re.sub(r"\bNone\b", "null", re.sub(r"\s+", " ", text).replace("``", "`").replace("()", "[]")).strip()


def _default(name: str, entry: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if name in schema.get("required", ()):
        return "must be given"
    if "$ref" in entry:
        return "its defaults"
    if "default" not in entry:
        return "`{}`"
    return f"`{json.dumps(entry['default'])}`"


def _values(entry: Mapping[str, Any]) -> str:
    """Allowed values in words."""
    if "anyOf" in entry:
        texts = list(dict.fromkeys(_values(one) for one in entry["anyOf"]))
        return " or ".join(text for text in texts if text != "a whole number" or "a number" not in texts)
    if "enum" in entry:
        return ", ".join(f"`{value}`" for value in entry["enum"])
    if "const" in entry:
        return f"`{entry['const']}`"
    if ":" in entry.get("pattern", ""):
        return "`module:function`"
    kind = entry.get("type", "object")
    if kind == "array":
        return f"list of {_values(entry['items']).removeprefix('a ')}" if "items" in entry else "list"
    words = {"integer": "a whole number", "number": "a number", "boolean": "`true`, `false`", "string": "text"}
    return words.get(kind, "`null`" if kind == "null" else "mapping") + _bounds(entry)


def _bounds(entry: Mapping[str, Any]) -> str:
    low, over = entry.get("minimum"), entry.get("exclusiveMinimum")
    high, under = entry.get("maximum"), entry.get("exclusiveMaximum")
    found = {"from": low, "above": over, "to": high, "below": under}
    return "".join(f" {word} {bound:,.10g}" for word, bound in found.items() if bound is not None)


if __name__ == "__main__":
    for path in sorted(Path(__file__).parent.glob("*.md")):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
