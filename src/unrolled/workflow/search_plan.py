"""What a search is asked: a config with choices in it, and how to go through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from unrolled.core.errors import ConfigError, UnrolledError
from unrolled.core.search import Value
from unrolled.core.validation import validated
from unrolled.nets.spec import NetSpec
from unrolled.search import Axis, SearchSettings, Space
from unrolled.train import TrainSettings
from unrolled.workflow.config import Config
from unrolled.workflow.searched_layer import LAYER, SearchedLayer, replaced

_FIXED = (
    *("data.path", "data.valid", "data.test", "data.split", "data.target", "data.time", "data.group", "data.wide"),
    *("task.name", "task.horizon", "task.metrics", "task.monitor", "seed", "language", "start_from"),
)
"""What all trials must share, or their figures speak of different things."""


@dataclass(frozen=True)
class Plan:
    """A search as asked for; ``given`` is the plain data that it was read from."""

    given: dict[str, Any]
    space: Space
    settings: SearchSettings

    @classmethod
    def parse(cls, given: Mapping[str, Any], where: str = "") -> Plan:
        """Check plain data: a config whose values may be choices, and the section ``search``.

        Raises:
            ConfigError: a space is empty or contradicts itself, a choice gives a config that is refused, or what all
                trials must share is to be chosen.
        """
        plain = {key: value for key, value in given.items() if key != "search"}
        space = Space.parse(plain)
        for axis in space.axes:
            _refuse_fixed(axis)
        plan = cls(dict(given), space, validated(SearchSettings, section(given), where="search"))
        if plan.settings.method == "enas":
            plan._check_architecture()
            return plan
        _check(plan.first(), where)
        for axis, value, tree in space.corners():
            _check_corner(axis, value, tree)
        if plan.settings.method == "grid":
            space.grid()
        return plan

    def _check_architecture(self) -> None:
        layer = SearchedLayer.of(self.given.get("net"))
        others = [axis.path for axis in self.space.axes if not axis.path.endswith(f".{LAYER}.size")]
        if others:
            raise ConfigError("enas chooses a cell and its width only", where=others[0], mend="give one value")
        if self.settings.seconds is None:
            raise ConfigError("enas needs a time budget", where="search.seconds", mend="such as --seconds 600")
        tree = self.first()
        _check({**tree, "net": replaced(tree["net"], {"gru": {"size": max(layer.widths)}})})

    @classmethod
    def read(cls, path: Path | str) -> Plan:
        """Read a YAML file; errors as of ``parse``."""
        return cls.parse(read_yaml(path), where=Path(path).name)

    def first(self) -> Any:
        """The config with the first value of every axis."""
        return self.space.fill(lambda axis: axis.ends()[0])

    def to_yaml(self) -> str:
        """What ``read`` reads, with all settings of the search."""
        full = {**self.given, "search": self.settings.model_dump(mode="json")}
        return yaml.safe_dump(full, sort_keys=False, allow_unicode=True)


def read_yaml(path: Path | str) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        ConfigError: it cannot be read, is not YAML, or holds no mapping.
    """
    try:
        given = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=str(path)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"is not YAML: {str(error).splitlines()[0]}", where=str(path)) from error
    if not isinstance(given, dict):
        raise ConfigError("must have the keys data, task, net, train, search", where=str(path))
    return given


def _refuse_fixed(axis: Axis) -> None:
    if any(axis.path == fixed or axis.path.startswith(f"{fixed}.") for fixed in _FIXED):
        raise ConfigError(
            "this must be the same in all trials, or they cannot be compared", where=axis.path, mend="give one value"
        )


def _check(tree: Any, where: str = "") -> None:
    """Refuse what can be seen to be wrong before any data is read."""
    config = Config.parse(tree, where=where)
    validated(TrainSettings, config.train, where="train")
    if isinstance(config.net, list) or (config.net is not None and ":" not in config.net):
        NetSpec.parse(config.net)


