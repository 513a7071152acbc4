"""Every word the report and the terminal say, in English and Simplified Chinese, in one place."""

from __future__ import annotations

from typing import get_args

from unrolled.core.errors import ConfigError
from unrolled.core.records import Language
from unrolled.prepare.wording import step_in_chinese
from unrolled.report.advice_words import ADVICE_WORDS
from unrolled.report.names import NAMES

WORDS: dict[str, tuple[str, str]] = {
    **ADVICE_WORDS,
    "named": ("{name}: {value}", "{name}：{value}"),
    "report": ("Training report", "训练报告"),
    "comparison": ("Comparison of runs", "训练结果对比"),
    "of": ("{task} of {target}", "{task}：{target}"),
    "list": (", ", "、"),
    "none": ("none", "无"),
    "theme": ("Switch between light and dark", "切换浅色与深色"),
    "contents": ("Contents", "目录"),
    "good": ("Good", "良好"),
    "fair": ("Fair", "尚可"),
    "poor": ("Poor", "不佳"),
    "warning": ("Warning", "警告"),
    # key figures
    "key_figures": ("Key figures", "关键数字"),
    "best_baseline": ("{metric}, best baseline", "{metric}（最佳基线）"),
    "parameters": ("Parameters", "参数量"),
    "size": ("Size", "大小"),
    "epochs": ("Epochs", "轮数"),
    "best_epoch": ("Best epoch", "最佳轮"),
    "best_epoch_is": ("best: {epoch}", "最佳：第 {epoch} 轮"),
    "training_time": ("Training time", "训练用时"),
    # what was asked
    "asked": ("What was asked", "任务说明"),
    "task": ("Task", "任务"),
    "target": ("Target", "目标"),
    "source": ("Data", "数据"),
    "measured_on": ("Measured on", "评估对象"),
    "part_samples": ("{part}, {count} samples", "{part}，{count} 个样本"),
    "created": ("Created", "创建时间"),
    "command": ("Command", "命令"),
    "assumptions": ("What was assumed", "所作假设"),
    # result
    "result": ("Result", "评估结果"),
    # search
    "search": ("Search", "搜索"),
    "search_best": ("The best", "最佳结果"),
    "all_trials": ("All trials", "全部试验"),
    "frontier": ("What nothing beats", "最优前沿"),
    "frontier_help": (
        "A trial is on the frontier when no other is as good in all of measure, size and latency, and better in one.",
        "如果没有其他试验在指标、大小和延迟上都不差且至少一项更好，该试验即在前沿上。",
    ),
    "trial": ("Trial", "试验"),
    "trial_number": ("trial {number}", "试验 {number}"),
    "state": ("State", "状态"),
    "answer_time": ("One answer", "单次预测"),
    "step_time": ("One step", "单步"),
    "chosen": ("Chosen values", "所选取值"),
    "failures": ("Why trials failed", "试验失败原因"),
    "size_in_bytes": ("size in bytes", "大小（字节）"),
    "search_history": ("Trial by trial", "逐次试验"),
    "best_so_far": ("Best so far", "目前最佳"),
    "importance": ("What made the difference", "各取值的影响"),
    "importance_help": (
        "Share of the differences between trials that a value explains by itself (functional ANOVA).",
        "各取值单独解释的试验间差异的比例（函数方差分析）。",
    ),
    "parallel": ("All trials side by side", "全部试验对照"),
    "parallel_help": (
        "Each line is a trial, through the values that it had; the best figure is on top of the last axis.",
        "每条线为一次试验，经过其各取值；最后一轴顶端为最佳指标。",
    ),
    "band": ("quarter {which} of {of}", "第 {which}/{of} 组"),
    "found_best": (
        "The best of {count} trials is number {number}: {metric} on the validation part.",
        "{count} 次试验中最佳的是第 {number} 次：验证部分的 {metric}。",
    ),
    "found_only": (
        "The one trial that ended, number {number}, has {metric} on the validation part.",
        "仅有一次试验结束（第 {number} 次）：验证部分的 {metric}。",
    ),
    "nothing_found": ("No trial gave a figure ({count} ended).", "试验均未得到指标（共结束 {count} 次）。"),
    "nothing_ended": ("No trial has ended yet.", "尚无试验结束。"),
    "best_help": (
        "The figures come from the validation part, which chose; this command trains the best config and judges it on "
        "the test part.",
        "以上数值来自用于选择的验证部分；该命令训练最佳配置，并在测试部分上评估。",
    ),
    "trials_help": (
        "One answer and one step are medians at batch 1 on this machine.",
        "单次预测与单步为本机批量为 1 时的中位数。",
    ),
    # diagnosis
    "diagnosis": ("Diagnosis", "诊断"),
    "to_mend": ("What to mend", "需要处理"),
    "all_findings": ("All findings", "全部结论"),
    "curves": ("Pictures", "图示"),
    "examples": ("Samples to look at", "需要查看的样本"),
    "looked_at": ("{data}, samples: {samples}", "{data}，样本数：{samples}"),
    "nothing": ("(nothing)", "（空）"),
    "example": (
        "no. {row} ({place}): true {truth}, answered {answer}; {figure}",
        "第 {row} 个（{place}）：真值 {truth}，回答 {answer}；{figure}",
    ),
    "cause": ("Likely cause", "可能原因"),
    "action": ("What to do", "建议"),
    "probe": ("Looked at", "检查项"),
    "finding": ("Finding", "说明"),
    "numbers": ("Figures", "数值"),
    # explanation
    "explanation": ("Why this answer", "答案解释"),
    "why": ("{task}, answer {row}: {place}", "{task}，第 {row} 个答案：{place}"),
    "because_probability": (
        "The answer is {answer}: the probability of {explained} is {figure}, against {rest} for an average row.",
        "答案为 {answer}：{explained} 的概率为 {figure}，平均行则为 {rest}。",
    ),
    "because_number": (
        "The answer is {figure} for {explained}, against {rest} for an average row.",
        "{explained} 的答案为 {figure}，平均行则为 {rest}。",
    ),
    "because_log_probability": (
        "The answer is {answer}: the logarithm of the probability of {explained} is {figure}, against {rest} for an "
        "average row.",
        "答案为 {answer}：{explained} 的概率的对数为 {figure}，平均行则为 {rest}。",
    ),
    "because_score": (
        "There is {answer}: the score is {figure}, against {rest} for average rows; an alarm comes above {limit}.",
        "{answer}：分数为 {figure}，平均行则为 {rest}；高于 {limit} 即报警。",
    ),
    "added_up": (
        "What the inputs added makes {total} in all; {gap} of it is unaccounted for.",
        "各输入的贡献合计 {total}；其中 {gap} 未能归因。",
    ),
    "shares": ("What each input added", "各输入的贡献"),
    "share_added": ("Added to the answer", "对答案的贡献"),
    "shares_by_column": ("What each column added", "各列的贡献"),
    "shares_by_step": ("What each step added", "各步的贡献"),
    "all_columns": ("All columns", "所有列"),
    "value_of": ("Values: {name}", "取值：{name}"),
    "attention": ("Attention", "注意力"),
    "weight": ("Weight", "权重"),
    "text_help": (
        "Blue words speak for the answer, orange ones against it; the darker, the more.",
        "蓝色的词支持该答案，橙色的词反对；颜色越深，作用越大。",
    ),
    "changes": ("What would change it", "什么会改变答案"),
    "held": ("Held at its average", "保持平均值"),
    "then": ("The answer then", "此时的答案"),
    "step_held": ("step {at}", "第 {at} 步"),
    "steps_held": ("steps {begin} to {end}", "第 {begin} 至 {end} 步"),
    "word_held": ("“{word}” ({step})", "“{word}”（{step}）"),
    "then_probability": ("{explained}: {figure}", "{explained}：{figure}"),
    "then_log_probability": ("log probability of {explained}: {figure}", "{explained} 的对数概率：{figure}"),
    "then_score": ("score: {figure}", "分数：{figure}"),
    "no_alarm": ("no alarm", "无报警"),
    "flips": ("{answer} ({said})", "{answer}（{said}）"),
    "neighbours": ("Rows like it", "相似的行"),
    "neighbours_help": (
        "Alike is what the last layer of the net reads; two rows drawn at random are 1 apart. "
        "The last one may be the nearest with another answer.",
        "相似性依据网络最后一层的输入；随机两行的距离为 1。最后一行可能是答案不同的最近一行。",
    ),
    "row": ("Answer no.", "答案编号"),
    "place_in_data": ("Sequence", "序列"),
    "answer": ("Answer", "答案"),
    "distance": ("Distance", "距离"),
    "step": ("Step", "步"),
    "beside_baselines": ("Model beside baselines", "模型与基线"),
    "figure": ("Measure", "指标"),
    "capped": ("{name} (capped)", "{name}（截断）"),
    "standardised": ("{name} (standardised)", "{name}（标准化）"),
    "lower_is_better": ("lower is better", "越低越好"),
    "higher_is_better": ("higher is better", "越高越好"),
    "nominal_is_better": ("closer to the promised value is better", "越接近标称值越好"),
    "best": ("best", "最佳"),
    "table_help": (
        "↓ lower is better, ↑ higher is better, ✓ best. Ranges are bootstrap intervals.",
        "↓ 越低越好，↑ 越高越好，✓ 最佳。区间为自助法（bootstrap）区间。",
    ),
    "baseline_wins": (
        "On {metric}, the baseline “{baseline_name}” does better than this model ({baseline} against {model}).",
        "在 {metric} 上，基线“{baseline_name}”优于本模型（{baseline} 对 {model}）。",
    ),
    "metric_unknown": (
        "{metric} of the model is not a number, so the model cannot be compared.",
        "模型的 {metric} 不是有效数值，无法比较。",
    ),
    "no_baselines": ("No baseline was computed.", "未计算基线。"),
    "backtest": ("Backtest, {count} origins", "滚动回测，{count} 个起点"),
    "backtest_help": (
        "Means over the origins, and the lowest and highest of them.",
        "各起点的均值，以及其中的最小值与最大值。",
    ),
    "by_origin": ("{metric} by origin", "各起点的 {metric}"),
    "origin": ("Origin", "起点"),
    "detail": ("Figures by class or target", "各类别或目标的指标"),
    "range_to": ("{low} – {high}", "{low} – {high}"),
    # pictures
    "pictures": ("Predictions in pictures", "预测图示"),
    "shown_of": ("Showing {shown} of {total}.", "显示 {total} 个中的 {shown} 个。"),
    "last_points": ("The last {shown} of {total} time steps.", "最后 {shown} 步（共 {total} 步）。"),
    "every_point": ("One point in {step}, of {total}.", "每 {step} 个点取一个（共 {total} 个点）。"),
    "forecast_title": ("Forecast and truth: {target}", "预测与真值：{target}"),
    "truth": ("Truth", "真值"),
    "forecast": ("Forecast", "预测"),
    "interval": ("Interval", "区间"),
    "residual_title": ("Errors: {target}", "误差：{target}"),
    "step_error": ("Mean absolute error by step ahead", "各步平均绝对误差"),
    "step_ahead": ("steps ahead", "预测步"),
    "error": ("error", "误差"),
    "error_histogram": ("Truth minus prediction, how often", "真值减预测值的分布"),
    "count": ("Count", "数量"),
    "scatter_title": ("Predicted against true: {target}", "预测值与真值：{target}"),
    "predicted": ("Predicted", "预测值"),
    "perfect": ("Perfect", "理想"),
    "score": ("Score", "分数"),
    "score_title": ("Anomaly scores", "异常分数"),
    "score_of": ("Anomaly scores: {series}", "异常分数：{series}"),
    "score_help": (
        "Where rows are many, each point is the highest of its stretch; above the threshold there is an alarm.",
        "行数较多时，每个点为该段内的最高分；超过阈值即报警。",
    ),
    "alarm": ("an alarm", "报警"),
    "alarms": ("Alarm", "报警"),
    "missed": ("Unusual without alarm", "异常但未报警"),
    "chart_alt": (
        "Chart “{title}”, lines: {lines}; {points} points",
        "图表“{title}”，曲线：{lines}；共 {points} 个点",
    ),
    "heat_alt": (
        "Heat map “{title}”: {rows} rows, {columns} columns",
        "热力图“{title}”：{rows} 行，{columns} 列",
    ),
    "heat_help": (
        "Blue is above zero, orange below it; the deeper, the further.",
        "蓝色大于零，橙色小于零；颜色越深，离零越远。",
    ),
    "no_script": ("Charts need JavaScript.", "图表需要 JavaScript。"),
    # confusion
    "confusion_title": ("Confusion matrix", "混淆矩阵"),
    "confusion_help": (
        "Rows are true classes, columns predicted ones; shade shows the share of the row.",
        "行为真实类别，列为预测类别；颜色深浅表示占该行的比例。",
    ),
    "confusion_large": (
        "{classes} classes are too many for a matrix; these are the {count} most frequent confusions.",
        "共 {classes} 个类别，矩阵过大；以下为最常见的 {count} 种混淆。",
    ),
    "true_class": ("True", "真实类别"),
    "predicted_class": ("Predicted as", "预测为"),
    "no_confusions": ("No sample was taken for another class.", "没有样本被误判。"),
    "per_class": ("Figures by class", "各类别指标"),
    "per_class_worst": ("Figures by class, worst first", "各类别指标（由差到好）"),
    "class": ("Class", "类别"),
    "precision": ("Precision", "精确率"),
    "recall": ("Recall", "召回率"),
    # training
    "training": ("Training", "训练过程"),
    "no_curves": ("No training curve was recorded.", "没有训练曲线记录。"),
    "epoch": ("epoch", "轮"),
    "log_scale": ("logarithmic scale", "对数坐标"),
    # data
    "data": ("Data", "数据"),
    "rows": ("Rows", "行数"),
    "series": ("Sequences", "序列数"),
    "length": ("Length in steps", "长度（步）"),
    "length_three": (
        "{low} to {high}, median {median}",
        "{low} 至 {high}，中位数 {median}",
    ),
    "frequency": ("Frequency", "采样间隔"),
    "span": ("From – to", "时间范围"),
    "fingerprint": ("Fingerprint", "指纹"),
    "parts": ("Samples in each part", "各部分样本数"),
    "columns": ("Columns", "列"),
    "more_rows": ("{count} more rows are not shown.", "另有 {count} 行未显示。"),
    "notes": ("Notes and warnings", "说明与警告"),
    "evaluation_notes": ("On the evaluation", "关于评估"),
    # net
    "net": ("Net", "网络"),
    "layer": ("Layer", "层"),
    "output_shape": ("Output", "输出形状"),
    "total": ("Total", "合计"),
    "spec": ("Net specification", "网络定义"),
    # settings
    "reproduce": ("To reproduce", "复现方法"),
    "settings": ("Settings", "设置"),
    "environment": ("Environment", "环境"),
    "made_by": (
        "Made by unrolled. Charts: Apache ECharts {version}, Apache License 2.0.",
        "由 unrolled 生成。图表：Apache ECharts {version}，Apache 许可证 2.0。",
    ),
    # comparison
    "needs_two": ("a comparison needs at least two runs", "对比至少需要两个训练结果"),
    "better_clear": (
        "“{best}” is better: {metric} {best_value} against {other_value} of “{other}”; the intervals do not overlap.",
        "“{best}”更好：{metric} 为 {best_value}，“{other}”为 {other_value}；区间不重叠。",
    ),
    "better_unclear": (
        "“{best}” is ahead: {metric} {best_value} against {other_value} of “{other}”, "
        "but the intervals overlap, so the difference may be chance.",
        "“{best}”领先：{metric} 为 {best_value}，“{other}”为 {other_value}，但区间重叠，差异可能出于偶然。",
    ),
    "better_unknown": (
        "“{best}” is ahead: {metric} {best_value} against {other_value} of “{other}”; "
        "without intervals nobody can tell whether that is chance.",
        "“{best}”领先：{metric} 为 {best_value}，“{other}”为 {other_value}；没有区间，无法判断是否出于偶然。",
    ),
    "equal": ("The runs are equal on {metric}: {value}.", "各次训练的 {metric} 相同：{value}。"),
    "incomparable": (
        "These runs cannot be ranked: they share no measure with a finite value.",
        "无法排序：没有共同的有效指标。",
    ),
    "differs_task": (
        "The runs do different tasks, so their figures do not compare.",
        "各次训练的任务不同，指标不可比。",
    ),
    "differs_target": (
        "The runs predict different targets, so their figures do not compare.",
        "各次训练的目标不同，指标不可比。",
    ),
    "differs_data": (
        "The runs saw different data (fingerprints differ), so their figures may not compare.",
        "各次训练所用数据不同（指纹不一致），指标可能不可比。",
    ),
    "differs_part": (
        "The runs were measured on different parts of the data, so their figures may not compare.",
        "各次评估所用的数据部分不同，指标可能不可比。",
    ),
    "runs": ("Runs side by side", "并列对比"),
    "verdict": ("Verdict", "结论"),
    "differing_settings": ("Settings that differ", "不同的设置"),
    "same_settings": ("All settings are the same.", "所有设置相同。"),
    "of_baseline": ("{metric}, baseline {name}", "{metric}，基线 {name}"),
}
"""UI strings: key -> (English, Chinese); ``{braces}`` are filled in."""


