"""By what the model is for."""

from __future__ import annotations

from unrolled.advise.rules.rule import Among, Bound, Rule

RULES = (
    Rule(
        "generation",
        "purpose",
        when=(Among("need", ("generation",)),),
        advice=("Deep LSTM with attention.", "使用带注意力的深层 LSTM。"),
        reason=(
            "What is written must agree with what was written long before.",
            "生成的内容需与很早之前的内容一致。",
        ),
        source="practical guides; Sutskever et al. 2014, Bahdanau et al. 2015",
        answers={"cell": "lstm", "depth": "deep", "attention": "yes"},
    ),
    Rule(
        "classification",
        "purpose",
        when=(Among("task", ("classify",)),),
        advice=("GRU with average pooling.", "使用 GRU 加平均池化。"),
        reason=(
            "The label belongs to the whole sequence; a mean over the steps hears all of them.",
            "标签属于整个序列；对各步取平均能兼顾全部。",
        ),
        source="practical guides",
        answers={"cell": "gru", "pooling": "mean"},
    ),
    Rule(
        "several_modalities",
        "purpose",
        when=(Bound("modalities", "≥", 2),),
        advice=("A stream for each kind of input, joined late.", "每种输入各用一路，后期融合。"),
        reason=(
            "Each kind has its own scale and pace, and one kind does not drown the other.",
            "各类输入有各自的尺度和节奏，不会互相淹没。",
        ),
        source="practical guides; Simonyan & Zisserman 2014 (two streams)",
        answers={"streams": "two"},
    ),
    Rule(
        "memory_control",
        "purpose",
        when=(Among("need", ("memory",)),),
        advice=("LSTM.", "使用 LSTM。"),
        reason=(
            "Input, forget and output gate decide separately what is stored, kept and shown.",
            "输入门、遗忘门与输出门分别决定写入、保留与输出。",
        ),
        source="practical guides; Gers et al. 2000 (forget gate)",
        answers={"cell": "lstm"},
    ),
)
