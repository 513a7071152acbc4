"""What a profile says: each fact in a sentence, and how it was measured, in both languages.

Figures are put in by name.
"""

from __future__ import annotations

from typing import Literal

from unrolled.core.advice import Fact
from unrolled.core.diagnosis import Text

_Pair = tuple[str, str]
_COUNTED: _Pair = ("", "")

_GASSER: _Pair = (
    "Second differences (Gasser et al. 1986), median over channels; swings within a few steps count as noise.",
    "二阶差分法（Gasser 等 1986），取各通道中位数；几步之内的快速变化也计为噪声。",
)
_PERMUTED: _Pair = (
    "Mutual information of the first target with each input at a lag, against the largest of 100 deals of the truth "
    "(99 %).",
    "首个目标与各滞后输入的互信息，与 100 次重排真值的最大值（99%）比较。",
)

_SAID: dict[str, tuple[_Pair, _Pair]] = {
    "samples": (
        (
            "{samples:,.0f} training samples out of {sequences:,.0f} sequences and {rows:,.0f} rows; "
            "{independent:,.0f} of them share no rows.",
            "共 {samples:,.0f} 个训练样本，来自 {sequences:,.0f} 个序列、{rows:,.0f} 行；"
            "其中 {independent:,.0f} 个互不重叠。",
        ),
        _COUNTED,
    ),
    "length": (
        ("Each answer reads {length:,.0f} steps.", "每个答案读取 {length:,.0f} 步。"),
        _COUNTED,
    ),
    "lengths_differ": (
        (
            "An answer reads {length:,.0f} steps in the median, {length_low:,.0f} to {length_high:,.0f} in nine of "
            "ten, {longest:,.0f} at most.",
            "每个答案读取的步数：中位数 {length:,.0f}，九成在 {length_low:,.0f} 至 {length_high:,.0f}，"
            "最多 {longest:,.0f}。",
        ),
        _COUNTED,
    ),
    "channels": (
        (
            "Numbers a step: {channels:.0f}; categories a step: {categories:.0f}; values of a whole sequence: "
            "{static:.0f}; columns known ahead: {known:.0f}; targets: {targets:.0f}.",
            "每步有 {channels:.0f} 个数值和 {categories:.0f} 个类别；每个序列有 {static:.0f} 个静态值；"
            "{known:.0f} 列可提前得知；目标 {targets:.0f} 个。",
        ),
        _COUNTED,
    ),
    "no_time": (
        ("There is no time column: rows are counted.", "没有时间列：按行计步。"),
        _COUNTED,
    ),
    "regular": (
        ("Rows come every {step}, without gaps.", "每行间隔 {step}，没有缺口。"),
        _COUNTED,
    ),
    "gaps": (
        (
            "Rows come every {step}, with {gaps:,.0f} gaps ({gap_share:.2%} of the steps).",
            "每行间隔 {step}，有 {gaps:,.0f} 处缺口（占 {gap_share:.2%}）。",
        ),
        _COUNTED,
    ),
    "irregular": (
        ("Rows come at irregular times, {step} apart in the median.", "行的时间间隔不规则，中位间隔 {step}。"),
        _COUNTED,
    ),
    "complete": (("No number of the inputs is missing.", "输入数值没有缺失。"), _COUNTED),
    "missing": (("{missing:.2%} of the numbers of the inputs are missing.", "输入数值缺失 {missing:.2%}。"), _COUNTED),
    "noise": (
        (
            "At most {noise:.1%} of the variance of a channel is noise (signal to noise {snr_db:.0f} dB; "
            "{noisiest:.1%} in the noisiest).",
            "通道方差中噪声至多占 {noise:.1%}（信噪比 {snr_db:.0f} dB；最嘈杂的通道 {noisiest:.1%}）。",
        ),
        _GASSER,
    ),
    "correlation": (
        (
            "'{column}' is correlated with itself over {open}{correlation_time:,.0f} steps.",
            "“{column}”的自相关持续 {open}{correlation_time:,.0f} 步。",
        ),
        (
            "First lag whose autocorrelation is below 1/e, mean over sequences.",
            "自相关首次低于 1/e 的滞后，取各序列均值。",
        ),
    ),
    "memory": (
        (
            "The past tells something about the answer up to {memory:,.0f} steps before the end, of {lags_to:,.0f} "
            "read.",
            "距末尾 {memory:,.0f} 步以内的输入对答案有信息（共读取 {lags_to:,.0f} 步）。",
        ),
        _PERMUTED,
    ),
    "no_memory": (
        (
            "No single step tells something about the answer by itself, among {lags_to:,.0f}: shapes or counts may.",
            "在 {lags_to:,.0f} 步中，没有任何单独一步对答案有可见的信息；形状或计数仍可能有。",
        ),
        _PERMUTED,
    ),
    "stationary": (
        (
            "'{column}' keeps its level: stationarity is rejected in {not_stationary:.0%} of the sequences.",
            "“{column}”水平稳定：{not_stationary:.0%} 的序列拒绝平稳性。",
        ),
        ("KPSS test for a level at 5 % (Kwiatkowski et al. 1992).", "KPSS 水平平稳检验，5%（Kwiatkowski 等 1992）。"),
    ),
    "drifts": (
        (
            "'{column}' drifts: stationarity is rejected in {not_stationary:.0%} of the sequences; the last fifth lies "
            "{shift:.2f} standard deviations from the first.",
            "“{column}”有漂移：{not_stationary:.0%} 的序列拒绝平稳性；"
            "最后五分之一与最初五分之一相差 {shift:.2f} 个标准差。",
        ),
        ("KPSS test for a level at 5 % (Kwiatkowski et al. 1992).", "KPSS 水平平稳检验，5%（Kwiatkowski 等 1992）。"),
    ),
    "season": (
        (
            "'{column}' has a season of {season:.0f} steps, strength {season_strength:.2f} of 1.",
            "“{column}”的周期为 {season:.0f} 步，强度 {season_strength:.2f}（满分 1）。",
        ),
        (
            "Variance left by the mean of each phase (Wang, Smith & Hyndman 2006).",
            "按相位均值后的剩余方差（Wang、Smith 与 Hyndman 2006）。",
        ),
    ),
    "weak_season": (
        (
            "'{column}' has no clear season: the strongest, of {season:.0f} steps, has a strength of "
            "{season_strength:.2f} of 1.",
            "“{column}”没有明显周期：最强的为 {season:.0f} 步，强度 {season_strength:.2f}（满分 1）。",
        ),
        (
            "Variance left by the mean of each phase (Wang, Smith & Hyndman 2006).",
            "按相位均值后的剩余方差（Wang、Smith 与 Hyndman 2006）。",
        ),
    ),
    "balanced": (
        (
            "{classes:.0f} classes; the most frequent has {largest_class:.1%}, the rarest {rarest:.0f} samples.",
            "共 {classes:.0f} 个类别；最常见的占 {largest_class:.1%}，最少的有 {rarest:.0f} 个样本。",
        ),
        _COUNTED,
    ),
    "skewed": (
        (
            "{classes:.0f} classes, far from balanced: the most frequent has {largest_class:.1%}, {imbalance:.0f} "
            "times the rarest ({rarest:.0f} samples).",
            "共 {classes:.0f} 个类别，很不均衡：最常见的占 {largest_class:.1%}，是最少类别的 {imbalance:.0f} 倍"
            "（后者 {rarest:.0f} 个样本）。",
        ),
        _COUNTED,
    ),
    "no_repeats": (
        ("No sample that is judged on stands in the training part too.", "用于评估的样本均不在训练部分中。"),
        ("Digests of the inputs, value by value.", "逐值比较输入的摘要。"),
    ),
    "repeated_samples": (
        (
            "{repeated:.1%} of the samples that are judged on stand in the training part too, value by value.",
            "用于评估的样本中有 {repeated:.1%} 与训练样本逐值相同。",
        ),
        ("Digests of the inputs, value by value.", "逐值比较输入的摘要。"),
    ),
}


def fact(
    code: str,
    topic: str,
    figures: dict[str, float],
    *,
    level: Literal["fine", "watch"] = "fine",
    **words: str,
) -> Fact:
    """A fact in both languages; ``figures`` and ``words`` fill its sentence."""
    said, method = _SAID[code]
    filled = {**figures, **words}
    return Fact(
        code=code,
        topic=topic,
        level=level,
        said=Text(en=said[0].format(**filled), zh=said[1].format(**filled)),
        method=Text(en=method[0], zh=method[1]),
        figures=figures,
    )
