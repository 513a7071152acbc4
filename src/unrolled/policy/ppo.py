"""Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347) of a recurrent policy, aware of episodes' ends.

Letters: E environments side by side, T steps of a rollout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import nn

from unrolled.core.errors import ConfigError
from unrolled.core.optional import require
from unrolled.core.records import Record
from unrolled.policy.net import Policy
from unrolled.policy.rollout import Actor, Rollout, advantages, segments
from unrolled.policy.scaling import Gains, Moments

Tell = Callable[[int, float], None]
"""(steps so far, mean return of the last hundred episodes)."""


class PolicySettings(Record):
    """How a policy learns.

    ``total`` steps in all, ``steps`` of each of ``environments`` between updates; each rollout is learnt ``passes``
    times in ``parts`` parts. ``columns`` of the observation are all that the policy sees.
    """

    cell: str | None = "lstm"
    size: Annotated[int, Field(ge=1, le=4096)] = 64
    columns: tuple[int, ...] | None = None
    total: Annotated[int, Field(ge=1)] = 150_000
    environments: Annotated[int, Field(ge=1, le=4096)] = 16
    steps: Annotated[int, Field(ge=2, le=100_000)] = 128
    passes: Annotated[int, Field(ge=1, le=100)] = 4
    parts: Annotated[int, Field(ge=1, le=1024)] = 4
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    discount: Annotated[float, Field(ge=0, le=1)] = 0.99
    decay: Annotated[float, Field(ge=0, le=1)] = 0.95
    clip: Annotated[float, Field(gt=0, le=1)] = 0.2
    entropy: Annotated[float, Field(ge=0, le=1)] = 0.01
    seed: int = 0


def train_policy(environment: str, settings: PolicySettings | None = None, *, tell: Tell | None = None) -> Policy:
    """A policy for a gymnasium environment with discrete actions and a vector to observe.

    Args:
        environment: its gymnasium name, such as ``CartPole-v1``.
        settings: how it learns.
        tell: is called after each update.

    Raises:
        UnrolledError: gymnasium is not installed, or the environment is of another kind.
    """
    settings = settings or PolicySettings()
    envs = _environments(environment, settings.environments)
    torch.manual_seed(settings.seed)
    observed = envs.single_observation_space.shape[0] if settings.columns is None else len(settings.columns)
    policy = Policy(observed, int(envs.single_action_space.n), settings.cell, settings.size)
    generator = torch.Generator().manual_seed(settings.seed)
    actor = Actor(envs, policy, settings.columns, generator, settings.seed)
    optimizer = torch.optim.Adam(policy.parameters(), settings.learning_rate, eps=1e-5)
    seen, gains = Moments(), Gains(settings.discount)
    rounds = max(1, settings.total // (settings.environments * settings.steps))
    for number in range(rounds):
        optimizer.param_groups[0]["lr"] = settings.learning_rate * (1 - number / rounds)
        rollout = actor.collect(settings.steps)
        scaled = replace(rollout, rewards=rollout.rewards / gains.unit(rollout))
        _learn(policy, optimizer, scaled, settings, generator)
        seen.add(rollout.x[rollout.valid])
        policy.standardise(seen.mean, seen.deviation)
        if tell is not None:
            recent = actor.finished[-100:]
            tell((number + 1) * settings.environments * settings.steps, sum(recent) / max(1, len(recent)))
    envs.close()
    return policy.eval()


def returns(
    policy: Policy, environment: str, *, columns: tuple[int, ...] | None = None, episodes: int = 100, seed: int = 1
) -> list[float]:
    """What the policy's likeliest actions gain in this many episodes, all begun together."""
    envs = _environments(environment, episodes)
    actor = Actor(envs, policy, columns, torch.Generator(), seed)
    first, open_ = [0.0] * episodes, set(range(episodes))
    while open_:
        rollout = actor.collect(1, greedy=True)
        for env in list(open_):
            first[env] += float(rollout.rewards[env, 0])
            if rollout.ended[env, 0]:
                open_.remove(env)
    envs.close()
    return first


def _learn(
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    rollout: Rollout,
    settings: PolicySettings,
    generator: torch.Generator,
) -> None:
    """Several passes over a rollout, by environments, each episode from its own beginning."""
    gains, goals = advantages(rollout, settings.discount, settings.decay)
    own = gains[rollout.valid]
    gains = (gains - own.mean()) / (own.std() + 1e-8)
    flat = {name: getattr(rollout, name).flatten() for name in ("actions", "logs")}
    x, gains, goals = rollout.x.flatten(0, 1), gains.flatten(), goals.flatten()
    for _ in range(settings.passes):
        for chosen in torch.randperm(len(rollout.x), generator=generator).chunk(settings.parts):
            places, lengths, state = segments(rollout, chosen)
            scores, values, _ = policy(x[places], state, lengths=lengths)
            inside = torch.arange(places.shape[1]) < lengths[:, None]
            at, logs = places[inside], torch.log_softmax(scores[inside], -1)
            ratio = (logs.gather(1, flat["actions"][at, None])[:, 0] - flat["logs"][at]).exp()
            kept = ratio.clamp(1 - settings.clip, 1 + settings.clip)
            gain = torch.minimum(ratio * gains[at], kept * gains[at]).mean()
            entropy = -(logs.exp() * logs).sum(-1).mean()
            loss = -gain + 0.5 * (values[inside] - goals[at]).square().mean() - settings.entropy * entropy
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            optimizer.step()


def _environments(name: str, count: int) -> Any:
    gymnasium = require("gymnasium", extra="rl", purpose="training a policy")
    try:
        envs = gymnasium.make_vec(name, num_envs=count)
    except gymnasium.error.Error as error:
        raise ConfigError(f"gymnasium has no such environment ({error})", where=f"environment {name!r}") from error
    spaces = gymnasium.spaces
    seen, acts = envs.single_observation_space, envs.single_action_space
    if not isinstance(acts, spaces.Discrete) or not isinstance(seen, spaces.Box) or len(seen.shape) != 1:
        raise ConfigError(
            f"it is observed as {seen} and acted on by {acts}; a vector and discrete actions are what can be learnt",
            where=f"environment {name!r}",
        )
    return envs
