"""By the amount of data, and what to do in doubt."""

from __future__ import annotations

from unrolled.advise.rules.rule import Bound, Rule

RULES = (
    Rule(
        "small_data",
        "amount",
        when=(Bound("samples", "<", 100_000),),
        advice=("GRU.", "使用 GRU。"),
        reason=(
            "Three quarters of the weights of an LSTM of the same width: less to learn from little.",
            "同样宽度下权重只有 LSTM 的四分之三：数据少时更容易学习。",
        ),
        source="practical guides; Cho et al. 2014, Chung et al. 2014",
        answers={"cell": "gru"},
    ),
    Rule(
        "large_data",
        "amount",
        when=(Bound("samples", "≥", 100_000),),
        advice=("LSTM.", "使用 LSTM。"),
        reason=(
            "Where data is plenty, the additional gate and state can be learnt and pay.",
            "数据充足时，多出的门与状态可以学好并带来收益。",
        ),
        source="practical guides; Jozefowicz et al. 2015, Greff et al. 2017",
        answers={"cell": "lstm"},
    ),
    Rule(
        "in_doubt_gru",
        "amount",
        when=(),
        advice=("In doubt start with a GRU.", "没有把握时先用 GRU。"),
        reason=("It trains faster and is as accurate more often than not.", "训练更快，且多数情况下精度相当。"),
        source="one practical guide (another says the opposite, see in_doubt_lstm)",
        answers={"cell": "gru"},
    ),
    Rule(
        "in_doubt_lstm",
        "amount",
        when=(),
        advice=("In doubt start with an LSTM.", "没有把握时先用 LSTM。"),
        reason=("It is the safer choice where long memory may matter.", "可能需要长记忆时更稳妥。"),
        source="another practical guide (see in_doubt_gru)",
        answers={"cell": "lstm"},
    ),
)
