"""All rules: what practical guides say, as conditions on figures."""

from __future__ import annotations

from unrolled.advise.rules import amount, device, length, purpose, signal
from unrolled.advise.rules.rule import Rule, Situation
from unrolled.core.advice import Conflict, Counsel
from unrolled.core.diagnosis import Text

RULES: tuple[Rule, ...] = (*length.RULES, *amount.RULES, *device.RULES, *signal.RULES, *purpose.RULES)

QUESTIONS: dict[str, tuple[str, str]] = {
    "cell": ("which cell", "选用哪种单元"),
    "depth": ("how many layers", "层数"),
    "attention": ("attention or none", "是否使用注意力"),
    "pooling": ("how steps are pooled", "如何池化各步"),
    "regularisation": ("how much regularisation", "正则化强度"),
    "convolution": ("which convolutions", "选用哪种卷积"),
    "direction": ("which directions", "读取方向"),
    "streams": ("how many streams", "分几路"),
    "hybrid": ("a hybrid or not", "是否使用混合结构"),
    "precision": ("how many bits", "权重位数"),
    "level": ("what the level is measured from", "以何为基准"),
    "weights": ("how classes are weighted", "类别权重"),
}
"""What rules answer: (English, Chinese)."""


def ask(situation: Situation) -> tuple[Counsel, ...]:
    """What the rules say: those that fire before those that nearly do, otherwise in the order of the tables."""
    said = [counsel for rule in RULES if (counsel := rule.asked(situation)) is not None]
    return tuple(sorted(said, key=lambda counsel: counsel.state == "nearly"))


def conflicts(said: tuple[Counsel, ...]) -> tuple[Conflict, ...]:
    """Questions that firing rules answer differently."""
    found = []
    for question in QUESTIONS:
        sides: dict[str, tuple[str, ...]] = {}
        for counsel in said:
            if counsel.state == "fires" and question in counsel.answers:
                answer = counsel.answers[question]
                sides[answer] = (*sides.get(answer, ()), counsel.code)
        if len(sides) > 1:
            found.append(Conflict(question=question, sides=sides, said=_said(question, sides)))
    return tuple(found)


def _said(question: str, sides: dict[str, tuple[str, ...]]) -> Text:
    en, zh = QUESTIONS[question]
    listed = "; ".join(f"{answer}: {', '.join(codes)}" for answer, codes in sides.items())
    listed_zh = "；".join(f"{answer}：{'、'.join(codes)}" for answer, codes in sides.items())
    return Text(
        en=f"The rules disagree on {en} ({listed}); measuring decides.",
        zh=f"各规则在“{zh}”上意见不一（{listed_zh}）；以实测为准。",
    )


__all__ = ["QUESTIONS", "RULES", "Rule", "Situation", "ask", "conflicts"]
