"""Who is measured: the task's own net, what the rules ask for, and rivals without recurrence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from unrolled.advise.recipe import Kinds, Layers, Recipe, build, cnn, narrower
from unrolled.core.advice import Counsel, Wishes
from unrolled.core.diagnosis import Text
from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import Net
from unrolled.program.shapes import Inputs, Outputs

_MOST_NETS = 6
_BYTES = 4  # of a weight
_NO_RIVALS = ("pairs", "recommend")
_OWN = Text(en="the task's own net, chosen on other data", zh="该任务的默认网络（在其他数据上选定）")
_RIVAL = Text(en="a rival without recurrence", zh="不含循环的对手")
_SHARED = ("regularisation", "convolution", "direction", "streams")


@dataclass(frozen=True)
class Candidate:
    """A net to be trained.

    Attributes:
        name: short and unique.
        why: where it comes from.
        rules: that ask for it.
        net: its layers.
        changes: other settings, nested as in a config.
    """

    name: str
    why: Text
    net: Layers
    rules: tuple[str, ...] = ()
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a net must fit.

    Attributes:
        task: its name.
        own: layers of the task's own net.
        inputs, outputs: sizes.
        kinds: names of the numeric and of the categorical columns of the rows.
    """

    task: str
    own: Layers
    inputs: Inputs
    outputs: Outputs
    kinds: Kinds = ((), ())


def shortlist(
    said: tuple[Counsel, ...], wishes: Wishes, place: Place
) -> tuple[tuple[Candidate, ...], tuple[Note, ...]]:
    """At most six nets, and a CNN; what had to be left out is a note.

    Each firing rule asks for a net by itself, so that rules that disagree are measured against each other; what it says
    of noise, convolutions and directions holds for all of them. Limits of size make every net narrower.
    """
    firing = [counsel for counsel in said if counsel.state == "fires"]
    shared = {key: value for counsel in firing for key, value in counsel.answers.items() if key in _SHARED}
    wanted = [Candidate("own", _OWN, _kept(place, shared))]
    recipes: dict[Recipe, tuple[str, ...]] = {}
    for counsel in firing:
        recipe = Recipe.of({**shared, **counsel.answers})
        if recipe != Recipe.of(shared):
            recipes[recipe] = (*recipes.get(recipe, ()), counsel.code)
    ranked = sorted(recipes, key=lambda recipe: -len(recipes[recipe]))  # those that several rules ask for first
    wanted += [
        Candidate(
            recipe.name,
            _asked(recipes[recipe]),
            build(recipe, place.own, place.kinds, every=place.outputs.every),
            recipes[recipe],
        )
        for recipe in ranked
    ]
    changes = _changes(firing)
    nets, notes = _fitting([replace(candidate, changes=changes) for candidate in wanted], wishes, place)
    notes += [_left_out(candidate.name) for candidate in nets[_MOST_NETS:]]
    nets = nets[:_MOST_NETS]
    if place.task not in _NO_RIVALS:
        net = cnn(place.own, every=place.outputs.every, forward=shared.get("direction") == "forward")
        rival = Candidate("cnn", _RIVAL, net, changes=changes)
        added, told = _fitting([rival], wishes, place)
        nets, notes = [*nets, *added], [*notes, *told]
    return tuple(nets), tuple(notes)


def _kept(place: Place, shared: Mapping[str, str]) -> Layers:
    """The task's own net; only what a stream rules out is changed."""
    if shared.get("direction") != "forward":
        return place.own
    return build(Recipe(direction="forward"), place.own, every=place.outputs.every)


def _changes(firing: list[Counsel]) -> dict[str, Any]:
    """Settings outside the net that rules ask for."""
    answers = {key: value for counsel in firing for key, value in counsel.answers.items()}
    changes: dict[str, Any] = {}
    if answers.get("regularisation") == "strong":
        changes["train"] = {"weight_decay": 1e-4}
    if answers.get("weights") == "root":
        changes["task"] = {"class_weights": "root"}
    return changes


def _fitting(wanted: list[Candidate], wishes: Wishes, place: Place) -> tuple[list[Candidate], list[Note]]:
    """Those that can be built, narrow enough, and no two alike."""
    found: list[Candidate] = []
    notes: list[Note] = []
    for candidate in wanted:
        try:
            net = _narrow(candidate.net, wishes.size, place)
        except ConfigError as error:
            notes.append(_refused(candidate.name, error))
            continue
        if all(net != other.net for other in found):
            name = candidate.name if all(other.name != candidate.name for other in found) else f"{candidate.name}-2"
            found.append(replace(candidate, net=net, name=name))
        else:
            twin = next(other for other in found if other.net == net)
            found[found.index(twin)] = replace(twin, rules=tuple(dict.fromkeys((*twin.rules, *candidate.rules))))
    return found, notes


def _narrow(net: Layers, limit: float | None, place: Place) -> Layers:
    """The net, at three quarters of its width as often as its weights are too many bytes."""
    layers: Layers = net
    factor = 1.0
    while (built := _bytes(layers, place)) > (limit or float("inf")) and factor > 0.03:
        factor *= 0.75
        layers = narrower(net, factor)
        if _bytes(layers, place) == built:
            break
    return layers


def _bytes(layers: Layers, place: Place) -> int:
    return Net(layers, place.inputs, place.outputs).summary().parameters * _BYTES


def _asked(codes: tuple[str, ...]) -> Text:
    return Text(en=f"asked for by {', '.join(codes)}", zh=f"由以下规则提出：{'、'.join(codes)}")


def _refused(name: str, error: ConfigError) -> Note:
    what = f"{error.where}: {error.what}" if error.where else error.what
    return Note(
        code="not_built",
        en=f"'{name}' was not tried: it does not fit this data ({what}).",
        zh=f"未尝试“{name}”：与此数据不匹配（{what}）。",
    )


def _left_out(name: str) -> Note:
    return Note(
        code="shortlist_full",
        en=f"'{name}' was not tried: at most {_MOST_NETS} nets are.",
        zh=f"未尝试“{name}”：最多尝试 {_MOST_NETS} 个网络。",
    )
