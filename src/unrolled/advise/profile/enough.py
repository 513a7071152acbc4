"""Whether there is enough data to choose a net by: below that, advice would be made up."""

from __future__ import annotations

from collections.abc import Mapping

from unrolled.core.diagnosis import Text

LEAST_SAMPLES = 20
"""Training samples that share no rows. With 20 a difference of 20 points of accuracy is within one standard error of
the difference of two proportions, so nothing smaller can be seen."""

LEAST_OF_A_CLASS = 4
"""Training samples that a class needs to count: one of them at least must be set aside for choosing."""


def too_small(figures: Mapping[str, float]) -> Text:
    """Why nothing can be advised; empty where something can.

    Args:
        figures: of the profile.
    """
    count = figures["independent"]
    if count < LEAST_SAMPLES:
        return Text(
            en=f"The training part has {count:.0f} samples that share no rows; below {LEAST_SAMPLES} no choice between "
            "nets can be told from chance. Gather more data, or take the task's default and its baselines.",
            zh=f"训练部分只有 {count:.0f} 个互不重叠的样本；少于 {LEAST_SAMPLES} 个时，网络之间的优劣无法与偶然区分。"
            "请收集更多数据，或使用该任务的默认设置和基线。",
        )
    if figures.get("learnable", 2.0) < 2:
        return Text(
            en=f"Fewer than two classes have {LEAST_OF_A_CLASS} training samples or more, so that no choice between "
            "nets can be told from chance. Gather more of the other classes.",
            zh=f"训练样本不少于 {LEAST_OF_A_CLASS} 个的类别不足两个，网络之间的优劣无法与偶然区分。"
            "请收集更多其他类别的样本。",
        )
    return Text()
