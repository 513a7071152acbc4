"""What preparation tells the user: one template a fact, in both languages.

Values are put in by name; ``columns`` and other lists of names are written out, long ones cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from unrolled.core.records import Note
from unrolled.prepare.regularity import Rhythm

Templates = dict[str, tuple[Literal["info", "warning"], str, str]]
"""Code -> level, English, Chinese; places for facts are in braces."""

_TEMPLATES: Templates = {
    "took_time": ("info", "Took '{column}' as time.", "将“{column}”作为时间列。"),
    "took_pairs": ("info", "Read {count} pairs, by {columns}.", "读取 {count} 对序列，依据 {columns}。"),
    "put_beside": (
        "info",
        "Put {columns} of {source} beside each row, as it last stood by '{time}'; {unseen} rows come before it.",
        "将 {source} 中的 {columns} 按“{time}”取最近一次的值并入各行；其中 {unseen} 行早于其首个值。",
    ),
    "pairs_entangled": (
        "warning",
        "Most pairs share texts with each other, so that no split keeps a text in one part: parts given as files "
        "(--valid, --test) can.",
        "大多数文本对互相共用文本，无法保证同一文本只出现在一个部分；可分别提供文件（--valid、--test）。",
    ),
    "took_time_unit": (
        "info",
        "Read the numbers of '{column}' as time stamps ({unit}).",
        "将“{column}”中的数字读作时间戳（{unit}）。",
    ),
    "no_time": (
        "info",
        "No time column: rows are taken as evenly spaced, in the order of the file.",
        "没有时间列：按文件中的顺序处理各行，并视为等间隔。",
    ),
    "took_group": (
        "info",
        "Took '{column}' as the name of the series: {count} series in one file.",
        "将“{column}”作为序列名称：文件中共有 {count} 个序列。",
    ),
    "took_cluster": (
        "info",
        "Sequences with the same '{column}' belong together.",
        "“{column}”相同的序列归为一组。",
    ),
    "took_target": ("info", "Took {columns} as target.", "将 {columns} 作为预测目标。"),
    "took_no_labels": (
        "info",
        "Left out {columns}: pretraining looks at no labels.",
        "未使用 {columns}：预训练不看标签。",
    ),
    "took_frames": (
        "info",
        "Each row is a picture of {sides} numbers, for the layer frames: {{{options}}}.",
        "每一行是一幅 {sides} 的画面，可用层 frames: {{{options}}}。",
    ),
    "took_anomaly_labels": (
        "info",
        "Took {columns} as labels, which judge the model and say what is usual; it is not an input.",
        "将 {columns} 作为标签，仅用于评估和说明哪些数据属于正常；不作为输入。",
    ),
    "took_features": ("info", "Took {columns} as features.", "将{columns}作为特征。"),
    "took_static": (
        "info",
        "Took {columns} as static: one value a sequence.",
        "将 {columns} 作为静态变量：每个序列只有一个值。",
    ),
    "took_category": ("info", "Took {columns} as categories.", "将 {columns} 作为类别变量。"),
    "took_labels": (
        "info",
        "'{column}' holds several labels a sequence, separated by '|': {count} labels, each learnt as yes or no.",
        "“{column}”中每个序列可有多个以“|”分隔的标签：共 {count} 个标签，逐个判断是否成立。",
    ),
    "took_missing": (
        "warning",
        "{count} values are missing, in {columns}; the policy is '{policy}' (choose with --missing).",
        "{columns} 中共缺失 {count} 个值；处理方式为“{policy}”（可用 --missing 选择）。",
    ),
    "missing_truth": (
        "warning",
        "{count} rows or sequences have no value in the target {columns}; they are neither learnt nor judged.",
        "有 {count} 行（或序列）的目标 {columns} 没有值；这些数据不参与训练和评估。",
    ),
    "dropped_constant": (
        "info",
        "Left out {columns}: the same value everywhere, nothing to learn from.",
        "略去 {columns}：数值恒定，没有可学习的信息。",
    ),
    "dropped_empty": (
        "warning",
        "Left out {columns}: no value at all.",
        "略去 {columns}：整列没有任何数值。",
    ),
    "ignored_text": (
        "info",
        "Left out {columns}: free text or names, too many different values to be categories.",
        "略去 {columns}：自由文本或名称，不同取值过多，不能作为类别。",
    ),
    "ignored_row_number": (
        "info",
        "Left out {columns}: it only counts the rows.",
        "略去 {columns}：只是行号。",
    ),
    "ignored_time": (
        "info",
        "Left out {columns}: time stamps besides the time column.",
        "略去 {columns}：时间列之外的时间戳。",
    ),
    "ignored_level": (
        "info",
        "Left out {columns}: one value a sequence goes in as a static feature only when named with --static.",
        "略去 {columns}：每个序列只有一个值的列需用 --static 指定才会使用。",
    ),
    "newest_first": (
        "info",
        "The file has the newest row first; it was turned round.",
        "文件按从新到旧排列，已反转为从旧到新。",
    ),
    "sorted_rows": ("warning", "The rows were not in time order; they were sorted.", "各行未按时间排序，已重新排序。"),
    "gathered_groups": (
        "info",
        "The rows of a series do not stand together; they were gathered.",
        "同一序列的各行不相邻，已归并到一起。",
    ),
    "regular_time": ("info", "One row every {step}.", "每 {step} 一行。"),
    "time_gaps": (
        "warning",
        "One row every {step}, with {count} gaps where rows are missing; --resample fills them in.",
        "每 {step} 一行，但有 {count} 处缺行；可用 --resample 补齐。",
    ),
    "business_days": (
        "info",
        "One row every business day ({count} of them, such as holidays, have none).",
        "每个工作日一行（其中 {count} 个工作日没有数据，例如节假日）。",
    ),
    "irregular_time": (
        "warning",
        "Time stamps are irregular (typically {step} apart); the time since the previous row is given to the model.",
        "时间戳不等间隔（通常相隔 {step}）；已将距上一行的时间差提供给模型。",
    ),
    "irregular_unused": (
        "warning",
        "Time stamps are irregular (typically {step} apart) and the model is not told; use --resample or --time-delta.",
        "时间戳不等间隔（通常相隔 {step}），但模型并不知道；可用 --resample 或 --time-delta。",
    ),
    "resampled": (
        "info",
        "Resampled to one row every {step} ({how}): {before} rows became {after}, {empty} of them empty.",
        "已重采样为每 {step} 一行（{how}）：{before} 行变为 {after} 行，其中 {empty} 行为空。",
    ),
    "other_step": (
        "warning",
        "The model was trained on one row every {trained}; this file has one every {step}.",
        "模型训练时每 {trained} 一行，而此文件每 {step} 一行。",
    ),
    "calendar": ("info", "Added from the calendar: {columns}.", "加入日历特征：{columns}。"),
    "extra_columns": (
        "info",
        "Columns the model does not know are left out: {columns}.",
        "模型不认识的列已略去：{columns}。",
    ),
    "no_target_column": (
        "info",
        "The target {columns} is not in this file: predictions cannot be compared with the truth.",
        "文件中没有目标列 {columns}：预测无法与真实值比较。",
    ),
    "no_group_column": (
        "warning",
        "The column '{column}' that names the series is not in this file: it is taken as one series.",
        "文件中没有标识序列的列“{column}”：按单个序列处理。",
    ),
    "unseen_categories": (
        "warning",
        "'{column}' has values that training did not see: {columns}; the model treats them all alike.",
        "“{column}”中有训练时未见过的取值：{columns}；模型将它们一律视为“未知”。",
    ),
    "class_absent": (
        "warning",
        "The training part has no example of {columns} of '{column}': the model cannot learn it.",
        "训练部分没有“{column}”的类别 {columns} 的样本：模型无法学习。",
    ),
    "class_balance": ("info", "Classes of '{column}': {shares}.", "“{column}”的类别分布：{shares}。"),
    "class_imbalance": (
        "warning",
        "The classes of '{column}' are unbalanced: {shares}.",
        "“{column}”的类别不均衡：{shares}。",
    ),
    "repeated_sequences": (
        "warning",
        "{count} sequences repeat another one value by value: a split may put copies into two parts.",
        "有 {count} 个序列与其他序列的数值完全相同：划分数据时，同样的序列可能落入两个部分。",
    ),
    "far_value": (
        "warning",
        "'{column}' has the value {value}, and half of its values lie between {low} and {high}: scaled by it, all "
        "others look alike. Correct it, leave the cell empty, or train with --set data.scale=robust.",
        "“{column}”含有数值 {value}，而其半数数值在 {low} 与 {high} 之间：按它缩放后，其余数值将无法区分。"
        "请改正或留空，或使用 --set data.scale=robust 训练。",
    ),
    "rows_as_series": (
        "info",
        "Every row is one series: {count} series, named by '{column}'.",
        "每一行是一个序列：共 {count} 个序列，由“{column}”命名。",
    ),
    "unnamed_rows_as_series": (
        "info",
        "Every row is one series: {count} series.",
        "每一行是一个序列：共 {count} 个序列。",
    ),
}

_SHOWN = 8

_UNITS = {
    "year": "年",
    "month": "个月",
    "week": "周",
    "day": "天",
    "business day": "个工作日",
    "h": "小时",
    "min": "分钟",
    "s": "秒",
}


def step_in_chinese(step: str) -> str:
    """The step between rows, such as ``1 business day``; a bare number has no unit."""
    count, _, unit = step.partition(" ")
    return f"{count} {_UNITS[unit]}" if unit in _UNITS else step


def listed(names: Iterable[object]) -> str:
    """Names in quotes, at most eight of them: ``'a', 'b' and 30 more``."""
    shown = [repr(str(name)) for name in names]
    more = len(shown) - _SHOWN
    return ", ".join(shown) if more <= 0 else f"{', '.join(shown[:_SHOWN])} and {more} more"


def _listed_zh(names: Iterable[object]) -> str:
    shown = [f"“{name}”" for name in names]
    more = len(shown) - _SHOWN
    return "、".join(shown) if more <= 0 else f"{'、'.join(shown[:_SHOWN])} 等 {len(shown)} 个"


def compose(templates: Templates, code: str, facts: dict[str, object]) -> Note:
    """The note ``code`` of ``templates`` with its facts filled in; a list or tuple is written as names."""
    level, english, chinese = templates[code]
    lists = {key: value for key, value in facts.items() if isinstance(value, list | tuple)}
    en = facts | {key: listed(value) for key, value in lists.items()}
    steps = {key: step_in_chinese(str(value)) for key, value in facts.items() if isinstance(value, Rhythm)}
    zh = facts | steps | {key: _listed_zh(value) for key, value in lists.items()}
    return Note(code=code, en=english.format(**en), zh=chinese.format(**zh), level=level)


def say(code: str, **facts: object) -> Note:
    """A note of this room."""
    return compose(_TEMPLATES, code, facts)
