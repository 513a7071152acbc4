"""What a rule is: conditions on figures and words, and the advice that follows where all of them hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from unrolled.core.advice import Counsel, Profile, State, Wishes
from unrolled.core.diagnosis import Text

Sign = Literal["<", "≤", "≥", ">"]

NEAR = 0.25
"""A condition that misses its limit by at most this share of it nearly holds."""

FIGURES: dict[str, tuple[str, str]] = {
    "length": ("steps an answer reads", "每个答案读取的步数"),
    "samples": ("training samples", "训练样本数"),
    "noise": ("share of noise", "噪声占比"),
    "missing": ("share of missing numbers", "缺失占比"),
    "irregular": ("irregular times (1: yes)", "时间不规则（1 为是）"),
    "modalities": ("kinds of inputs", "输入种类数"),
    "imbalance": ("most frequent over rarest class", "最多与最少类别之比"),
    "not_stationary": ("share of sequences that drift", "漂移序列占比"),
    "latency_ms": ("milliseconds allowed for an answer", "允许的单次延迟（毫秒）"),
    "size_kb": ("kilobytes allowed", "允许的大小（kB）"),
}
"""Figures that conditions may name: (English, Chinese)."""

WORDS: dict[str, tuple[str, str]] = {
    "task": ("task", "任务"),
    "device": ("device", "设备"),
    "need": ("need", "需求"),
}


@dataclass(frozen=True)
class Situation:
    """What rules look at: numbers, and words by kind (task, device, need)."""

    figures: Mapping[str, float]
    words: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, profile: Profile, wishes: Wishes) -> Situation:
        """Profile and wishes as one."""
        figures = {name: value for name, value in profile.figures.items() if name in FIGURES}
        if wishes.latency is not None:
            figures["latency_ms"] = 1000 * wishes.latency
        if wishes.size is not None:
            figures["size_kb"] = wishes.size / 1000
        if "modalities" in wishes.needs:
            figures["modalities"] = max(2.0, figures.get("modalities", 0.0))
        words = {
            "task": frozenset({profile.task}),
            "device": frozenset({wishes.device} if wishes.device else ()),
            "need": frozenset(wishes.needs),
        }
        return cls(figures, words)


class Condition(Protocol):
    """One question to a situation."""

    def margin(self, situation: Situation) -> float | None:
        """How far inside its limit it is, as a share of the limit (below 0: outside); None: it cannot hold at all.

        Infinite for a condition without a limit that holds.
        """

    def holds(self, margin: float) -> bool:
        """Whether that margin is inside."""

    def said(self, situation: Situation) -> tuple[str, str]:
        """The condition with what it met, in both languages."""

    def __str__(self) -> str:
        """The condition alone, in English."""


@dataclass(frozen=True)
class Bound:
    """A figure against a limit, as in ``Bound("length", "<", 50)``."""

    figure: str
    sign: Sign
    limit: float

    def margin(self, situation: Situation) -> float | None:
        value = situation.figures.get(self.figure)
        if value is None:
            return None
        room = self.limit - value if self.sign in "<≤" else value - self.limit
        return room / self.limit

    def holds(self, margin: float) -> bool:
        return margin > 0 if self.sign in "<>" else margin >= 0

    def said(self, situation: Situation) -> tuple[str, str]:
        en, zh = FIGURES[self.figure]
        value, limit = _number(situation.figures[self.figure]), _number(self.limit)
        return f"{en} {value} ({self.sign} {limit})", f"{zh} {value}（{self.sign} {limit}）"

    def __str__(self) -> str:
        return f"{FIGURES[self.figure][0]} {self.sign} {_number(self.limit)}"


@dataclass(frozen=True)
class Among:
    """The task, the device or a need is one of these."""

    kind: str
    values: tuple[str, ...]

    def margin(self, situation: Situation) -> float | None:
        return math.inf if situation.words[self.kind] & set(self.values) else None

    def holds(self, margin: float) -> bool:
        return True

    def said(self, situation: Situation) -> tuple[str, str]:
        met = ", ".join(sorted(situation.words[self.kind] & set(self.values)))
        en, zh = WORDS[self.kind]
        return f"{en}: {met}", f"{zh}：{met}"

    def __str__(self) -> str:
        return f"{WORDS[self.kind][0]}: {' or '.join(self.values)}"


@dataclass(frozen=True)
class Rule:
    """One piece of advice.

    Attributes:
        code: stable snake_case word.
        topic: "length", "amount", "device", "signal" or "purpose".
        when: conditions, all of which must hold; none: it always speaks.
        advice, reason: (English, Chinese).
        source: who says so.
        answers: question -> answer; see ``rules.QUESTIONS``.
    """

    code: str
    topic: str
    when: tuple[Condition, ...]
    advice: tuple[str, str]
    reason: tuple[str, str]
    source: str
    answers: Mapping[str, str] = field(default_factory=dict)

    def asked(self, situation: Situation) -> Counsel | None:
        """What it says here: None where it neither fires nor nearly does."""
        margins = [condition.margin(situation) for condition in self.when]
        known = [margin for margin in margins if margin is not None]
        tightest = min(known, default=math.inf)
        if len(known) < len(margins) or tightest < -NEAR:
            return None
        fires = all(condition.holds(margin) for condition, margin in zip(self.when, known, strict=True))
        state: State = "fires" if fires else "nearly"
        sentences = [condition.said(situation) for condition in self.when]
        return Counsel(
            code=self.code,
            topic=self.topic,
            state=state,
            margin=tightest if tightest < math.inf else None,
            because=Text(en="; ".join(en for en, _ in sentences), zh="；".join(zh for _, zh in sentences)),
            advice=Text(en=self.advice[0], zh=self.advice[1]),
            reason=Text(en=self.reason[0], zh=self.reason[1]),
            source=self.source,
            answers=dict(self.answers),
        )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
