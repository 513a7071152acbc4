"""Recurrent policies: they act in an environment, and remember what they saw since the episode began."""

from __future__ import annotations

from unrolled.policy.net import Policy
from unrolled.policy.ppo import PolicySettings, returns, train_policy

__all__ = ["Policy", "PolicySettings", "returns", "train_policy"]
