"""What every cell on every backend must hold: one function a clause.

Letters: B batch, T time, D input, H hidden.
"""

from __future__ import annotations

import io
from dataclasses import replace

import torch
from torch import Tensor

from unrolled.engine import State
from unrolled.testing.compare import assert_close
from unrolled.testing.subject import Subject


def arguments_untouched(subject: Subject) -> None:
    """Running changes neither inputs nor states nor weights, and gives the same bits again."""
    x, hx, lengths = subject.x(), subject.hx(), subject.lengths()
    before = [tensor.clone() for tensor in (x, *hx, lengths)]
    first, second = (subject.run(x, hx, lengths=lengths) for _ in range(2))
    if not all(torch.equal(now, then) for now, then in zip((x, *hx, lengths), before, strict=True)):
        raise AssertionError(f"{subject}: it writes into its arguments")
    if not all(torch.equal(a, b) for a, b in zip((first[0], *first[1]), (second[0], *second[1]), strict=True)):
        raise AssertionError(f"{subject}: two runs differ")


def steps_equal_sequence(subject: Subject) -> None:
    """Steps, one call each with the state carried, equal the sequence at once."""
    x, state = subject.x(), subject.hx()
    y, final = subject.run(x, state)
    outputs = []
    for t in range(x.shape[1]):
        y_t, state = subject.run(x[:, t : t + 1], state)
        outputs.append(y_t)
    _same((torch.cat(outputs, 1), state), (y, final), f"{subject}: steps against the sequence")


def cut_anywhere(subject: Subject) -> None:
    """A sequence cut at any step, with its state carried, equals the whole."""
    x, hx = subject.x(), subject.hx()
    whole = subject.run(x, hx)
    for cut in range(x.shape[1] + 1):
        y1, state = subject.run(x[:, :cut], hx)
        y2, state = subject.run(x[:, cut:], state)
        _same((torch.cat((y1, y2), 1), state), whole, f"{subject}: cut before step {cut}")


def batch_permutes(subject: Subject) -> None:
    """Permuting the batch permutes outputs and states."""
    x, hx, lengths = subject.x(), subject.hx(), subject.lengths()
    y, state = subject.run(x, hx, lengths=lengths)
    order = torch.arange(x.shape[0]).roll(1)
    permuted = subject.run(x[order], tuple(part[order] for part in hx), lengths=lengths[order])
    _same(permuted, (y[order], tuple(part[order] for part in state)), f"{subject}: batch permuted")


def padding_changes_nothing(subject: Subject) -> None:
    """Padded sequences, in both directions, equal the same sequences alone, whatever the padding holds."""
    x, hx, lengths = subject.x(), subject.hx(), subject.lengths()
    beyond = torch.arange(x.shape[1]) >= lengths[:, None]
    x = x.masked_fill(beyond[..., None], torch.nan)
    for reverse in (False, True):
        y, state = subject.run(x, hx, lengths=lengths, reverse=reverse)
        for b, length in enumerate(lengths.tolist()):
            alone = subject.run(x[b : b + 1, :length], tuple(part[b : b + 1] for part in hx), reverse=reverse)
            padded = y[b : b + 1, :length], tuple(part[b : b + 1] for part in state)
            _same(padded, alone, f"{subject}: sequence of length {length} padded, reverse={reverse}")
        if y[beyond].any():
            raise AssertionError(f"{subject}: the output beyond the length is not zero, reverse={reverse}")


def causal(subject: Subject) -> None:
    """The gradient of an output to later inputs (earlier ones in reverse) is exactly zero."""
    for reverse in (False, True):
        x = subject.x().requires_grad_()
        y, _ = subject.run(x, subject.hx(), reverse=reverse)
        for t in range(x.shape[1]):
            (gradient,) = torch.autograd.grad(y[:, t].sum(), x, retain_graph=True)
            unseen = gradient[:, :t] if reverse else gradient[:, t + 1 :]
            if unseen.any():
                raise AssertionError(f"{subject}: the output of step {t} depends on unseen steps, reverse={reverse}")
            if not gradient[:, t].any():
                raise AssertionError(f"{subject}: the output of step {t} does not depend on its input")


