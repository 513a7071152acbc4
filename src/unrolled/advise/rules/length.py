"""By the length of sequences: how many steps one answer reads."""

from __future__ import annotations

from unrolled.advise.rules.rule import Bound, Rule

RULES = (
    Rule(
        "short_sequences",
        "length",
        when=(Bound("length", "<", 50),),
        advice=("GRU, with attention over its steps.", "使用 GRU，并对各步加注意力。"),
        reason=(
            "Over so few steps the separate memory of an LSTM has little to keep; a GRU has fewer weights to learn.",
            "步数很少时，LSTM 单独的记忆单元作用有限，而 GRU 需要学习的权重更少。",
        ),
        source="practical guides; Chung et al. 2014 (GRU and LSTM on a par), Bahdanau et al. 2015 (attention)",
        answers={"cell": "gru", "attention": "yes", "depth": "one"},
    ),
    Rule(
        "middle_sequences",
        "length",
        when=(Bound("length", "≥", 50), Bound("length", "≤", 200)),
        advice=("LSTM, or a shallow stack of two.", "使用 LSTM，或两层的浅层堆叠。"),
        reason=(
            "The cell state carries what is needed over tens of steps; a second layer reads what the first made.",
            "细胞状态可在数十步内传递信息；第二层在第一层的结果上继续阅读。",
        ),
        source="practical guides; Graves et al. 2013 (depth in recurrent nets)",
        answers={"cell": "lstm", "depth": "two"},
    ),
    Rule(
        "long_sequences",
        "length",
        when=(Bound("length", ">", 100),),
        advice=("LSTM.", "使用 LSTM。"),
        reason=(
            "A state that is added to, not overwritten, lets the gradient reach back over hundreds of steps.",
            "累加而非覆盖的状态使梯度能回传数百步。",
        ),
        source="practical guides; Hochreiter & Schmidhuber 1997",
        answers={"cell": "lstm"},
    ),
    Rule(
        "very_long_sequences",
        "length",
        when=(Bound("length", ">", 200),),
        advice=(
            "Deep LSTM with residual connections, and attention to help.",
            "使用带残差连接的深层 LSTM，并辅以注意力。",
        ),
        reason=(
            "Depth reads longer stretches, a way around each layer keeps the gradient, attention shortens the way to "
            "early steps.",
            "深度可覆盖更长的片段，残差保持梯度，注意力缩短到早期步骤的路径。",
        ),
        source="practical guides; He et al. 2016, Kim et al. 2017 (residual LSTM), Bahdanau et al. 2015",
        answers={"cell": "lstm", "depth": "deep", "attention": "yes"},
    ),
)
