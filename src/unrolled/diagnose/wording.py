"""What a diagnosis says: for each finding what was seen, why it may be so, and what to do, in both languages.

Figures are put in by name.
"""

from __future__ import annotations

from collections.abc import Sequence

from unrolled.core.diagnosis import Example, Finding, Level, Said, worded
from unrolled.core.records import BarPicture, CurvePicture
from unrolled.train.wording import SAID

_NOTHING = ("", "")

_SAID: dict[str, Said] = {
    **SAID,
    "gradient_reaches": (
        ("The loss reaches back {reach:.0f} of {steps:.0f} steps.", "损失可回溯 {reach:.0f} 步（共 {steps:.0f} 步）。"),
        _NOTHING,
        _NOTHING,
    ),
    "vanishing_gradient": (
        (
            "The gradient vanishes: it falls below 1 % of its largest value within {reach:.0f} of {steps:.0f} steps.",
            "梯度消失：在 {steps:.0f} 步中仅 {reach:.0f} 步内梯度不低于最大值的 1%。",
        ),
        (
            "Recurrent weights that shrink the state, or a forget gate that is closed.",
            "循环权重使状态收缩，或遗忘门处于关闭状态。",
        ),
        (
            "Use a gated cell (gru, lstm), a forget bias of 1, orthogonal recurrent weights, or attention.",
            "使用带门控的单元（gru、lstm）、遗忘偏置 1、正交循环权重，或注意力。",
        ),
    ),
    "exploding_gradient": (
        (
            "The gradient explodes: {growth:.3g} times larger far back than at the last step.",
            "梯度爆炸：远处的梯度是最后一步的 {growth:.3g} 倍。",
        ),
        ("Recurrent weights that stretch the state.", "循环权重使状态放大。"),
        (
            "Clip gradients (clip_norm: 1.0), lower the learning rate, start from orthogonal recurrent weights.",
            "裁剪梯度（clip_norm: 1.0）、降低学习率、使用正交初始化的循环权重。",
        ),
    ),
    "gates_move": (
        ("All gates move; none is stuck.", "所有门均在变化，没有卡住的门。"),
        _NOTHING,
        _NOTHING,
    ),
    "gate_stuck": (
        (
            "Gate {gate} is {side}: {share:.0%} of its values lie at that end.",
            "门 {gate} {side_zh}：{share:.0%} 的取值处于该端。",
        ),
        ("Its bias or its weights have grown too large.", "其偏置或权重过大。"),
        (
            "Look at the initial bias, lower the learning rate, add weight decay, scale the inputs.",
            "检查初始偏置，降低学习率，加入权重衰减，并缩放输入。",
        ),
    ),
    "memory_held": (
        (
            "What {part} holds lasts {median:.3g} steps in the median unit, {longest:.3g} in the longest.",
            "{part} 的记忆：中位单元保持 {median:.3g} 步，最长 {longest:.3g} 步。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "forgets_at_once": (
        (
            "{part} forgets at once: {kept:.1%} of it passes to the next step.",
            "{part} 立即遗忘：每一步仅保留 {kept:.1%}。",
        ),
        (
            "The gate that keeps the state is closed, such as by a bias far below 0.",
            "保持状态的门处于关闭状态（例如偏置远小于 0）。",
        ),
        (
            "Start the forget bias at 1 (initial: {{forget: 1}}); check weights that were loaded.",
            "将遗忘偏置初始化为 1（initial: {{forget: 1}}），并检查所载入的权重。",
        ),
    ),
    "units_alive": (
        ("{alive:.0%} of the {units:.0f} units are at work.", "{units:.0f} 个单元中有 {alive:.0%} 在工作。"),
        _NOTHING,
        _NOTHING,
    ),
    "dead_units": (
        (
            "{dead:.0%} of the {units:.0f} units are dead: they never change.",
            "{units:.0f} 个单元中有 {dead:.0%} 已失效：输出从不变化。",
        ),
        ("Weights at zero, a rectifier that is always off, or saturation.", "权重为零、整流单元始终关闭，或饱和。"),
        ("Train anew with a lower learning rate, or use fewer units.", "以更低的学习率重新训练，或减少单元数。"),
    ),
    "units_alike": (
        (
            "{twins:.0%} of the {units:.0f} units repeat another one.",
            "{units:.0f} 个单元中有 {twins:.0%} 与其他单元重复。",
        ),
        ("More units than the data asks for, or equal initial weights.", "单元数超过数据所需，或初始权重相同。"),
        ("Use fewer units, or prune.", "减少单元数，或进行剪枝。"),
    ),
    "state_saturated": (
        ("{share:.0%} of the outputs lie at the ends of their range.", "{share:.0%} 的输出位于取值范围的两端。"),
        (
            "Recurrent or input weights that are too large, or inputs that are not scaled.",
            "循环权重或输入权重过大，或输入未缩放。",
        ),
        (
            "Scale the inputs, lower the gain of initial weights and the learning rate.",
            "缩放输入，降低初始权重增益与学习率。",
        ),
    ),
    "contracting": (
        (
            "The state is stable: two states come together by a factor e every {constant:.3g} steps "
            "(largest Lyapunov exponent {exponent:.3f}).",
            "状态稳定：两条轨迹每 {constant:.3g} 步靠近 e 倍（最大李雅普诺夫指数 {exponent:.3f}）。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "edge_of_chaos": (
        (
            "The state is at the edge of chaos: it keeps what it is given (largest Lyapunov exponent {exponent:.3f}).",
            "状态处于混沌边缘，能长期保持信息（最大李雅普诺夫指数 {exponent:.3f}）。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "chaotic": (
        (
            "The state is chaotic: a small change doubles every {doubling:.3g} steps "
            "(largest Lyapunov exponent {exponent:.3f}).",
            "状态混沌：微小扰动每 {doubling:.3g} 步翻倍（最大李雅普诺夫指数 {exponent:.3f}）。",
        ),
        ("Recurrent weights that stretch the state.", "循环权重使状态放大。"),
        (
            "Lower the gain of the recurrent weights (orthogonal start), add weight decay, clip gradients.",
            "降低循环权重增益（正交初始化），加入权重衰减，并裁剪梯度。",
        ),
    ),
    "learned": (
        ("Training went down to {share:.1%} of its first loss.", "训练损失降至初始值的 {share:.1%}。"),
        _NOTHING,
        _NOTHING,
    ),
    "not_learning": (
        (
            "Training does not learn: the last loss is {share:.1%} of the first one.",
            "训练没有学到东西：最后的损失为最初的 {share:.1%}。",
        ),
        (
            "A learning rate that is far too high or too low, or inputs without information.",
            "学习率过高或过低，或输入不含信息。",
        ),
        (
            "Try a tenth of the learning rate, then ten times; check the inputs.",
            "尝试十分之一与十倍的学习率，并检查输入。",
        ),
    ),
    "diverging": (
        (
            "Training diverges: the last loss is {rise:.3g} times the best one.",
            "训练发散：最后的损失是最好时的 {rise:.3g} 倍。",
        ),
        ("A learning rate that is too high.", "学习率过高。"),
        ("Divide the learning rate by ten, clip gradients.", "将学习率除以十，并裁剪梯度。"),
    ),
    "overfitting": (
        (
            "Over-fitting: the loss on the validation part rose to {rise:.3g} times its best while training went on.",
            "过拟合：训练继续时验证损失升至最好时的 {rise:.3g} 倍。",
        ),
        ("More parameters than the data can bind.", "参数过多，数据不足以约束。"),
        (
            "The best epoch was kept. Use dropout, weight decay, a smaller net or more data.",
            "已保留最佳轮。可使用 dropout、权重衰减、更小的网络或更多数据。",
        ),
    ),
    "order_matters": (
        (
            "Order matters: with the steps of each sequence shuffled the loss is {ratio:.3g} times as large.",
            "顺序有用：打乱每个序列的步后，损失为原来的 {ratio:.3g} 倍。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "order_unused": (
        (
            "Order is not used: with the steps of each sequence shuffled the loss stays the same ({ratio:.3g} times).",
            "顺序未被利用：打乱每个序列的步后，损失不变（{ratio:.3g} 倍）。",
        ),
        (
            "The rows are not in the order of time, or the answer does not depend on order.",
            "数据行未按时间排列，或答案与顺序无关。",
        ),
        (
            "Check that the file is sorted by time; a net without recurrence may do as well.",
            "检查文件是否按时间排序；没有循环的网络可能同样好。",
        ),
    ),
    "steps_shuffled": (
        (
            "The steps look as if they stood in random order: a step is no more like the one before than like any "
            "other (roughness {roughness:.2f}; 1 is random).",
            "步的顺序看似随机：相邻两步并不比任意两步更相似（粗糙度 {roughness:.2f}；1 为随机）。",
        ),
        ("The rows of the file are not in the order of time.", "文件的行未按时间排列。"),
        (
            "Sort the file by time within each sequence; where there is truly no order, a net without recurrence will do.",
            "将每个序列按时间排序；若确实没有顺序，不带循环的网络即可。",
        ),
    ),
    "gain_usual": (
        ("The recurrent weights have a usual gain of {gain:.2g}.", "循环权重的增益正常：{gain:.2g}。"),
        _NOTHING,
        _NOTHING,
    ),
    "gain_low": (
        (
            "The recurrent weights are weak: gain {worst}; 1 carries the state on as it is.",
            "循环权重过弱：增益 {worst}；1 表示状态原样传递。",
        ),
        ("An initial gain that is too small.", "初始增益过小。"),
        (
            "Start from orthogonal recurrent weights (initial: {{recurrent: orthogonal}}); check weights that were loaded.",
            "使用正交初始化的循环权重（initial: {{recurrent: orthogonal}}），并检查所载入的权重。",
        ),
    ),
    "gain_high": (
        (
            "The recurrent weights are strong: gain {worst}; 1 carries the state on as it is.",
            "循环权重过强：增益 {worst}；1 表示状态原样传递。",
        ),
        (
            "An initial gain that is too large, or a learning rate that let the weights grow.",
            "初始增益过大，或学习率使权重增长过多。",
        ),
        (
            "Start from orthogonal recurrent weights, lower the learning rate, add weight decay.",
            "使用正交初始化的循环权重，降低学习率，并加入权重衰减。",
        ),
    ),
    "edge_gain": (
        (
            "The state would neither fade nor grow on this data with recurrent weights {factor:.2g} times as large, "
            "a gain of {gain:.2g}.",
            "若循环权重为现在的 {factor:.2g} 倍（增益 {gain:.2g}），状态在该数据上既不衰减也不增长。",
        ),
        _NOTHING,
        (
            "A hint for the initial gain, where the memory is to be longer or a start is to be steadier.",
            "可作为初始增益的参考，用于延长记忆或使训练开始更稳定。",
        ),
    ),
    "cells_compared": (
        (
            "Untrained, on this data and of this size, an RNN reaches back {rnn:.0f} of {steps:.0f} steps, "
            "an LSTM {lstm:.0f}, a GRU {gru:.0f}.",
            "同样大小、未经训练的网络在该数据上可回溯：RNN {rnn:.0f} 步，LSTM {lstm:.0f} 步，GRU {gru:.0f} 步（共 {steps:.0f} 步）。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "inputs_used": (
        (
            "The answers rest most on {first} ({share:.0%} of all contributions); 90 % come from the last "
            "{reached:.0f} of {steps:.0f} steps.",
            "答案主要依据 {first}（占全部贡献的 {share:.0%}）；90% 的贡献来自最后 {reached:.0f} 步（共 {steps:.0f} 步）。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "inputs_idle": (
        (
            "The answers rest most on {first} ({share:.0%} of all contributions); 90 % come from the last "
            "{reached:.0f} of {steps:.0f} steps. {idle:.0f} inputs are hardly used: {unused}.",
            "答案主要依据 {first}（占全部贡献的 {share:.0%}）；90% 的贡献来自最后 {reached:.0f} 步（共 {steps:.0f} 步）。"
            "有 {idle:.0f} 个输入几乎未被使用：{unused}。",
        ),
        _NOTHING,
        ("A net without these inputs may do as well (--features).", "去掉这些输入的网络可能同样好（--features）。"),
    ),
    "attention_chooses": (
        (
            "Attention chooses: its weight is spread as over {share:.0%} of the steps, and highest {peak:.0f} steps "
            "before the end.",
            "注意力有所选择：权重相当于分布在 {share:.0%} 的步上，最大处距末尾 {peak:.0f} 步。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "attention_flat": (
        ("Attention does not choose: all steps have the same weight.", "注意力没有选择：各步权重相同。"),
        ("It has not been trained long enough, or steps matter alike.", "训练不足，或各步同等重要。"),
        (
            "Train longer, or use pool: {{kind: mean}}, which costs less.",
            "延长训练，或使用更省的 pool: {{kind: mean}}。",
        ),
    ),
    "underfitting": (
        (
            "Under-fitting: the training loss is still at {share:.0%} of its first value and still falls, "
            "by {fall:.1%} in the last quarter.",
            "欠拟合：训练损失仍为初始值的 {share:.0%}，且仍在下降（最后四分之一下降 {fall:.1%}）。",
        ),
        ("Training that ended too soon, or a net that is too small.", "训练过早结束，或网络过小。"),
        ("Train for more epochs, then try more units.", "增加训练轮数，然后尝试更多单元。"),
    ),
    "rate_in_range": (
        (
            "The learning rate {own:.2g} lies in the range that learns: the loss is lowest at {lowest:.2g} and falls "
            "fastest at {steepest:.2g}; a tenth of the former, {chosen:.2g}, is the usual choice.",
            "学习率 {own:.2g} 处于有效范围：损失在 {lowest:.2g} 处最低，在 {steepest:.2g} 处下降最快；通常取前者的十分之一 {chosen:.2g}。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "rate_above_range": (
        (
            "The learning rate {own:.2g} is above the range that learns: the loss is lowest at {lowest:.2g} and rises "
            "beyond.",
            "学习率 {own:.2g} 高于有效范围：损失在 {lowest:.2g} 处最低，之后上升。",
        ),
        ("The learning rate is too high.", "学习率过高。"),
        ("Use learning_rate: {chosen:.2g}.", "使用 learning_rate: {chosen:.2g}。"),
    ),
    "rate_below_range": (
        (
            "The learning rate {own:.2g} is far below the range that learns: the loss is lowest at {lowest:.2g}.",
            "学习率 {own:.2g} 远低于有效范围：损失在 {lowest:.2g} 处最低。",
        ),
        ("The learning rate is too low.", "学习率过低。"),
        ("Use learning_rate: {chosen:.2g}.", "使用 learning_rate: {chosen:.2g}。"),
    ),
    "worst_examples": (
        (
            "The {count:.0f} samples with the largest loss make {share:.0%} of it; the worst one has {times:.2g} times "
            "the mean.",
            "损失最大的 {count:.0f} 个样本占总损失的 {share:.0%}；最差者为平均值的 {times:.2g} 倍。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "labels_agree": (
        (
            "No label is suspect among {samples:.0f} samples (confident learning).",
            "{samples:.0f} 个样本中没有可疑标签（置信学习）。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "label_suspects": (
        (
            "{count:.0f} of {samples:.0f} labels are suspect (confident learning): the net is as sure of another class "
            "as it usually is of that class.",
            "{samples:.0f} 个标签中有 {count:.0f} 个可疑（置信学习）：网络对另一类别的把握与其对该类的通常把握相当。",
        ),
        ("Wrong labels, or samples that are hard.", "标签有误，或样本困难。"),
        ("Look at them, the first ones first.", "请逐一检查，排在前面的优先。"),
    ),
    "no_leak": (
        ("No single input gives the answer away.", "没有单个输入直接泄露答案。"),
        _NOTHING,
        _NOTHING,
    ),
    "leaked_target": (
        (
            "Input {column} gives the answer away: alone it explains {share:.2%} of it.",
            "输入 {column} 泄露了答案：单独即可解释 {share:.2%}。",
        ),
        ("The column holds the target, or was made from it.", "该列即目标，或由目标计算得出。"),
        (
            "Remove the column (--features), or check when it becomes known.",
            "去掉该列（--features），或确认其何时可知。",
        ),
    ),
}


def finding(
    code: str,
    level: Level,
    *,
    probe: str,
    place: str = "",
    figures: dict[str, float] | None = None,
    pictures: Sequence[CurvePicture | BarPicture] = (),
    examples: Sequence[Example] = (),
    **words: str,
) -> Finding:
    """A finding in both languages; ``figures`` and ``words`` fill its sentences."""
    return worded(
        _SAID, code, level, probe=probe, place=place, figures=figures, pictures=pictures, examples=examples, **words
    )
