"""What is said of training, order, leaks, inputs and samples."""

from __future__ import annotations

from unrolled.core.diagnosis import Said

_NOTHING = ("", "")

SAID: dict[str, Said] = {
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
            "Training diverges: it lost {lost:.0%} of what it had learnt again.",
            "训练发散：已学到的内容又失去了 {lost:.0%}。",
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
            "Sort the file by time within each sequence; where there is truly no order, a net without recurrence "
            "will do.",
            "将每个序列按时间排序；若确实没有顺序，不带循环的网络即可。",
        ),
    ),
    "inputs_used": (
        (
            "The answers rest most on {first} ({share:.0%} of all contributions); 90 % come from the last "
            "{reached:.0f} of {steps:.0f} steps.",
            "答案主要依据 {first}（占全部贡献的 {share:.0%}）；"
            "90% 的贡献来自最后 {reached:.0f} 步（共 {steps:.0f} 步）。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "inputs_idle": (
        (
            "The answers rest most on {first} ({share:.0%} of all contributions); 90 % come from the last "
            "{reached:.0f} of {steps:.0f} steps. {idle:.0f} inputs are hardly used: {unused}.",
            "答案主要依据 {first}（占全部贡献的 {share:.0%}）；"
            "90% 的贡献来自最后 {reached:.0f} 步（共 {steps:.0f} 步）。"
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
    "steps_look": (
        (
            "Self-attention looks {distance:.3g} steps away on average; its weight is spread as over {share:.0%} of "
            "the steps that it may see.",
            "自注意力平均关注 {distance:.3g} 步之外；权重相当于分布在可见步的 {share:.0%} 上。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "steps_look_alike": (
        (
            "Self-attention does not choose: each step looks at all others alike.",
            "自注意力没有选择：每一步对其他各步的关注相同。",
        ),
        ("It has not been trained long enough, or steps matter alike.", "训练不足，或各步同等重要。"),
        ("Train longer, or leave the layer out: a mean costs less.", "延长训练，或去掉该层：取平均更省。"),
    ),
    "decoder_looks": (
        (
            "The decoder looks {distance:.3g} steps back on average; its weight is spread as over {share:.0%} of the "
            "steps read.",
            "解码器平均回看 {distance:.3g} 步；权重相当于分布在已读步的 {share:.0%} 上。",
        ),
        _NOTHING,
        _NOTHING,
    ),
    "decoder_looks_alike": (
        (
            "The decoder's attention does not choose: it looks at all steps alike.",
            "解码器的注意力没有选择：对各步的关注相同。",
        ),
        ("It has not been trained long enough, or steps matter alike.", "训练不足，或各步同等重要。"),
        (
            "Train longer, or use decoder: {{attention: null}}, which costs less.",
            "延长训练，或使用更省的 decoder: {{attention: null}}。",
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
            "学习率 {own:.2g} 处于有效范围：损失在 {lowest:.2g} 处最低，在 {steepest:.2g} 处下降最快；"
            "通常取前者的十分之一 {chosen:.2g}。",
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
    "labels_unjudged": (
        (
            "The net is too unsure to judge labels: it would doubt {count:.0f} of {samples:.0f}.",
            "网络把握不足，无法判断标签：它会怀疑 {samples:.0f} 个中的 {count:.0f} 个。",
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
