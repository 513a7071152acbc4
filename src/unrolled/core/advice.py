"""What to build for some data, and why: what is known of it, which rules speak, what was measured."""

from __future__ import annotations

from typing import Any, Literal

from unrolled.core.diagnosis import Text
from unrolled.core.records import CurvePicture, Metric, Note, Record, Scores
from unrolled.core.trial import Trial

State = Literal["fires", "nearly"]


class Fact(Record):
    """One thing known of the data.

    Attributes:
        code: stable snake_case word.
        topic: "size", "time", "signal", "memory", "classes", "guess" or "leak".
        said: the fact in a sentence, with its figures.
        method: how it was measured; empty where it was counted.
        level: "watch" where it should be looked at before anything is trained.
        figures: numbers by name, for rules and scripts.
    """

    code: str
    topic: str
    said: Text
    method: Text = Text()
    level: Literal["fine", "watch"] = "fine"
    figures: dict[str, float] = {}


class Profile(Record):
    """What is known of the data before anything is trained; all but ``guesses`` of its training part.

    Attributes:
        task, target: what is predicted.
        facts: in the order of topics.
        guesses: what methods without a net reach on ``judged_on``, the best first.
        judged_on: the part that guesses are judged on.
        pictures: curves over lags.
        too_small: why nothing can be advised; empty where something can.
    """

    task: str
    target: tuple[str, ...]
    facts: tuple[Fact, ...]
    guesses: tuple[Scores, ...] = ()
    judged_on: str = ""
    pictures: tuple[CurvePicture, ...] = ()
    too_small: Text = Text()

    @property
    def figures(self) -> dict[str, float]:
        """All numbers of the facts by name."""
        return {name: value for fact in self.facts for name, value in fact.figures.items()}


class Wishes(Record):
    """What the user asked of the model.

    Attributes:
        device: where it will run.
        size: most bytes of its weights.
        latency: most seconds for one answer.
        needs: of ``advise.wishes.NEEDS``.
        assumed: size and latency were taken from the device.
    """

    device: str | None = None
    size: float | None = None
    latency: float | None = None
    needs: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


class Counsel(Record):
    """What one rule says here.

    Attributes:
        code, topic: of the rule.
        state: all its conditions hold, or one misses by little.
        margin: how far the tightest condition is from its limit, as a share of the limit: at least 0 where the rule
            fires, below 0 where it nearly does; None where no condition is a number.
        because: the conditions with the figures that met them.
        advice, reason, source: of the rule.
        answers: question -> answer, such as cell -> gru.
    """

    code: str
    topic: str
    state: State
    margin: float | None
    because: Text
    advice: Text
    reason: Text
    source: str
    answers: dict[str, str] = {}


class Conflict(Record):
    """Rules that fire and answer a question differently: answer -> codes of the rules."""

    question: str
    sides: dict[str, tuple[str, ...]]
    said: Text


class Entrant(Record):
    """Something that was trained and measured.

    Attributes:
        name: short and unique.
        why: where it comes from.
        rules: codes of the rules that ask for it.
        trial: what its largest budget gave.
        rung: the last round of halving that it was in, from 1.
        seeds: the metric of each seed on the part that chooses, for those that came to the end.
        judged: the metric of a part on which nothing was chosen; None where it was not among the last.
        on_frontier: nothing else is better in one of accuracy, size and latency without being worse in another.
        fits: it keeps the limits of size and latency.
    """

    name: str
    why: Text
    rules: tuple[str, ...] = ()
    trial: Trial
    rung: int = 1
    seeds: tuple[float, ...] = ()
    judged: Metric | None = None
    on_frontier: bool = False
    fits: bool = True

    @property
    def metric(self) -> Metric | None:
        """The figure on the part that chooses; None where it failed."""
        return self.trial.metric

    @property
    def latency(self) -> float | None:
        """Seconds of one answer."""
        return None if self.trial.predict_us is None else self.trial.predict_us / 1e6


class Comparison(Record):
    """The entrant that is recommended against another, paired on the same samples.

    ``gain`` is positive where the recommended one is better, in units of the metric; None bounds: no interval.
    """

    other: str
    gain: float
    low: float | None
    high: float | None
    said: Text


class Recommendation(Record):
    """What to train.

    Attributes:
        entrant: its name, or the preset's where nothing was measured.
        said: the recommendation in a sentence.
        supported, unsupported: what the evidence shows, and what it does not.
        more: how much more data, seeds or time would settle what is open.
        comparisons: with the other entrants that came to the end.
        config: the ready settings.
        command: what to type; empty until the settings are in a file.
    """

    entrant: str
    said: Text
    supported: tuple[Text, ...] = ()
    unsupported: tuple[Text, ...] = ()
    more: tuple[Text, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    config: dict[str, Any]
    command: str = ""


class Advice(Record):
    """All of it. ``counsel`` and what follows are empty where the data is too small."""

    source: str
    wishes: Wishes
    profile: Profile
    counsel: tuple[Counsel, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    entrants: tuple[Entrant, ...] = ()
    recommendation: Recommendation | None = None
    seconds: float = 0.0
    notes: tuple[Note, ...] = ()
