"""What readers tell the user: one template a fact, in both languages."""

from __future__ import annotations

from unrolled.core.records import Note
from unrolled.prepare.wording import Templates, compose

_TEMPLATES: Templates = {
    "delimiter": ("info", "Cells are separated by {mark}.", "单元格以 {mark} 分隔。"),
    "no_header": (
        "info",
        "The first row holds values, not names: the columns are called {columns}.",
        "首行是数值而非列名：各列命名为 {columns}。",
    ),
    "unnamed_columns": (
        "info",
        "Columns without a name are called {columns}.",
        "没有名称的列命名为 {columns}。",
    ),
    "number_style": (
        "info",
        "Numbers of {columns} are not written plainly: {cell} was read as {value}.",
        "{columns} 中的数字书写不规范：{cell} 读作 {value}。",
    ),
    "number_ambiguous": (
        "warning",
        "Numbers of {columns} can be read in two ways: {cell} was read as {value}; the option decimal settles it.",
        "{columns} 中的数字有两种读法：{cell} 读作 {value}；可用选项 decimal 指定小数点。",
    ),
    "true_false": (
        "info",
        "{columns} holds true and false, read as 1 and 0.",
        "{columns} 的取值为 true 和 false，读作 1 和 0。",
    ),
    "time_zone": (
        "info",
        "Time stamps of {columns} name a time zone; they were converted to UTC.",
        "{columns} 的时间戳带有时区，已转换为协调世界时（UTC）。",
    ),
    "date_order": (
        "info",
        "Dates of {columns} are read with the {order} first: {cell} is {value}.",
        "{columns} 的日期按{order_zh}在前读取：{cell} 即 {value}。",
    ),
    "date_order_ambiguous": (
        "warning",
        "Dates of {columns} can be read in two ways; they were read with the {order} first: {cell} is {value}. "
        "The option day_first settles it.",
        "{columns} 的日期有两种读法；已按{order_zh}在前读取：{cell} 即 {value}。可用选项 day_first 指定。",
    ),
    "nested_columns": (
        "warning",
        "Left out {columns}: lists and other nested values are not read.",
        "略去 {columns}：不支持列表等嵌套值。",
    ),
    "memory_map": (
        "info",
        "The numbers take {size} MiB: they are kept in a temporary file, in single precision.",
        "数值共 {size} MiB：以单精度保存在临时文件中。",
    ),
    "precision": (
        "warning",
        "{columns} holds numbers that single precision rounds, such as {value}.",
        "{columns} 含有单精度无法精确表示的数字，例如 {value}。",
    ),
    "padding": (
        "info",
        "Missing values at the end of {count} series were taken as padding: the series differ in length.",
        "{count} 个序列末尾的缺失值视为填充：各序列长度不同。",
    ),
    "ucr_layout": (
        "info",
        "Read as the UCR archive writes it: a series a row, label first (format='csv' reads a plain table).",
        "按 UCR 数据集格式读取：每行一个序列，首列为标签（用 format='csv' 可按普通表格读取）。",
    ),
    "clicks_layout": (
        "info",
        "Read as a file of clicks: session, time, item, category (format='csv' reads a plain table).",
        "按点击记录读取：会话、时间、商品、类目（用 format='csv' 可按普通表格读取）。",
    ),
    "no_rul_file": (
        "warning",
        "{name} is not beside this file: the remaining useful life of the test engines is not known.",
        "缺少配套文件 {name}：测试发动机的剩余寿命未知。",
    ),
    "lead": ("info", "Read lead {lead} of {leads}.", "读取导联 {lead}（共有 {leads}）。"),
    "sound": (
        "info",
        "Recordings at {rate} Hz: {bands} log mel energies of {frame} ms every {hop} ms.",
        "录音采样率 {rate} Hz：每 {hop} 毫秒取一帧 {frame} 毫秒的 {bands} 维对数梅尔能量。",
    ),
    "sound_samples": ("info", "Recordings at {rate} Hz, sample by sample.", "录音采样率 {rate} Hz，逐个样本读取。"),
    "channels_mixed": (
        "info",
        "{count} recordings have several channels; their mean was taken.",
        "{count} 段录音有多个声道，已取平均。",
    ),
    "short_recordings": (
        "warning",
        "{count} recordings shorter than one frame step were left out, {name} among them.",
        "有 {count} 段录音短于一个帧移，已略去，例如 {name}。",
    ),
    "strange_names": (
        "warning",
        "The names of {count} recordings do not follow {pattern}, {name} among them: nothing is known of them.",
        "有 {count} 段录音的文件名不符合 {pattern}（例如 {name}），因此没有相应信息。",
    ),
    "label_folders": (
        "info",
        "The recordings of each folder have its name as label.",
        "以所在文件夹的名称作为录音的标签。",
    ),
    "padded_beats": (
        "info",
        "Where a beat stands near an end of its recording, the signal's last value is repeated.",
        "心搏靠近记录起止处时，不足部分以信号端点值补齐。",
    ),
}


def say(code: str, **facts: object) -> Note:
    """A note of this room."""
    return compose(_TEMPLATES, code, facts)
