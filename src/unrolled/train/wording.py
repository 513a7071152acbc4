"""What a look inside the net during training warns of, with cause and action, in both languages."""

from __future__ import annotations

from unrolled.core.diagnosis import Finding, Said, worded

SAID: dict[str, Said] = {
    "learning_rate_high": (
        (
            "A step changes the weights by {ratio:.2g} of their own size; 0.001 is usual.",
            "每一步使权重改变其自身大小的 {ratio:.2g}；通常为 0.001。",
        ),
        ("The learning rate is too high.", "学习率过高。"),
        ("Divide it by ten: learning_rate: {rate:.2g}.", "将其除以十：learning_rate: {rate:.2g}。"),
    ),
    "learning_rate_low": (
        (
            "A step changes the weights by only {ratio:.2g} of their own size; 0.001 is usual.",
            "每一步仅使权重改变其自身大小的 {ratio:.2g}；通常为 0.001。",
        ),
        ("The learning rate is too low, or the gradient vanishes.", "学习率过低，或梯度消失。"),
        (
            "Try ten times as much: learning_rate: {rate:.2g}; look at unrolled diagnose.",
            "尝试十倍：learning_rate: {rate:.2g}；并查看 unrolled diagnose。",
        ),
    ),
    "units_die": (
        (
            "{dead:.0%} of the recurrent units never change any more.",
            "{dead:.0%} 的循环单元已不再变化。",
        ),
        (
            "Biases or weights that hold a gate or an activation at one end, such as after too large a step.",
            "偏置或权重使门或激活停在一端，例如步长过大之后。",
        ),
        (
            "Lower the learning rate and check the initial biases; otherwise use fewer units.",
            "降低学习率并检查初始偏置；否则减少单元数。",
        ),
    ),
    "loss_spikes": (
        (
            "The loss jumped far above its usual spread {spikes:.0f} times in one epoch.",
            "一轮之内损失有 {spikes:.0f} 次远超其通常的波动。",
        ),
        ("Single unusual samples, or a learning rate at the edge.", "个别异常样本，或学习率处于临界。"),
        (
            "Clip gradients (clip_norm: 1.0), look at the worst examples of unrolled diagnose, lower the learning "
            "rate.",
            "裁剪梯度（clip_norm: 1.0），在 unrolled diagnose 中查看最差样本，并降低学习率。",
        ),
    ),
    "clipped_often": (
        ("{share:.0%} of the steps were clipped.", "{share:.0%} 的训练步被裁剪。"),
        (
            "The clipping norm is below the usual gradient, or the learning rate is high.",
            "裁剪范数低于通常的梯度，或学习率过高。",
        ),
        ("Raise clip_norm, or lower the learning rate.", "提高 clip_norm，或降低学习率。"),
    ),
}


def alarm(code: str, place: str = "", **figures: float) -> Finding:
    """A warning of training."""
    return worded(SAID, code, "watch", probe="learning", place=place, figures=figures)
