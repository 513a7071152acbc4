"""What a search may choose: a config in which some values are replaced by what they may be.

``{choice: [64, 128, 256]}`` is one of several values, which may be whole parts of a config with choices of their own;
``{low: 1, high: 4}`` is a whole number, ``{low: 1.0e-4, high: 1.0e-2, log: true}`` a number, both with a ``step`` if
wanted. A value is found by its path, such as ``net.0.gru.size``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from unrolled.core.errors import ConfigError
from unrolled.core.search import AxisFacts, Value
from unrolled.core.validation import nearest

Pick = Callable[["Axis"], Value]

_RANGE = ("low", "high", "log", "step")
_MOST_POINTS = 100_000  # of a grid


@dataclass(frozen=True)
class Axis:
    """One value to be chosen.

    Attributes:
        path: where it stands in the config.
        options: of a choice, by label; a label is the value itself where all options are plain.
        low, high, step, log: of a range; the step is None where every number between is allowed.
        whole: a range of whole numbers.
        under: choices above it, with the option of each in which it stands.
    """

    path: str
    options: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    log: bool = False
    whole: bool = False
    under: tuple[tuple[str, Value], ...] = ()

    @property
    def facts(self) -> AxisFacts:
        """For the report."""
        return AxisFacts(path=self.path, options=self.options, low=self.low, high=self.high, log=self.log)

    def points(self) -> list[Value]:
        """All values in order.

        Raises:
            ConfigError: every number of a range is allowed.
        """
        if self.options:
            return list(self.options)
        step = self.step or (1 if self.whole and not self.log else None)
        if step is None:
            raise ConfigError(
                "a grid needs values it can count", where=self.path, mend="give a choice, or a range with a step"
            )
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        values = [self.low + at * step for at in range(count)]
        return [round(value) for value in values] if self.whole else list(values)

    def ends(self) -> list[Value]:
        """The values by which to see whether the axis makes sense: all options, or both ends."""
        if self.options:
            return list(self.options)
        return [round(end) if self.whole else end for end in (self.low, self.high)]


@dataclass(frozen=True)
class Space:
    """A config with its axes; made by ``parse``."""

    tree: Any
    axes: tuple[Axis, ...]

    @classmethod
    def parse(cls, tree: Mapping[str, Any]) -> Space:
        """Find the axes of a config.

        Raises:
            ConfigError: an axis is empty or contradicts itself, or there is none; the message names its path.
        """
        axes: list[Axis] = []
        found = cls(_node(tree, "", (), axes), tuple(axes))
        if not axes:
            raise ConfigError(
                "there is nothing to choose: no value is a choice or a range",
                where="the config",
                mend="write a value as {choice: [64, 128]} or {low: 1.0e-4, high: 1.0e-2, log: true}",
            )
        return found

    def fill(self, pick: Pick) -> Any:
        """The config with a value in the place of each axis; ``pick`` is asked only for those that count."""
        return _filled(self.tree, pick)

    def grid(self) -> list[dict[str, Value]]:
        """All points, as values by path.

        Raises:
            ConfigError: a range has no step, or there are too many points to list.
        """
        points = list(_limited(_points(self.tree)))
        if len(points) > _MOST_POINTS:
            raise ConfigError(
                f"the grid has more than {_MOST_POINTS} points", where="the config", mend="search at random, or by tpe"
            )
        return points

    def corners(self) -> Iterator[tuple[Axis, Value, Any]]:
        """Each end of each axis with the config that has it, the other axes at their first."""
        for axis in self.axes:
            for value in axis.ends():
                chosen = {**dict(axis.under), axis.path: value}
                yield axis, value, self.fill(partial(_chosen, chosen))


def _chosen(chosen: Mapping[str, Value], axis: Axis) -> Value:
    """What was chosen for an axis, or its first value."""
    return chosen[axis.path] if axis.path in chosen else axis.ends()[0]


@dataclass(frozen=True)
class _Choice:
    """An axis in its place, with what stands behind each option."""

    axis: Axis
    parts: tuple[Any, ...]


def _node(tree: Any, path: str, under: tuple[tuple[str, Value], ...], axes: list[Axis]) -> Any:
    """The tree with a ``_Choice`` in the place of each mapping that is one; ``axes`` is added to."""
    if isinstance(tree, Mapping):
        if "choice" in tree:
            return _choice(tree, path, under, axes)
        if "low" in tree or "high" in tree:
            axes.append(_range(tree, path, under))
            return _Choice(axes[-1], ())
        return {key: _node(value, _below(path, key), under, axes) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_node(value, _below(path, at), under, axes) for at, value in enumerate(tree)]
    return tree


def _below(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _choice(tree: Mapping[str, Any], path: str, under: tuple[tuple[str, Value], ...], axes: list[Axis]) -> _Choice:
    _refuse_others(tree, ("choice",), path)
    options = tree["choice"]
    if not isinstance(options, list | tuple):
        raise ConfigError(f"choice is {options!r}, not a list", where=path, mend="write it as choice: [64, 128]")
    if not options:
        raise ConfigError("choice is empty", where=path, mend="list the values to choose from")
    labels = _labels(options, path)
    axis = Axis(path, options=labels, under=under)
    axes.append(axis)
    plain = all(_is_plain(option) for option in options)
    parts = [
        option if plain else _node(option, f"{path}({label})", (*under, (path, label)), axes)
        for option, label in zip(options, labels, strict=True)
    ]
    return _Choice(axis, tuple(parts))


def _labels(options: list[Any] | tuple[Any, ...], path: str) -> tuple[Value, ...]:
    """Plain options themselves; otherwise words that tell the options apart."""
    if all(_is_plain(option) for option in options):
        seen = {(type(option), option) for option in options}
        if len(seen) < len(options):
            raise ConfigError("choice has a value twice", where=path, mend="leave one of them out")
        return tuple(options)
    labels: list[str] = []
    for option in options:
        word = _word(option)
        count = sum(label == word or label.startswith(f"{word}#") for label in labels)
        labels.append(f"{word}#{count + 1}" if count else word)
    return tuple(labels)


def _word(option: Any) -> str:
    """Short words for a part of a config: the names of its layers or keys."""
    if isinstance(option, Mapping):
        return "+".join(map(str, option))
    if isinstance(option, list | tuple):
        return "+".join(map(_word, option)) or "none"
    return str(option)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _range(tree: Mapping[str, Any], path: str, under: tuple[tuple[str, Value], ...]) -> Axis:
    _refuse_others(tree, _RANGE, path)
    for key in ("low", "high"):
        if key not in tree:
            raise ConfigError(f"a range has no {key}", where=path, mend="give both low and high")
    low, high = (_number(tree[key], f"{path}.{key}") for key in ("low", "high"))
    step = None if tree.get("step") is None else _number(tree["step"], f"{path}.step")
    log = tree.get("log", False)
    if not isinstance(log, bool):
        raise ConfigError(f"log is {log!r}, not true or false", where=path)
    whole = all(isinstance(number, int) for number in (low, high, 1 if step is None else step))
    _refuse_contradiction(low, high, step, log, path)
    if step is not None:
        high = low + math.floor((high - low) / step + 1e-9) * step  # the last value that the steps reach
    return Axis(path, low=low, high=high, step=step, log=log, whole=whole, under=under)


def _number(given: Any, where: str) -> int | float:
    """A finite number; YAML reads 1e-4 as text, which is taken for the number that was meant."""
    if isinstance(given, str):
        try:
            given = float(given)
        except ValueError:
            pass
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ConfigError(f"{given!r} is not a number", where=where)
    return given


def _refuse_contradiction(low: float, high: float, step: float | None, log: bool, path: str) -> None:
    if low >= high:
        raise ConfigError(
            f"low is {low} and high is {high}: nothing lies between", where=path, mend="make high larger than low"
        )
    if log and low <= 0:
        raise ConfigError(f"log is for numbers above 0, and low is {low}", where=path, mend="raise low, or drop log")
    if log and step is not None:
        raise ConfigError("log and step contradict each other", where=path, mend="drop one of them")
    if step is not None and not 0 < step <= high - low:
        raise ConfigError(
            f"a step of {step} does not fit between {low} and {high}", where=path, mend="choose a smaller step"
        )


def _refuse_others(tree: Mapping[str, Any], known: tuple[str, ...], path: str) -> None:
    for key in tree:
        if key not in known:
            kind = "a choice" if known == ("choice",) else "a range"
            raise ConfigError(f"{kind} has no {key!r}", where=path, mend=nearest(str(key), known))


def _filled(tree: Any, pick: Pick) -> Any:
    if isinstance(tree, _Choice):
        value = pick(tree.axis)
        return _filled(tree.parts[_position(tree.axis, value)], pick) if tree.parts else value
    if isinstance(tree, dict):
        return {key: _filled(value, pick) for key, value in tree.items()}
    return [_filled(value, pick) for value in tree] if isinstance(tree, list) else tree


def _position(axis: Axis, value: Value) -> int:
    """Where an option stands; 1, 1.0 and True are told apart."""
    return next(at for at, option in enumerate(axis.options) if option == value and type(option) is type(value))


def _points(tree: Any) -> Iterator[dict[str, Value]]:
    """Every complete choice of the values in ``tree``."""
    if isinstance(tree, _Choice):
        for value in tree.axis.points():
            below = _points(tree.parts[_position(tree.axis, value)]) if tree.parts else iter([{}])
            yield from ({tree.axis.path: value, **rest} for rest in below)
        return
    parts = list(tree.values()) if isinstance(tree, dict) else tree if isinstance(tree, list) else []
    yield from _products(parts)


def _products(parts: list[Any]) -> Iterator[dict[str, Value]]:
    if not parts:
        yield {}
        return
    for first in _points(parts[0]):
        yield from ({**first, **rest} for rest in _products(parts[1:]))


def _limited(points: Iterator[dict[str, Value]]) -> Iterator[dict[str, Value]]:
    return (point for _, point in zip(range(_MOST_POINTS + 1), points, strict=False))
