"""Facts and warnings that belong beside the figures."""

from __future__ import annotations

import numpy as np

from unrolled.core.records import Note, Scores
from unrolled.evaluate.part import Part
from unrolled.prepare.answer import Answer
from unrolled.prepare.calibrate import enough
from unrolled.prepare.decoding import Decoding, NumberDecoding

_FEW_GROUPS = 10


def notes(part: Part, answer: Answer, decoding: Decoding | None, scores: Scores, groups: int) -> tuple[Note, ...]:
    """Everything that a reader of the figures should know."""
    found: list[Note] = []
    if groups < _FEW_GROUPS:
        found.append(
            Note(
                code="few_groups",
                level="warning",
                en=f"The intervals rest on only {groups} independent pieces of data: take them as rough.",
                zh=f"区间仅基于 {groups} 段相互独立的数据，只能作粗略参考。",
            )
        )
    if isinstance(decoding, NumberDecoding):
        found += _of_intervals(decoding, scores)
    if answer.task in ("classify", "tag"):
        found += _of_classes(part, answer)
    if answer.task == "recommend":
        found += _of_catalogue(part, answer)
    return tuple(found)


def without_training() -> Note:
    """Said when the simple methods could not see the training part."""
    return Note(
        code="baseline_without_training",
        en="The training part was not at hand: simple methods that need it are left out or use this part's own shares.",
        zh="未提供训练数据：需要训练数据的简单方法已略去，或改用本部分自身的比例。",
    )


def on_training() -> Note:
    """Said when there was nothing else to judge on."""
    return Note(
        code="judged_on_training",
        level="warning",
        en="There is no test part: these figures are of the very data that was learnt, and promise nothing for other.",
        zh="没有测试部分：这些指标来自训练数据本身，不代表在新数据上的表现。",
    )


def season_used(season: int) -> Note:
    """Which season the seasonal naive forecast repeats."""
    return Note(
        code="season_used",
        en=f"The season for the seasonal naive forecast and MASE is {season} rows.",
        zh=f"季节朴素法与 MASE 所用的季节长度为 {season} 行。",
    )


def _of_intervals(decoding: NumberDecoding, scores: Scores) -> list[Note]:
    if not decoding.offsets:
        return []
    found = []
    promised = decoding.levels[-1] - decoding.levels[0]
    if not enough(decoding.calibrated_on, decoding.levels):
        found.append(
            Note(
                code="interval_few",
                level="warning",
                en=f"The intervals were calibrated on only {decoding.calibrated_on} validation samples, too few to "
                f"promise {promised:.0%}.",
                zh=f"区间仅用 {decoding.calibrated_on} 个验证样本校准，不足以保证 {promised:.0%} 的覆盖率。",
            )
        )
    coverage = next((metric for metric in scores.metrics if metric.name == "coverage"), None)
    if coverage is None or coverage.low is None or coverage.high is None:
        return found
    if coverage.high < promised or coverage.low > promised:
        found.append(
            Note(
                code="coverage_off",
                level="warning" if coverage.high < promised else "info",
                en=f"{coverage.value:.0%} of the truths lie in the interval that should hold {promised:.0%}: "
                "this part differs from the one the interval was calibrated on.",
                zh=f"应覆盖 {promised:.0%} 的区间实际覆盖了 {coverage.value:.0%} 的真值：此部分与校准数据有差异。",
            )
        )
    return found


def _of_catalogue(part: Part, answer: Answer) -> list[Note]:
    followed = part.truth[np.isfinite(part.truth[:, 0]), 0]
    strange = int((followed >= len(answer.classes[0])).sum())
    if not strange:
        return []
    return [
        Note(
            code="items_not_in_catalogue",
            en=f"{strange} of {len(followed)} items that followed are not among those learnt: nobody could recommend "
            "them, and they count as misses, of the simple methods too.",
            zh=f"实际出现的 {len(followed)} 个后续物品中有 {strange} 个不在已学习的目录里："
            "无法推荐，对模型和简单方法都计为未命中。",
        )
    ]


def _of_classes(part: Part, answer: Answer) -> list[Note]:
    found = []
    for at, (target, classes) in enumerate(zip(answer.targets, answer.classes, strict=True)):
        codes = part.truth[:, at]
        absent = [label for code, label in enumerate(classes) if not (codes == code).any()]
        if absent and np.isfinite(codes).any():
            listed = ", ".join(map(repr, absent[:8]))
            found.append(
                Note(
                    code="class_not_judged",
                    en=f"No sample of this part has the {target!r} label {listed}: the model is not judged on it.",
                    zh=f"此部分没有“{target}”为 {listed} 的样本，无法评估模型在该类上的表现。",
                )
            )
    return found
