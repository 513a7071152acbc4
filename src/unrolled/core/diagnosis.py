"""What a look inside a net found: findings with a verdict, a cause and an action, each in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from unrolled.core.records import BarPicture, CurvePicture, HeatPicture, Language, Record

Level = Literal["fine", "watch", "broken"]

Drawn = CurvePicture | BarPicture | HeatPicture
"""What shows a finding."""

LEVELS: tuple[Level, ...] = ("broken", "watch", "fine")
"""The worst first."""


class Text(Record):
    """A sentence in both languages; empty where there is nothing to say."""

    en: str = ""
    zh: str = ""

    def text(self, language: Language = "en") -> str:
        return self.zh if language == "zh" else self.en


class Example(Record):
    """One sample that a finding points at.

    Attributes:
        id: name of its sequence.
        at: time stamp or row of the answer within the sequence; "" where the answer is to the whole of it.
        row: number of its answer as ``unrolled explain --row`` counts, from 1.
        truth, answer: as the file has them.
        figure: what it is listed for, such as its loss.
    """

    id: str
    at: str = ""
    row: int
    truth: str = ""
    answer: str = ""
    figure: float


class Finding(Record):
    """One question answered.

    Attributes:
        code: stable snake_case word, such as "vanishing_gradient"; scripts can rely on it.
        probe: what was looked at: "gradient_flow", "gates", ...
        place: the layer, or "" for the whole net.
        level: the verdict.
        said: what was found, with its figures.
        cause, action: why it may be so and what to do; empty where all is well.
        figures: the numbers by name.
        pictures: what shows it.
        examples: samples to look at, the first ones first.
    """

    code: str
    probe: str
    place: str = ""
    level: Level
    said: Text
    cause: Text = Text()
    action: Text = Text()
    figures: dict[str, float] = {}
    pictures: tuple[Drawn, ...] = ()
    examples: tuple[Example, ...] = ()


class Diagnosis(Record):
    """All findings on a net, the worst first."""

    source: str
    data: str
    samples: int
    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        """The worst of the verdicts."""
        return next((level for level in LEVELS if any(f.level == level for f in self.findings)), "fine")


Said = tuple[tuple[str, str], tuple[str, str], tuple[str, str]]
"""What was found, why it may be so and what to do, each in English and Chinese, with braces for figures."""


def worded(
    table: Mapping[str, Said],
    code: str,
    level: Level,
    *,
    probe: str,
    place: str = "",
    figures: Mapping[str, float] | None = None,
    pictures: Sequence[Drawn] = (),
    examples: Sequence[Example] = (),
    **words: str,
) -> Finding:
    """A finding in both languages; ``figures`` and ``words`` fill the sentences that ``table`` has for its code."""
    facts = {**(figures or {}), **words}
    said, cause, action = (Text(en=en.format(**facts), zh=zh.format(**facts)) for en, zh in table[code])
    return Finding(
        code=code,
        probe=probe,
        place=place,
        level=level,
        said=said,
        cause=cause,
        action=action,
        figures=dict(figures or {}),
        pictures=tuple(pictures),
        examples=tuple(examples),
    )


def ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """The worst first, otherwise in the order given."""
    return tuple(sorted(findings, key=lambda finding: LEVELS.index(finding.level)))
