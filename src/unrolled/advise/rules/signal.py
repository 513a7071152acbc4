"""By what the signal is like: noise, holes, irregular times, drift, rare classes."""

from __future__ import annotations

from unrolled.advise.rules.rule import Among, Bound, Rule

RULES = (
    Rule(
        "noisy_sensors",
        "signal",
        when=(Bound("noise", "≥", 0.2),),
        advice=(
            "LSTM with dropout of 0.3 to 0.5 and a weight decay of 1e-4.",
            "使用 LSTM，dropout 取 0.3 至 0.5，L2 取 1e-4。",
        ),
        reason=(
            "A large net learns noise by heart; dropout and decay keep it from that.",
            "较大的网络会记住噪声；dropout 与权重衰减可以防止。",
        ),
        source="practical guides; Zaremba et al. 2014 (dropout in LSTM)",
        answers={"cell": "lstm", "regularisation": "strong"},
    ),
    Rule(
        "clean_signal",
        "signal",
        when=(Bound("noise", "<", 0.02),),
        advice=("A plain GRU or LSTM.", "使用普通的 GRU 或 LSTM。"),
        reason=(
            "There is little noise to learn by heart, so strong regularisation only slows training.",
            "几乎没有可被记住的噪声，强正则化只会拖慢训练。",
        ),
        source="practical guides",
        answers={"regularisation": "light"},
    ),
    Rule(
        "missing_values",
        "signal",
        when=(Bound("missing", "≥", 0.05),),
        advice=("GRU-D.", "使用 GRU-D。"),
        reason=(
            "What was last seen fades to the mean, and so does the state; where values are missing is itself a sign.",
            "最近一次观测与状态随时间衰减；缺失的位置本身也是信息。",
        ),
        source="practical guides; Che et al. 2018",
        answers={"cell": "gru_d"},
    ),
    Rule(
        "irregular_times",
        "signal",
        when=(Bound("irregular", "≥", 1),),
        advice=("GRU-D, which reads the time between rows.", "使用 GRU-D，它会读取行间隔。"),
        reason=(
            "A cell that counts rows takes a second and a month for the same.",
            "只按行计步的单元会把一秒和一个月视为相同。",
        ),
        source="practical guides; Che et al. 2018",
        answers={"cell": "gru_d"},
    ),
    Rule(
        "drifting_level",
        "signal",
        when=(Among("task", ("forecast",)), Bound("not_stationary", "≥", 0.5)),
        advice=("Measure each window from its own level (window_norm).", "每个窗口以自身水平为基准（window_norm）。"),
        reason=(
            "A net extrapolates badly to levels it was not trained on.",
            "网络难以外推到训练中未见过的水平。",
        ),
        source="Kim et al. 2022 (RevIN), Zeng et al. 2023 (NLinear)",
        answers={"level": "window"},
    ),
    Rule(
        "rare_classes",
        "signal",
        when=(Among("task", ("classify",)), Bound("imbalance", "≥", 10)),
        advice=("Weigh rare classes more in the loss.", "在损失中提高稀有类别的权重。"),
        reason=(
            "Otherwise the loss is nearly the same with the rare classes left out.",
            "否则忽略稀有类别几乎不影响损失。",
        ),
        source="King & Zeng 2001; Cui et al. 2019",
        answers={"weights": "root"},
    ),
)
