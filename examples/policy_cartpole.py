"""A policy that remembers: CartPole without velocities: python examples/policy_cartpole.py [STEPS]"""

from __future__ import annotations

import sys

from unrolled.policy import PolicySettings, returns, train_policy

positions = (0, 2)  # of cart and pole; how fast they move must be remembered from the steps before
total = int(sys.argv[1]) if len(sys.argv) > 1 else 150_000
settings = PolicySettings(cell="gru", size=64, columns=positions, total=total)

policy = train_policy("CartPole-v1", settings)
found = returns(policy, "CartPole-v1", columns=positions, episodes=20)
print("mean return of 20 episodes", sum(found) / len(found))
