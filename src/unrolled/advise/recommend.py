"""What the measurements support, what they do not, and what would settle the rest.

Letters: n samples, k seeds, d a difference of two figures, s the spread of one net's figure over seeds.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from unrolled.advise.halving import order
from unrolled.advise.sentences import text
from unrolled.core.advice import Comparison, Entrant, Recommendation, Wishes
from unrolled.core.diagnosis import Text
from unrolled.core.records import Metric
from unrolled.core.trial import cost
from unrolled.evaluate.standings import Standings

_SURE = 1.96  # standard errors
_ENDLESS = 100  # times the data there is: nobody gathers that
_BOTH = 2  # nets that are compared


def unmeasured(name: str, config: dict[str, Any], rules: int, disputed: tuple[Text, ...]) -> Recommendation:
    """The task's own net, where nothing was trained: rules that disagree are no evidence."""
    return Recommendation(
        entrant=name,
        said=text("take_own", rules=rules),
        unsupported=(text("nothing_measured"), *disputed),
        more=(text("measure_more"),),
        config=config,
    )


def chosen(entrants: Sequence[Entrant]) -> Entrant | None:
    """The net with the best figure (the mean of its seeds) of those that keep the limits and came farthest, or None."""
    usable = [one for one in entrants if one.trial.model == "net" and one.metric is not None and one.fits]
    if not usable:
        return None
    last = max(one.rung for one in usable)
    return min((one for one in usable if one.rung == last), key=lambda one: (_cost(one), order(one.trial)[1]))


def recommend(
    best: Entrant,
    entrants: Sequence[Entrant],
    standings: Standings,
    part: str,
    count: int,
    wishes: Wishes,
    config: dict[str, Any],
) -> Recommendation:
    """The recommendation with its evidence.

    Args:
        best: the net to recommend.
        entrants: all that were measured.
        standings: answers of the last ones to a part, by name.
        part: its name; count: its samples.
        wishes: what the user asked.
        config: the ready settings.
    """
    others = [one.name for one in entrants if one.name != best.name and one.name in standings.statistics]
    compared = (
        tuple(_compared(best.name, other, standings) for other in others) if best.name in standings.statistics else ()
    )
    proven = [one for one in compared if one.low is not None and one.low > 0]
    rest = [one for one in compared if one not in proven]
    return Recommendation(
        entrant=best.name,
        said=_said(best, entrants, part),
        supported=(*(one.said for one in proven), *_limits(best, wishes)),
        unsupported=(*(one.said for one in rest), *_unknown(best, entrants, wishes, part)),
        more=tuple(_more(best, entrants, rest, count)),
        comparisons=compared,
        config=config,
    )


def _cost(entrant: Entrant) -> float:
    """Of the mean over seeds where there are several."""
    metric = entrant.metric
    if metric is None:
        return math.inf
    value = statistics.fmean(entrant.seeds) if entrant.seeds else metric.value
    return cost(metric.model_copy(update={"value": value}))


def _said(best: Entrant, entrants: Sequence[Entrant], part: str) -> Text:
    metric = best.metric
    assert metric is not None
    rivals = [one for one in entrants if one.trial.model != "net" and one.metric is not None and one.fits]
    ahead = min(rivals, key=_cost, default=None)
    figures: dict[str, Any] = {
        "name": best.name,
        "metric": metric.name,
        "value": _shown(metric),
        "parameters": best.trial.parameters or 0,
        "entrants": len(entrants),
    }
    if ahead is not None and ahead.metric is not None and _cost(ahead) < _cost(best):
        return text("rival_ahead", **figures, rival=ahead.name, theirs=_shown(ahead.metric))
    return text("take", **figures)


def _compared(name: str, other: str, standings: Standings) -> Comparison:
    gain, low, high = standings.gain(name, other)
    code = (
        "no_interval" if low is None else "proven" if low > 0 else "worse" if high is not None and high < 0 else "open"
    )
    measure = standings.statistics[name].name
    said = text(code, name=name, other=other, gain=gain, low=low or 0.0, high=high or 0.0, metric=measure)
    return Comparison(other=other, gain=gain, low=low, high=high, said=said)


