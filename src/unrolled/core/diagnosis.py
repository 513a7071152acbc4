"""What a look inside a net found: findings with a verdict, a cause and an action, each in both languages."""

from __future__ import annotations

from typing import Literal

from unrolled.core.records import CurvePicture, Language, Record

Level = Literal["fine", "watch", "broken"]

LEVELS: tuple[Level, ...] = ("broken", "watch", "fine")
"""The worst first."""


class Text(Record):
    """A sentence in both languages; empty where there is nothing to say."""

    en: str = ""
    zh: str = ""

    def text(self, language: Language = "en") -> str:
        return self.zh if language == "zh" else self.en


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
        pictures: curves that show it.
    """

    code: str
    probe: str
    place: str = ""
    level: Level
    said: Text
    cause: Text = Text()
    action: Text = Text()
    figures: dict[str, float] = {}
    pictures: tuple[CurvePicture, ...] = ()


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


def ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """The worst first, otherwise in the order given."""
    return tuple(sorted(findings, key=lambda finding: LEVELS.index(finding.level)))
