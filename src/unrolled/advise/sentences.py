"""What a recommendation says, in both languages; figures are put in by name."""

from __future__ import annotations

from typing import Any

from unrolled.core.diagnosis import Text
from unrolled.evaluate.verdict import measure

_SAID: dict[str, tuple[str, str]] = {
    "take_own": (
        "Start with the task's own net; {rules} rules speak here, and none of them was measured on this data.",
        "先用该任务的默认网络；此处有 {rules} 条规则适用，但都未在此数据上实测。",
    ),
    "nothing_measured": (
        "That any net beats the simple methods above on this data: nothing was trained.",
        "尚无证据表明任何网络在此数据上优于上面的简单方法：没有进行训练。",
    ),
    "no_part_to_choose_by": (
        "No part of the data can be set aside to choose a net by. Gather more data, or take the task's default.",
        "无法划出用于选择网络的部分。请收集更多数据，或使用该任务的默认设置。",
    ),
    "measure_more": (
        "Let the candidates be measured: --measure 5m.",
        "可实测各候选：--measure 5m。",
    ),
    "take": (
        "Train {name}: {metric} {value} on the validation part, the best net of {entrants} entrants; {parameters:,} "
        "weights.",
        "建议训练{name}：验证部分{metric}为 {value}，是 {entrants} 个参赛者中最好的网络；{parameters:,} 个权重。",
    ),
    "rival_ahead": (
        "No net does better than {rival} here ({metric} {theirs} on the validation part); the best net is {name} "
        "with {value} and {parameters:,} weights.",
        "此处没有网络优于{rival}（验证部分{metric}为 {theirs}）；最好的网络是{name}，为 {value}，"
        "{parameters:,} 个权重。",
    ),
    "proven": (
        "{name} is better than {other} by {gain:.4g} in {metric} (95 % interval {low:.4g} to {high:.4g}, paired).",
        "{name}优于{other}：{metric}相差 {gain:.4g}（成对 95% 区间 {low:.4g} 至 {high:.4g}）。",
    ),
    "open": (
        "Whether {name} is better than {other}: it gains {gain:+.4g} in {metric}, but the 95 % interval, {low:.4g} "
        "to {high:.4g}, holds 0.",
        "{name}与{other}是否有差别：{metric}相差 {gain:+.4g}（正值表示前者更好），"
        "但 95% 区间 {low:.4g} 至 {high:.4g} 包含 0。",
    ),
    "worse": (
        "{name} is not better than {other}: it is worse by {gain:.4g} in {metric} (95 % interval {low:.4g} to "
        "{high:.4g}; below 0 is worse).",
        "{name}不优于{other}：{metric}相差 {gain:.4g}（95% 区间 {low:.4g} 至 {high:.4g}；负值表示更差）。",
    ),
    "no_interval": (
        "Whether {name} differs from {other} ({gain:+.4g} in {metric}): too few groups of samples for an interval.",
        "{name}与{other}是否有差别（{metric}相差 {gain:+.4g}）：样本组太少，无法给出区间。",
    ),
    "keeps_size": (
        "It keeps the limit of size: {size:,.4g} kB of weights, {limit:,.4g} kB allowed.",
        "满足大小限制：权重 {size:,.4g} kB，允许 {limit:,.4g} kB。",
    ),
    "keeps_latency": (
        "It keeps the limit of latency on this machine: {latency:.3g} ms an answer, {limit:.3g} ms allowed.",
        "在本机上满足延迟限制：每次 {latency:.3g} 毫秒，允许 {limit:.3g} 毫秒。",
    ),
    "chosen_there": (
        "How good it is on data that nothing was chosen on: there is no test part, so the figures flatter the winner.",
        "它在未参与选择的数据上表现如何：没有测试部分，因此数字对胜者偏乐观。",
    ),
    "one_seed": (
        "That another seed would give the same order: each net was trained once.",
        "换一个随机种子是否仍是同样的次序：每个网络只训练了一次。",
    ),
    "seeds_apart": (
        "The order of it and {other} held over {seeds} seeds (difference {difference:.3g}, spread {spread:.3g}), "
        "though not on other data.",
        "它与{other}的次序在 {seeds} 个随机种子上成立（差 {difference:.3g}，离散 {spread:.3g}），"
        "但未在其他数据上验证。",
    ),
    "seeds_overlap": (
        "That it is better than {other} with every seed: their means over {seeds} seeds differ by {difference:.3g}, "
        "one net's seeds by {spread:.3g}.",
        "它是否对所有随机种子都优于{other}：{seeds} 个种子的均值相差 {difference:.3g}，"
        "而单个网络的种子离散为 {spread:.3g}。",
    ),
    "cut_short": (
        "What it reaches when fully trained: its time was over after {epochs} of {wanted} epochs.",
        "完整训练后能达到的水平：时间在第 {epochs} 轮（共 {wanted} 轮）用完。",
    ),
    "other_machine": (
        "How fast it is on a {device}: latency was measured on this machine.",
        "它在目标设备（{device}）上的速度：延迟是在本机测得的。",
    ),
    "equal_in_practice": (
        "More data will not settle it against {other}: more than {times:.0f} times the {count:,} samples judged on "
        "would be needed. Take the smaller or faster of the two.",
        "与{other}的比较无法靠增加数据解决：需要超过 {times:.0f} 倍于现有的 {count:,} 个评估样本。请取较小或较快者。",
    ),
    "more_data": (
        "About {needed:,.0f} samples to judge on ({times:.1f} times the {count:,} there are) would settle it against "
        "{other}, if the difference stays what it is.",
        "若差异保持不变，约需 {needed:,.0f} 个评估样本（现有 {count:,} 个的 {times:.1f} 倍），"
        "即可分出它与{other}的高下。",
    ),
    "more_seeds": (
        "About {needed} seeds each would settle its order with {other}.",
        "各训练约 {needed} 个随机种子可确定它与{other}的次序。",
    ),
    "seeds_endless": (
        "No number of seeds that is worth it would settle its order with {other}.",
        "没有值得的种子数可以确定它与{other}的次序。",
    ),
    "more_time": (
        "About {seconds:,.0f} s more would train {name} to its end.",
        "再训练约 {seconds:,.0f} 秒可完成{name}。",
    ),
    "out_of_time": (
        "What the candidates would have reached that did not have all their turns: the time was over.",
        "未轮到或未完成各轮的候选能达到的水平：时间已用完。",
    ),
    "no_net": (
        "No net could be trained within the limits; see why beside each.",
        "没有网络能在限制内完成训练；原因见各条。",
    ),
}


_RIVALS = {
    "linear": ("the linear model", "线性模型"),
    "boosting": ("boosted trees", "梯度提升树"),
}
"""What has no net is called by what it is, a net by its name."""


def text(code: str, **figures: Any) -> Text:
    """A sentence in both languages; ``metric`` names a figure; ``name``, ``other`` and ``rival`` name entrants."""
    en, zh = ({**figures, "metric": said} for said in measure(figures.get("metric", "")))
    for key in figures.keys() & {"name", "other", "rival"}:
        en[key], zh[key] = _RIVALS.get(figures[key], (f"'{figures[key]}'", f"“{figures[key]}”"))
    return Text(en=_capital(_SAID[code][0].format(**en)), zh=_SAID[code][1].format(**zh))


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]
