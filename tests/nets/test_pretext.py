"""Questions without labels: the scores against loops of the definitions, and what an encoder may look at."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.nets import Net, Pretext
from unrolled.nets.pretext.masked import interpolated
from unrolled.program.shapes import Inputs, Outputs

INPUTS = Inputs(numbers=3, categories=(4,), masked=(1,))  # two numbers, a mark of holes in the second, a category
NET: list[Any] = [{"conv": {"channels": 5, "kernel": 3, "padding": "causal"}}, {"gru": {"size": 6}}, "linear"]
KINDS = ("contrast", "masked", "next")


def of(asked: Pretext) -> Any:
    """Its question."""
    return asked.question


def pretext(kind: str = "masked", net: list[Any] = NET, inputs: Inputs = INPUTS, **options: Any) -> Pretext:
    torch.manual_seed(0)
    return Pretext(net, inputs, kind, options)


def batch(lengths: tuple[int, ...] = (9, 6, 4)) -> tuple[Tensor, Tensor]:
    """``(B, T, 4)`` with holes in the second number, and lengths."""
    x = torch.randn(len(lengths), max(lengths), 4, generator=torch.Generator().manual_seed(1))
    x[..., 2] = (x[..., 0] > 0.8).float()
    x[..., 1] *= 1 - x[..., 2]
    x[..., 3] = torch.arange(max(lengths)) % 5
    return x, torch.tensor(lengths)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_no_score(kind: str) -> None:
    asked = pretext(kind).eval()
    if kind == "contrast":
        of(asked)._warp = of(asked)._scale = of(asked)._noise = 0.0  # no draws, which follow the shape
    x, lengths = batch()
    if kind == "masked":
        of(asked)._hidden = lambda inside: (torch.arange(inside.shape[1]) % 3 == 1) & inside
    longer = torch.cat([x, torch.full((3, 5, 4), 2.0)], dim=1)
    torch.testing.assert_close(asked(longer, lengths), asked(x, lengths), rtol=1e-4, atol=1e-5)


def test_next_step_is_persistence_and_error_by_definition() -> None:
    asked = pretext("next").eval()
    x, lengths = batch()
    with torch.no_grad():
        scores = asked(x, lengths)
        guess = of(asked).steps(asked._run(x, lengths, None, None).x)
    expected = np.zeros((3, 3))
    for row in range(3):
        for t in range(int(lengths[row]) - 1):
            for column in range(2):
                if column == 1 and (x[row, t, 2] or x[row, t + 1, 2]):
                    continue  # a hole is neither asked for nor repeated
                truth, last = float(x[row, t + 1, column]), float(x[row, t, column])
                expected[row] += (float(guess[row, t, column]) - truth) ** 2, (last - truth) ** 2, 1
    np.testing.assert_allclose(scores.numpy(), expected, rtol=1e-4)


def test_masked_steps_are_hidden_from_the_encoder_and_alone_are_scored() -> None:
    asked = pretext("masked").eval()
    x, lengths = batch()
    hidden = torch.zeros(3, 9, dtype=torch.bool)
    hidden[0, 2:5] = hidden[1, 0] = True
    of(asked)._hidden = lambda inside: hidden
    other = x.clone()
    other[..., :2][hidden] += 1.0
    with torch.no_grad():
        scores, moved = asked(x, lengths), asked(other, lengths)
        blank = x.clone()
        encoded = asked.layers(asked.arriving(blank, lengths, None, None))
    terms = [int((hidden[row][:, None] & asked._material(x, encoded).known[row]).sum()) for row in range(3)]
    assert scores[:, 2].tolist() == terms and terms[2] == 0
    assert not torch.equal(scores[:2, 0], moved[:2, 0])  # the truth moved, what was seen did not
    assert torch.equal(scores[2], torch.zeros(3))


def test_about_the_share_is_hidden_in_spans() -> None:
    asked = pretext("masked", share=0.3, span=4)
    inside = torch.ones(50, 400, dtype=torch.bool)
    hidden = of(asked)._hidden(inside)
    assert 0.27 < hidden.float().mean() < 0.33
    edges = torch.nn.functional.pad(hidden.int(), (1, 1)).diff(dim=1)
    runs = (edges == -1).nonzero()[:, 1] - (edges == 1).nonzero()[:, 1]
    complete = (edges == -1).nonzero()[:, 1] < 400
    assert int(runs[complete].min()) >= 4


def test_straight_lines_are_numpys() -> None:
    values = torch.randn(4, 12, 2, generator=torch.Generator().manual_seed(3))
    seen = torch.rand(4, 12, generator=torch.Generator().manual_seed(4)) < 0.5
    seen[3] = False
    found = interpolated(values, seen).numpy()
    for row in range(3):
        at = np.flatnonzero(seen[row].numpy())
        for column in range(2):
            expected = np.interp(np.arange(12), at, values[row, at, column].numpy())
            np.testing.assert_allclose(found[row, :, column], expected, rtol=1e-4, atol=1e-5)
    assert not found[3].any()


def test_contrast_is_the_published_loss() -> None:
    asked = pretext("contrast", temperature=0.5, warp=0.0, scale=0.0, noise=0.0).eval()
    x, lengths = batch()
    with torch.no_grad():
        scores = asked(x, lengths)
        z = of(asked)._summary(asked._run(x, lengths, None, None)).double()
    z = torch.cat([z, z]) / torch.cat([z, z]).norm(dim=1, keepdim=True)
    for row in range(3):
        alike = [math.exp(float(z[row] @ z[other]) / 0.5) for other in range(6) if other != row]
        expected = -math.log(math.exp(float(z[row] @ z[row + 3]) / 0.5) / sum(alike))
        assert float(scores[row, 0]) == pytest.approx(expected, rel=1e-4)
    assert scores[:, 1].tolist() == pytest.approx([math.log(5)] * 3)
    assert asked(x[:1], lengths[:1])[0].tolist() == [0, 0, 0]  # alone there is no choice


@pytest.mark.parametrize("kind", KINDS)
def test_outside_training_the_question_is_the_same_and_takes_no_random_numbers(kind: str) -> None:
    asked = pretext(kind).eval()
    state = torch.get_rng_state()
    assert torch.equal(asked(*batch()), asked(*batch()))
    assert torch.equal(torch.get_rng_state(), state)
    if kind != "next":
        asked.train()
        assert not torch.equal(asked(*batch()), asked(*batch()))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_have_the_names_of_the_net(kind: str) -> None:
    encoder = pretext(kind).encoder_state()
    net = Net(NET, INPUTS, Outputs()).state_dict()
    assert set(net) - set(encoder) == {name for name in net if name.startswith("layers.3.")}
    assert all(net[name].shape == value.shape for name, value in encoder.items())


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_learns(kind: str) -> None:
    asked = pretext(kind)
    torch.autograd.backward(asked(*batch())[:, 0].sum())
    assert not [name for name, value in asked.named_parameters() if value.grad is None or not value.grad.any()]


@pytest.mark.parametrize("layer", [{"gru": {"size": 4, "bidirectional": True}}, {"conv": {"kernel": 3}}])
def test_the_next_step_is_not_asked_of_a_net_that_sees_it(layer: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"looks ahead[\s\S]*masked, contrast"):
        pretext("next", [layer, "linear"])
    pretext("masked", [layer, "linear"])


@pytest.mark.parametrize("kind", ["masked", "next"])
def test_coarser_steps_answer_for_all_their_inputs(kind: str) -> None:
    net: list[Any] = [{"patch": {"length": 3, "size": 4}}, {"gru": {"size": 4}}, "linear"]
    asked = pretext(kind, net, Inputs(numbers=2)).eval()
    x = torch.randn(2, 11, 2)
    scores = asked(x, torch.tensor([11, 7]))
    assert scores.isfinite().all()
    if kind == "next":  # 9 and 6 whole steps, the first patch is not foretold
        assert scores[:, 2].tolist() == [12, 6]


def test_time_is_not_bent_where_steps_are_to_be_found_again() -> None:
    asked = pretext("next", [{"augment": {"warp": 0.5}}, {"gru": {"size": 4}}, "linear"], Inputs(numbers=2))
    x = torch.randn(2, 11, 2)
    assert torch.equal(asked.train()(x), asked(x))


def test_errors() -> None:
    with pytest.raises(ConfigError, match="no layer below the pooling"):
        pretext("masked", ["pool", "linear"])
    with pytest.raises(ConfigError, match="no numeric input"):
        pretext("masked", inputs=Inputs(numbers=0, categories=(3,)))
