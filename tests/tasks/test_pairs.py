"""The task of pairs: texts to tokens, two sides of a sequence, losses, figures, TF-IDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.tolerances import TOLERANCES
from unrolled.evaluate.texts import _most_right
from unrolled.nets import Net, ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layers.align import Align
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import PairDecoding
from unrolled.prepare.pairing import as_pairs, tokens
from unrolled.prepare.read import read
from unrolled.prepare.series import Column
from unrolled.prepare.table import Table
from unrolled.program.ops.pair import split_sides
from unrolled.program.plan import run
from unrolled.program.shapes import Inputs, Outputs
from unrolled.tasks import Scales, losses, make_task


def column(*values: object) -> Any:
    cells = np.empty(len(values), dtype=object)
    cells[:] = values
    return cells


def test_texts_are_cut_into_words_and_chinese_into_characters() -> None:
    assert tokens("I don't KNOW him, OK?", "word") == ["i", "don't", "know", "him", ",", "ok", "?"]
    assert tokens("我们用GPT聊天。", "word") == ["我", "们", "用", "gpt", "聊", "天", "。"]
    assert tokens("Ab 你", "character") == ["a", "b", "你"]


def test_texts_become_two_sides_of_a_sequence_and_shared_texts_a_group() -> None:
    table = Table(
        {"a": column("x y", "z", "q"), "b": column("z", "w w", "r"), "same": np.array([1.0, 0, 1])}, "pairs.csv"
    )
    made = as_pairs(table, ("a", "b"))
    assert made.columns["token"].tolist() == ["x", "y", "z", "z", "w", "w", "q", "r"]
    np.testing.assert_array_equal(made.columns["side"], [0, 0, 1, 0, 1, 1, 0, 1])
    np.testing.assert_array_equal(made.starts, [0, 3, 6, 8])
    assert (made.hints.task, made.hints.target) == ("pairs", ("same",))
    assert made.hints.group is None and made.notes[-1].code == "pairs_entangled"  # two of three share "z"
    more = {name: np.concatenate([cells, cells]) for name, cells in table.columns.items()}
    more["a"][3:], more["b"][3:] = ["1", "2", "3"], ["4", "5", "6"]
    shared = as_pairs(Table(more, "pairs.csv"), ("a", "b")).case_columns["shared"]
    assert shared[0] == shared[1] and len(np.unique(shared)) == 5


def test_rows_of_a_long_table_are_sorted_into_sides() -> None:
    columns = {
        "pair": np.array([7.0, 7, 7, 8, 8]),
        "hand": column("right", "left", "right", "left", "right"),
        "force": np.arange(5.0),
        "same": np.array([1.0, 1, 1, 0, 0]),
    }
    made = as_pairs(Table(columns, "hands.csv"), ("hand",), labels=("same",))
    np.testing.assert_array_equal(made.columns["force"], [0, 2, 1, 4, 3])  # the side of the first row goes first
    np.testing.assert_array_equal(made.columns["side"], [0, 0, 1, 0, 1])
    assert made.case_ids == ("7", "8") and made.case_columns["same"].tolist() == [1, 0]


def test_what_is_no_pair_is_refused() -> None:
    table = Table({"a": column("x", None), "b": column("y", "z"), "id": np.array([1.0, 2])}, "pairs.csv", first_row=2)
    with pytest.raises(DataError, match=r"row 3, column 'a'"):
        as_pairs(table, ("a", "b"))
    with pytest.raises(ConfigError, match="Did you mean 'b'"):
        as_pairs(table, ("a", "B"))
    with pytest.raises(DataError, match="has one side only"):
        as_pairs(table, ("b",))
    with pytest.raises(ConfigError, match="3 columns are no pair"):
        as_pairs(table, ("a", "b", "id"))


def test_arrays_make_pairs(tmp_path: Path) -> None:
    path = tmp_path / "pairs.npz"
    np.savez(path, first=np.zeros((3, 4, 2)), second=np.ones((3, 5, 2)), y=np.array([0, 1, 1]))
    table = read(path)
    assert list(table.columns) == ["side", "dim_0", "dim_1"] and table.hints.task == "pairs"
    np.testing.assert_array_equal(table.columns["side"], np.tile([0] * 4 + [1] * 5, 3))
    np.testing.assert_array_equal(table.columns["dim_0"], table.columns["side"])
    np.savez(path, first=np.zeros((3, 4, 2)), second=np.ones((2, 5, 2)))
    with pytest.raises(DataError, match="are no pairs"):
        read(path)


INPUTS = Inputs(numbers=2, categories=(4,), static_numbers=1)
INNER: list[Any] = [{"gru": {"size": 3, "bidirectional": True}}, {"pool": {"kind": "max"}}]
SPECS: list[list[Any]] = [
    *([{"siamese": {"layers": INNER, "join": join}}, "linear"] for join in ("all", "symmetric", "cosine")),
    [{"siamese": {"layers": ["align", *INNER], "join": "symmetric"}}, "linear"],
    [{"siamese": {"layers": [{"lstm": {"size": 3}}], "join": "cosine"}}, "score"],
]


def made(spec: list[Any], seed: int = 0) -> tuple[Net, dict[str, Any]]:
    random = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    net = Net(spec, INPUTS, Outputs()).double().eval()
    side = (torch.rand(5, 8, 1, generator=random) > 0.5).double()
    side[:, 0], side[:, 1] = 0, 1
    numbers = torch.randn(5, 8, 1, generator=random, dtype=torch.float64)
    x = torch.cat([side, numbers, torch.randint(0, 5, (5, 8, 1), generator=random)], -1)
    lengths = torch.tensor([8, 2, 5, 7, 3])
    return net, {"x": x, "lengths": lengths, "static": torch.randn(5, 1, generator=random, dtype=torch.float64)}


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_plan_of_a_siamese_net_gives_its_numbers(spec: list[Any]) -> None:
    net, batch = made(spec)
    with torch.no_grad():
        expected = net(**batch).numpy()
        alone = [
            net(batch["x"][b : b + 1, :n], static=batch["static"][b : b + 1]) for b, n in enumerate(batch["lengths"])
        ]
    weights = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    found = run(net.plan(), weights, **{name: value.numpy() for name, value in batch.items()})
    np.testing.assert_allclose(found, expected, **TOLERANCES["float64"]._asdict())
    np.testing.assert_allclose(torch.cat(alone).numpy(), expected, **TOLERANCES["float64"]._asdict())
    assert net.streamable() and (np.abs(expected) <= 1).all() | (spec[-1] != "score")


@pytest.mark.parametrize("spec", SPECS[1:], ids=str)
def test_alike_sides_can_be_swapped_where_the_join_is_symmetric(spec: list[Any]) -> None:
    net, batch = made(spec)
    swapped = batch["x"].clone()
    swapped[..., 0] = 1 - swapped[..., 0]
    with torch.no_grad():
        torch.testing.assert_close(net(**{**batch, "x": swapped}), net(**batch))
    every = made(SPECS[0])[0]
    with torch.no_grad():
        assert not torch.allclose(every(**{**batch, "x": swapped}), every(**batch))


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_every_weight_of_a_siamese_net_learns(spec: list[Any]) -> None:
    net, batch = made(spec)
    net(**batch).square().sum().backward()
    assert all(weight.grad is not None for weight in net.parameters())


def test_where_it_cannot_stand_is_refused() -> None:
    with pytest.raises(ConfigError, match="which side"):
        Net([{"gru": {"size": 3}}, *SPECS[0]], INPUTS, Outputs())
    with pytest.raises(ConfigError, match="one number"):
        Net([{"gru": {"size": 3}}, "pool", "score"], INPUTS, Outputs())
    with pytest.raises(ConfigError, match="two sides of a pair"):
        Net(["align", *INNER, "linear"], INPUTS, Outputs())


def test_sides_stand_below_each_other_with_no_more_steps_than_the_longest_has() -> None:
    x = torch.tensor([[[0, 1], [1, 2], [0, 3], [1, 9]], [[1, 4], [1, 5], [0, 6], [1, 7]]], dtype=torch.float64)
    lengths = torch.tensor([3, 4])
    expected, counts = [[1, 3, 2], [6, 4, 5], [2, 1, 3], [4, 5, 7]], [2, 1, 1, 3]
    found, said = ops.split_sides(x, lengths)
    assert said.tolist() == counts and found.shape == (4, 3, 1)
    for side, count, own in zip(found[..., 0].tolist(), counts, expected, strict=True):
        assert side[:count] == own[:count]
    array, same = split_sides(x.numpy(), lengths.numpy())
    np.testing.assert_array_equal(array, found.numpy())
    np.testing.assert_array_equal(same, said.numpy())


def test_alignment_is_the_softmax_of_dot_products_with_the_steps_of_the_other_side() -> None:
    """Against loops over pairs, sides and steps, in NumPy."""
    random, size = torch.Generator().manual_seed(1), 3
    x = torch.randn(4, 5, size, generator=random, dtype=torch.float64)
    lengths = torch.tensor([5, 2, 3, 4])  # two pairs: sides 0 and 2, 1 and 3
    shape = Shape(form="sequence", size=size, outputs=Outputs(), sides=True)
    found = Align(shape)(Flow(x=x, lengths=lengths)).x.numpy()
    for own, other in ((0, 2), (2, 0), (1, 3), (3, 1)):
        theirs = x[other, : lengths[other]].numpy()
        for t in range(lengths[own]):
            step = x[own, t].numpy()
            weights = np.exp(theirs @ step / np.sqrt(size))
            aligned = (weights[:, None] * theirs).sum(0) / weights.sum()
            expected = np.concatenate([step, aligned, step - aligned, step * aligned])
            np.testing.assert_allclose(found[own, t], expected, **TOLERANCES["float64"]._asdict())


def test_the_contrastive_loss_pulls_and_pushes() -> None:
    cosine, truth = torch.tensor([[0.25], [0.9], [0.25], [0.9]]), torch.tensor([[1.0], [0.0], [0.0], [float("nan")]])
    torch.testing.assert_close(losses.contrastive(cosine, truth, 0.5), torch.tensor([[0.5625], [0.16], [0.0], [0.0]]))


def test_figures_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, (60, 1)).astype(float)
    output = (truth + random.normal(size=(60, 1)))[:, None, :, None]
    task = make_task("pairs")
    decoding = task.calibrate(output, truth, task._plain(output))
    assert isinstance(decoding, PairDecoding) and decoding.scale > 0 > decoding.bias
    answer = decode(output, decoding)
    found = {figure.name: figure.value for figure in task.metrics(truth, answer, Scales())}
    assert answer.probability is not None
    label, chance = truth[:, 0], answer.probability[:, 0, 1]
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(label, chance >= 0.5))
    assert found["f1"] == pytest.approx(metrics.f1_score(label, chance >= 0.5))
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(label, chance))
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(label, chance))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(label, chance))


def test_the_label_of_alike_pairs_can_be_named(make_series: Any) -> None:
    target = Column(name="y", role="target", kind="category", level="case", categories=("alike", "apart"))
    series = make_series([2, 2], [Column(name="side"), target], cases=[[0], [1]])
    turned = make_task("pairs", {"similar": "alike"}).derive(series)
    assert turned.columns[1].categories == ("apart", "alike") and turned.cases[:, 0].tolist() == [1, 0]
    with pytest.raises(ConfigError, match="no pair has the label"):
        make_task("pairs", {"similar": "same"}).derive(series)


def test_the_threshold_of_a_score_has_the_fewest_errors() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        score, label = random.integers(0, 6, 12) / 5.0, random.integers(0, 2, 12)
        fewest = min(((score >= limit) != label).sum() for limit in (*np.unique(score), 2.0))
        assert ((score >= _most_right(score, label)) != label).sum() == fewest
