"""What is said of gradients, gates, units and weights."""

from __future__ import annotations

from unrolled.core.diagnosis import Said

_NOTHING = ("", "")

SAID: dict[str, Said] = {
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
    "gradient_by_layer": (
        (
            "Of all layers {largest} has the largest gradient, {ratio:.3g} times that of {least}.",
            "各层中 {largest} 的梯度最大，为 {least} 的 {ratio:.3g} 倍。",
        ),
        _NOTHING,
        _NOTHING,
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
    "forgot_at_once": (
        (
            "{part} forgot at once when training began: {start:.1%} of it passed to the next step, and now {kept:.1%}.",
            "训练开始时 {part} 立即遗忘：每一步仅保留 {start:.1%}；现在为 {kept:.1%}。",
        ),
        ("The gate that keeps the state began closed.", "保持状态的门在开始时处于关闭状态。"),
        (
            "Start the forget bias at 1 (initial: {{forget: 1}}); training had to open the gate first.",
            "将遗忘偏置初始化为 1（initial: {{forget: 1}}）；训练不得不先打开该门。",
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
            "Start from orthogonal recurrent weights (initial: {{recurrent: orthogonal}}); check weights that were "
            "loaded.",
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
            "同样大小、未经训练的网络在该数据上可回溯：RNN {rnn:.0f} 步，LSTM {lstm:.0f} 步，"
            "GRU {gru:.0f} 步（共 {steps:.0f} 步）。",
        ),
        _NOTHING,
        _NOTHING,
    ),
}