def _check_corner(axis: Axis, value: Value, tree: Any) -> None:
    try:
        _check(tree)
    except UnrolledError as error:
        raise ConfigError(
            f"the value {value!r} gives a config that is refused ({error.where}: {error.what})",
            where=axis.path,
            mend=error.mend,
        ) from error


def asked(
    source: str,
    vary: Sequence[str],
    assign: Sequence[str],
    flags: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """The plain data of a plan from what is typed.

    Args:
        source: a YAML file, or a data file; the latter is searched over cells, sizes and learning rates where
            nothing else is to vary.
        vary: such as ``train.learning_rate=1e-4..1e-2:log`` or ``net.0.gru.size=64,128``.
        assign: such as ``train.epochs=20``.
        flags: values by path; None leaves what stands.
        settings: of the search.

    Raises:
        ConfigError: something is not of these forms.
    """
    config = source.endswith((".yaml", ".yml"))
    given: dict[str, Any] = read_yaml(source) if config else {"data": {"path": source}}
    for path, value in flags.items():
        if value is not None:
            _place(given, path, value)
    for text in assign:
        path, value = _parts(text, "--set", "train.epochs=20")
        _place(given, path, _yaml(value, "--set"))
    for text in vary:
        path, value = _parts(text, "--vary", "train.learning_rate=1e-4..1e-2:log")
        _place(given, path, _axis(value))
    if not config and not vary and "net" not in given and settings.get("method") == "enas":
        given["net"] = [{LAYER: {"size": {"choice": [16, 32, 64]}, "nodes": 4}}]
    elif not config and not vary and "net" not in given:
        given["net"] = _NETS
        _place(given, "train.learning_rate", {"low": 5e-4, "high": 2e-2, "log": True})
    given["search"] = {**section(given), **settings}
    return given


def section(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The section ``search`` of a config; empty where there is none.

    Raises:
        ConfigError: it is a value.
    """
    found = given.get("search") or {}
    if not isinstance(found, Mapping):
        raise ConfigError("must have keys such as method and trials", where="search")
    return found


_SIZES: dict[str, Any] = {"size": {"choice": [16, 32, 64, 128]}, "layers": {"choice": [1, 2]}}
_NETS: list[Any] = [
    {"choice": [{"gru": _SIZES}, {"lstm": _SIZES}]},
    {"dropout": {"rate": {"choice": [0.0, 0.2, 0.4]}}},
]
"""What is tried on a data file for which nothing was asked."""


def _parts(text: str, where: str, example: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals or not path or not value:
        raise ConfigError(f"{text!r} is not an assignment", where=where, mend=f"write it as {example}")
    return path, value


def _axis(text: str) -> dict[str, Any]:
    """``a,b,c`` as a choice; ``low..high``, ``low..high:log`` and ``low..high:step`` as a range."""
    low, dots, rest = text.partition("..")
    if not dots:
        return {"choice": [_yaml(part.strip(), "--vary") for part in text.split(",")]}
    high, colon, how = rest.partition(":")
    found = {"low": _yaml(low, "--vary"), "high": _yaml(high, "--vary")}
    if colon:
        found |= {"log": True} if how == "log" else {"step": _yaml(how, "--vary")}
    return found


def _place(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set what stands at a path; numbers in it count the entries of lists."""
    *parents, last = path.split(".")
    at: Any = tree
    for name in parents:
        at = at[_entry(at, name, path)] if isinstance(at, list) else at.setdefault(name, {})
        if not isinstance(at, dict | list):
            raise ConfigError(f"{name!r} is a value, and has nothing below it", where=path)
    at[_entry(at, last, path) if isinstance(at, list) else last] = value


def _entry(parts: list[Any], name: str, path: str) -> int:
    if not name.isdigit() or int(name) >= len(parts):
        raise ConfigError(
            f"{name!r} is not an entry of a list of {len(parts)}", where=path, mend="count from 0, as in net.0.gru.size"
        )
    return int(name)


def _yaml(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r} is not a value", where=where, mend="quote it") from error