class Words:
    """The words of one language.

    Raises:
        ConfigError: the language is neither "en" nor "zh".
    """

    def __init__(self, language: Language = "en") -> None:
        if language not in get_args(Language):
            raise ConfigError(f"language {language!r} is not known", where="--lang", mend='use "en" or "zh"')
        self.language: Language = language
        self._index = 1 if language == "zh" else 0

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its braces filled in."""
        return WORDS[key][self._index].format(**values)

    def name(self, name: str) -> str:
        """A record's name in this language; a name nobody translated is shown as it is.

        ``rmse_capped`` is a measure taken in another way, ``f1:V`` one of a single class or target.
        """
        measure, colon, label = name.partition(":")
        if colon and (translated := self.name(measure)) != measure:
            return self("named", name=translated, value=label)
        for suffix in ("capped", "standardised"):
            if name.endswith(f"_{suffix}"):
                return self(suffix, name=self.name(name.removesuffix(f"_{suffix}")))
        return NAMES[name][self._index] if name in NAMES else name

    def step(self, frequency: str) -> str:
        """The step between rows, such as ``1 business day``."""
        return step_in_chinese(frequency) if self.language == "zh" else frequency

    def names(self, names: tuple[str, ...]) -> str:
        """Names given by the user, as a list in one line."""
        return self("list").join(names) or self("none")
