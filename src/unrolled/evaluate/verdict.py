"""The evaluation in one sentence: against the best simple method, with the interval of the difference.

Letters: R draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from unrolled.core.records import Verdict
from unrolled.evaluate.bootstrap import Resampler
from unrolled.tasks.statistic import Float, Statistic

_WORTH = {"classify": 0.25, "ctc": 0.25, "regress": 0.25}
"""Gain from which on a proven one is good; where the simple methods learn nothing, beating them says little."""

_METHODS = {
    "persistence": ("repeating the last value", "持续法（重复最后一个值）"),
    "seasonal_naive": ("repeating the last season", "季节朴素法（重复上一季）"),
    "linear": ("a linear model", "线性模型"),
    "majority": ("always saying the most frequent class", "始终回答多数类"),
    "median_string": ("always saying the string nearest to all others", "始终回答与其他串最接近的那一串"),
    "by_input": ("the label most frequent for each input", "按当前输入取最常见的标签"),
    "zscore": ("the z-score of each row by itself", "逐行 z 分数"),
    "mean": ("always saying the mean", "始终回答均值"),
    "prior": ("always saying the average risk", "始终回答平均风险"),
    "interpolation": ("straight lines", "线性插值"),
    "chance": ("guessing", "随机猜测"),
    "tfidf": ("the words that both share (TF-IDF)", "共有词语（TF-IDF）"),
    "popularity": ("always recommending what is popular", "始终推荐热门物品"),
    "transitions": ("what followed the last item before (first-order counts)", "上一物品之后的历史统计（一阶转移）"),
    "logistic": ("logistic regression on the last row", "基于末行的逻辑回归"),
}

_MEASURES = {
    "rmse": ("RMSE", "RMSE"),
    "rmse_capped": ("RMSE (capped)", "RMSE（截断）"),
    "mse_standardised": ("MSE (standardised)", "MSE（标准化）"),
    "mase": ("MASE", "MASE"),
    "info_nce": ("InfoNCE", "InfoNCE"),
    "accuracy": ("accuracy", "准确率"),
    "macro_f1": ("macro F1", "宏平均 F1"),
    "label_error_rate": ("label error rate", "标签错误率"),
    "chunk_f1": ("F1 of chunks", "语块 F1"),
    "recall@5": ("recall among 5", "前 5 召回率"),
    "recall@20": ("recall among 20", "前 20 召回率"),
    "average_precision": ("average precision", "平均精确率"),
}

_SENTENCES = {
    "beats_baseline": (
        "Better than {method}: {measure} {model} against {baseline}; {gain}.",
        "优于{method}：{measure} {model}，对方为 {baseline}；{gain}。",
    ),
    "barely_better": (
        "Better than {method}, but not by much: {measure} {model} against {baseline}; {gain}.",
        "略优于{method}：{measure} {model}，对方为 {baseline}；{gain}。",
    ),
    "unproven": (
        "Ahead of {method}, but that may be chance: {measure} {model} against {baseline}; {gain}.",
        "领先于{method}，但可能出于偶然：{measure} {model}，对方为 {baseline}；{gain}。",
    ),
    "no_better": (
        "Not better than {method}: {measure} {model} against {baseline}.",
        "不优于{method}：{measure} {model}，对方为 {baseline}。",
    ),
    "copies_last_value": (
        "The forecast merely copies the last value and is not reliably better than repeating it: "
        "{measure} {model} against {baseline}.",
        "预测只是在复制最后一个值，并不比直接重复该值可靠：{measure} {model}，对方为 {baseline}。",
    ),
}

_LEVELS: dict[str, Literal["good", "fair", "poor"]] = {
    "beats_baseline": "good",
    "barely_better": "fair",
    "unproven": "fair",
    "no_better": "poor",
    "copies_last_value": "poor",
}


def measure(name: str) -> tuple[str, str]:
    """What sentences call a figure: (English, Chinese)."""
    return _MEASURES.get(name, (name, name))


class Gain(NamedTuple):
    """How much of the baseline's distance to a perfect score the model closes: 1 is all, 0 none, less is worse."""

    value: float
    low: float | None
    high: float | None


def gain_over(model: Statistic, baseline: Statistic, resampler: Resampler) -> Gain:
    """Paired: both figures are drawn on the same samples. Scores that are to be high have 1 as the perfect one."""
    perfect = 1.0 if model.better == "higher" else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        theirs = perfect - resampler.draws(baseline)
        draws: Float = 1 - (perfect - resampler.draws(model)) / theirs
    value = float(draws[0]) if np.isfinite(draws[0]) else 0.0
    low, high = resampler.interval(draws) or (None, None)
    return Gain(value, low, high)


def verdict(
    task: str,
    headline: str,
    model: tuple[Statistic, ...],
    baselines: Mapping[str, tuple[Statistic, ...]],
    resampler: Resampler,
    *,
    copies: bool = False,
) -> Verdict:
    """The sentence on the metric ``headline`` (the first one where that is not defined).

    Args:
        task: its name.
        headline: the metric.
        model: figures of the model.
        baselines: figures of each baseline.
        resampler: of the intervals.
        copies: the forecast was found to copy the last value.
    """
    own = next((s for s in model if s.name == headline), model[0] if model else None)
    rivals = {name: s for name, found in baselines.items() for s in found if own is not None and s.name == own.name}
    if own is None or not rivals:
        return Verdict(
            level="fair",
            code="no_comparison",
            en="There is no simple method to compare with on this data, so the figures stand alone.",
            zh="此数据上没有可比较的简单方法，指标无从对照。",
        )
    sign = 1 if own.better == "lower" else -1
    name = min(rivals, key=lambda rival: sign * rivals[rival].value)
    gain = gain_over(own, rivals[name], resampler)
    code = _code(gain, _WORTH.get(task, 0.0))
    if copies and "persistence" in rivals:
        over = gain_over(own, rivals["persistence"], resampler)
        if over.low is None or over.low <= 0:  # the figure of the verdict agrees
            name, gain, code = "persistence", over, "copies_last_value"
    texts = (
        sentence.format(
            method=_METHODS.get(name, (name, name))[language],
            measure=measure(own.name)[language],
            model=f"{own.value:.4g}",
            baseline=f"{rivals[name].value:.4g}",
            gain=_in_words(gain, own.better, language),
        )
        for language, sentence in enumerate(_SENTENCES[code])
    )
    en, zh = texts
    return Verdict(level=_LEVELS[code], code=code, en=en, zh=zh)


def _code(gain: Gain, worth: float) -> str:
    if gain.value <= 0:
        return "no_better"
    if gain.low is None or gain.low <= 0:
        return "unproven"
    return "beats_baseline" if gain.value >= worth else "barely_better"


def _in_words(gain: Gain, better: str, language: int) -> str:
    value = f"{gain.value:.1%}"
    if better == "lower":
        text = (f"the error is {value} smaller", f"误差减小 {value}")[language]
    else:
        text = (f"it closes {value} of the gap to a perfect score", f"与满分的差距缩小 {value}")[language]
    if gain.low is None or gain.high is None:
        return text
    span = f"{gain.low:.1%}", f"{gain.high:.1%}"
    return text + (f" (95 % interval {span[0]} to {span[1]})", f"（95% 区间 {span[0]} 至 {span[1]}）")[language]