def _limits(best: Entrant, wishes: Wishes) -> list[Text]:
    found = []
    if wishes.size is not None and best.trial.parameters is not None:
        found.append(text("keeps_size", size=4 * best.trial.parameters / 1000, limit=wishes.size / 1000))
    if wishes.latency is not None and best.latency is not None:
        found.append(text("keeps_latency", latency=1000 * best.latency, limit=1000 * wishes.latency))
    return found


def _unknown(best: Entrant, entrants: Sequence[Entrant], wishes: Wishes, part: str) -> list[Text]:
    found = []
    if part == "valid":
        found.append(text("chosen_there"))
    if len(best.seeds) < _BOTH:
        found.append(text("one_seed"))
    elif (second := _second(best, entrants)) is not None:
        found.append(text("seeds_apart" if _seeds_needed(best, second) <= len(best.seeds) else "seeds_overlap",
                          other=second.name, difference=abs(_cost(second) - _cost(best)), spread=_spread(best, second),
                          seeds=len(best.seeds)))  # fmt: skip
    if best.trial.cut_short:
        found.append(text("cut_short", epochs=best.trial.epochs, wanted=best.trial.epochs_wanted))
    if wishes.device is not None and best.latency is not None:
        found.append(text("other_machine", device=wishes.device))
    return found


def _more(best: Entrant, entrants: Sequence[Entrant], rest: Sequence[Comparison], count: int) -> list[Text]:
    """What would settle the comparison that needs least, the seeds, and training that was cut short."""
    found = []
    needs = {one.other: _times(one) for one in rest if one.low is not None and one.high is not None and one.high > 0}
    if needs:
        other = min(needs, key=lambda name: needs[name])
        times = min(needs[other], _ENDLESS)
        code = "equal_in_practice" if needs[other] > _ENDLESS else "more_data"
        found.append(text(code, other=other, times=times, count=count, needed=times * count))
    second = _second(best, entrants)
    if second is not None and len(best.seeds) >= _BOTH:
        needed = _seeds_needed(best, second)
        if needed > len(best.seeds):
            found.append(
                text("more_seeds" if needed <= _ENDLESS else "seeds_endless", other=second.name, needed=needed)
            )
    if best.trial.cut_short and best.trial.epochs:
        seconds = best.trial.seconds * (best.trial.epochs_wanted / best.trial.epochs - 1)
        found.append(text("more_time", name=best.name, seconds=seconds))
    return found


def _times(one: Comparison) -> float:
    """How many times the samples there are would make the interval as narrow as the difference: its width goes with
    one over the square root of their number."""
    assert one.low is not None and one.high is not None
    return math.inf if one.gain == 0 else max(1.1, ((one.high - one.low) / 2 / abs(one.gain)) ** 2)


def _second(best: Entrant, entrants: Sequence[Entrant]) -> Entrant | None:
    """The other net that came to the end, where both ran with several seeds."""
    others = [one for one in entrants if one.name != best.name and len(one.seeds) >= _BOTH]
    return min(others, key=_cost, default=None)


def _spread(one: Entrant, other: Entrant) -> float:
    return math.sqrt((statistics.variance(one.seeds) + statistics.variance(other.seeds)) / 2)


def _seeds_needed(one: Entrant, other: Entrant) -> int:
    """Seeds each so that the difference is 1.96 standard errors: k = 2 (1.96 s / d)^2."""
    difference = abs(_cost(one) - _cost(other))
    if difference == 0:
        return 10 * _ENDLESS
    return min(10 * _ENDLESS, max(2, math.ceil(2 * (_SURE * _spread(one, other) / difference) ** 2)))


def _shown(metric: Metric) -> str:
    if metric.low is None or metric.high is None:
        return f"{metric.value:.4g}"
    return f"{metric.value:.4g} ({metric.low:.4g} – {metric.high:.4g})"