def noise_belongs_to_its_step(subject: Subject) -> None:
    """Masks of means equal no masks; every mask matters; masks are cut and padded with their sequence."""
    x, hx, lengths, noise = subject.x(), subject.hx(), subject.lengths(), subject.noise()
    plain = subject.run(x, hx)
    if not noise:
        return
    rates = subject.cell.rates()
    means = {name: torch.full_like(mask, rates[name]) for name, mask in noise.items()}
    _same(subject.run(x, hx, noise=means), plain, f"{subject}: masks of means against no masks")
    whole = subject.run(x, hx, noise=noise)
    for name in noise:
        if torch.equal(subject.run(x, hx, noise=noise | {name: 1 - noise[name]})[0], whole[0]):
            raise AssertionError(f"{subject}: the noise {name!r} changes nothing")
    cut = x.shape[1] // 2
    y1, state = subject.run(x[:, :cut], hx, noise={name: mask[:, :cut] for name, mask in noise.items()})
    y2, state = subject.run(x[:, cut:], state, noise={name: mask[:, cut:] for name, mask in noise.items()})
    _same((torch.cat((y1, y2), 1), state), whole, f"{subject}: cut before step {cut}, with noise")
    for reverse in (False, True):
        y, state = subject.run(x, hx, lengths=lengths, noise=noise, reverse=reverse)
        for b, length in enumerate(lengths.tolist()):
            own = {name: mask[b : b + 1, :length] for name, mask in noise.items()}
            before = tuple(part[b : b + 1] for part in hx)
            alone = subject.run(x[b : b + 1, :length], before, noise=own, reverse=reverse)
            padded = y[b : b + 1, :length], tuple(part[b : b + 1] for part in state)
            _same(padded, alone, f"{subject}: sequence of length {length} padded, with noise, reverse={reverse}")


def state_survives_saving(subject: Subject) -> None:
    """A state that was saved and loaded continues to the same numbers, to the bit."""
    x, file = subject.x(), io.BytesIO()
    _, state = subject.run(x, subject.hx())
    torch.save(state, file)
    file.seek(0)
    loaded: State = torch.load(file, weights_only=True)
    for first, second in zip(subject.run(x, state)[1], subject.run(x, loaded)[1], strict=True):
        if not torch.equal(first, second):
            raise AssertionError(f"{subject}: the loaded state continues differently")


def saturated_stays_finite(subject: Subject) -> None:
    """Gates driven far into saturation give finite values and gradients."""
    subject = replace(subject, scale=100.0)
    x = (100 * subject.x()).requires_grad_()
    y, state = subject.run(x, subject.hx())
    (gradient,) = torch.autograd.grad(random_loss(y, state), x)
    for name, values in (("outputs", y), ("gradients", gradient), *((f"states[{k}]", s) for k, s in enumerate(state))):
        if not values.isfinite().all():
            raise AssertionError(f"{subject}: {name} are not finite when gates saturate")


def random_loss(y: Tensor, state: State) -> Tensor:
    """A loss with random weights, so that no error cancels in a sum."""
    generator = torch.Generator().manual_seed(7)
    terms = [(v * torch.randn(v.shape, generator=generator, dtype=torch.float64).to(v)).sum() for v in (y, *state)]
    return torch.stack(terms).sum()


CLAUSES = (
    arguments_untouched,
    steps_equal_sequence,
    cut_anywhere,
    batch_permutes,
    padding_changes_nothing,
    causal,
    noise_belongs_to_its_step,
    state_survives_saving,
    saturated_stays_finite,
)


def _same(actual: tuple[Tensor, State], expected: tuple[Tensor, State], what: str) -> None:
    assert_close(actual[0], expected[0], f"{what}, y")
    for part, (a, e) in enumerate(zip(actual[1], expected[1], strict=True)):
        assert_close(a, e, f"{what}, state {part}")
