"""By the place where the model will run, and how fast it must answer."""

from __future__ import annotations

from unrolled.advise.rules.rule import Among, Bound, Rule

RULES = (
    Rule(
        "mobile",
        "device",
        when=(Among("device", ("watch", "phone")),),
        advice=("GRU, with weights of 8 bits.", "使用 GRU，并将权重量化为 8 位。"),
        reason=(
            "Fewer weights to hold and to multiply; 8 bits take a quarter of the room of 32.",
            "需要存储和相乘的权重更少；8 位只占 32 位的四分之一。",
        ),
        source="practical guides; Jacob et al. 2018 (int8)",
        answers={"cell": "gru", "precision": "int8"},
    ),
    Rule(
        "compute_bound",
        "device",
        when=(Bound("latency_ms", "<", 10),),
        advice=("Depthwise-separable convolutions in front.", "前端使用深度可分离卷积。"),
        reason=("D (K + C) products a step in the place of D K C.", "每步乘法由 D K C 降为 D (K + C)。"),
        source="practical guides; Howard et al. 2017",
        answers={"convolution": "separable"},
    ),
    Rule(
        "ample_resources",
        "device",
        when=(Among("device", ("server", "gpu")),),
        advice=(
            "A hybrid: convolutions, a recurrent layer, attention.",
            "使用混合结构：卷积、循环层与注意力。",
        ),
        reason=(
            "Short shapes, order and distant relations each have the layer that finds them best.",
            "短时形状、顺序和远距离关系各由最合适的层处理。",
        ),
        source="practical guides; Karim et al. 2018 (LSTM-FCN)",
        answers={"hybrid": "yes", "attention": "yes"},
    ),
    Rule(
        "low_latency",
        "device",
        when=(Bound("latency_ms", "≤", 20),),
        advice=("GRU.", "使用 GRU。"),
        reason=("Three products of a step in the place of four.", "每步三次矩阵乘法，而非四次。"),
        source="practical guides; Cho et al. 2014",
        answers={"cell": "gru"},
    ),
    Rule(
        "streaming",
        "device",
        when=(Among("need", ("streaming",)),),
        advice=("Nothing bidirectional, no pooling over the future.", "不使用双向层，也不对未来做池化。"),
        reason=(
            "A layer that reads from the end must wait for it; what runs step by step answers at once.",
            "从末尾读取的层必须等到序列结束；逐步运行的网络可立即回答。",
        ),
        source="practical guides; Schuster & Paliwal 1997 (bidirectional nets need the whole sequence)",
        answers={"direction": "forward"},
    ),
)
