"""Recurrent policies: episodes are cut where they end, and what is learnt is learnt."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unrolled.core.errors import ConfigError
from unrolled.policy import Policy, PolicySettings, returns, train_policy
from unrolled.policy.ppo import _environments
from unrolled.policy.rollout import Actor, Rollout, advantages, segments
from unrolled.policy.scaling import Gains, Moments

pytest.importorskip("gymnasium", reason="needs the extra rl")


def _rollouts(count: int) -> tuple[Policy, list[Rollout]]:
    torch.manual_seed(0)
    policy = Policy(2, 2, "lstm", 5)
    actor = Actor(_environments("CartPole-v1", 3), policy, (0, 2), torch.Generator().manual_seed(0), 0)
    return policy, [actor.collect(60) for _ in range(count)]


def test_training_sees_what_acting_saw() -> None:
    """Segments, each from its own state, give the values and chances that the policy had step by step."""
    policy, rollouts = _rollouts(2)
    for rollout in rollouts:
        assert rollout.ended.sum() > 2
        places, lengths, state = segments(rollout, torch.arange(3))
        assert int(lengths.sum()) == int(rollout.valid.sum())
        with torch.no_grad():
            scores, values, _ = policy(rollout.x.flatten(0, 1)[places], state, lengths=lengths)
        for row, length in enumerate(lengths.tolist()):
            at = places[row, :length]
            torch.testing.assert_close(values[row, :length], rollout.values.flatten()[at])
            logs = torch.log_softmax(scores[row, :length], -1).gather(1, rollout.actions.flatten()[at, None])[:, 0]
            torch.testing.assert_close(logs, rollout.logs.flatten()[at])


def test_an_episode_begins_with_an_empty_memory() -> None:
    policy, (rollout,) = _rollouts(1)
    env, t = next((e, t) for e, t in rollout.ended.nonzero().tolist() if t + 2 < 60)
    assert not rollout.valid[env, t + 1] and rollout.valid[env, t + 2]
    with torch.no_grad():
        value = policy(rollout.x[env, t + 2][None, None])[1][0, 0]
    torch.testing.assert_close(value, rollout.values[env, t + 2])


def test_advantages_by_hand() -> None:
    one = torch.ones(1, 4)
    cut = torch.tensor([[False, True, False, False]])
    rollout = Rollout(
        x=torch.zeros(1, 4, 1),
        actions=torch.zeros(1, 4, dtype=torch.long),
        logs=one,
        values=torch.tensor([[1.0, 2.0, 3.0, 4.0]]),
        rewards=torch.tensor([[1.0, 1.0, 0.0, 1.0]]),
        terminated=torch.zeros(1, 4, dtype=torch.bool),
        ended=cut,
        valid=torch.tensor([[True, True, False, True]]),
        state=(),
        last=torch.tensor([5.0]),
    )
    found, goals = advantages(rollout, 0.5, 0.5)
    second = 1 + 0.5 * 3 - 2  # out of time, not at an end: what comes after counts by its value
    assert found[0, 3] == 1 + 0.5 * 5 - 4 and found[0, 1] == second
    assert found[0, 0] == 1 + 0.5 * 2 - 1 + 0.25 * second and goals[0, 1] == second + 2
    stopped = Rollout(**{**vars(rollout), "terminated": cut})
    assert advantages(stopped, 0.5, 0.5)[0][0, 1] == 1 - 2


def test_moments_in_parts_are_those_of_the_whole() -> None:
    rows = np.random.default_rng(0).normal(3, [1e-3, 1, 100], size=(50, 3))
    moments = Moments()
    for part in np.split(rows, [1, 1, 20]):
        moments.add(torch.from_numpy(part))
    np.testing.assert_allclose(moments.mean, rows.mean(0))
    np.testing.assert_allclose(moments.deviation, rows.std(0))
    still = Moments()
    still.add(torch.full((4, 2), 7.0))
    assert still.deviation.tolist() == [1, 1]


def test_rewards_are_counted_in_the_deviation_of_discounted_gains() -> None:
    """By hand: gains go on from rollout to rollout, and begin anew with an episode."""
    _, (first, second) = _rollouts(2)
    found, sums, going = Gains(0.9), [], np.zeros(3)
    for rollout in (first, second):
        unit = found.unit(rollout)
        for t in range(60):
            going = 0.9 * going + rollout.rewards[:, t].numpy()
            sums += going[rollout.valid[:, t].numpy()].tolist()
            going[rollout.ended[:, t].numpy()] = 0
    assert unit == pytest.approx(np.std(sums), rel=1e-5)


def test_it_learns_what_needs_memory() -> None:
    """A policy that sees positions alone and remembers nothing stays below 60 (``benchmarks/accuracy/policy.py``)."""
    told: list[float] = []
    settings = PolicySettings(cell="gru", columns=(0, 2), total=32_768)
    train_policy("CartPole-v1", settings, tell=lambda _, mean: told.append(mean))
    assert told[0] < 40 and told[-1] > 80


def test_training_moves_the_policy_and_tells_how_it_goes() -> None:
    told: list[tuple[int, float]] = []
    settings = PolicySettings(cell="gru", size=8, columns=(0, 2), total=512, environments=4, steps=64)
    policy = train_policy("CartPole-v1", settings, tell=lambda steps, mean: told.append((steps, mean)))
    torch.manual_seed(0)
    fresh = Policy(2, 2, "gru", 8)
    assert [steps for steps, _ in told] == [256, 512] and told[-1][1] > 5
    assert any(not torch.equal(one, two) for one, two in zip(policy.parameters(), fresh.parameters(), strict=True))
    assert min(returns(policy, "CartPole-v1", columns=(0, 2), episodes=4)) > 5


def test_environments_that_cannot_be_learnt() -> None:
    with pytest.raises(ConfigError, match="no such environment"):
        train_policy("CartPoll-v7")
    with pytest.raises(ConfigError, match="discrete actions"):
        train_policy("Pendulum-v1")
