"""CartPole-v1 of which only the positions are seen, not the velocities: a recurrent policy and one without memory.

Same settings for both (``unrolled.policy``); the figure is the mean return of 100 new episodes, each at most 500,
of which 475 counts as solved.

    OMP_NUM_THREADS=1 python -m benchmarks.accuracy.policy
"""

from __future__ import annotations

import argparse
import time
from functools import partial

from benchmarks.accuracy.curves import RESULTS, surroundings
from unrolled.core.files import write_text
from unrolled.policy import PolicySettings, returns, train_policy

ENVIRONMENT, POSITIONS, SEEDS, SOLVED = "CartPole-v1", (0, 2), (0, 1, 2), 475
_RESULT = RESULTS / "policy.txt"


def _note(course: list[str], steps: int, mean: float) -> None:
    course.append(f"{mean:.0f}")


def main() -> None:
    """Both policies with every seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--total", type=int, default=150_000)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    asked = parser.parse_args()
    lines = [f"{ENVIRONMENT} without velocities: mean return of 100 episodes after {asked.total:,} steps", ""]
    for cell in ("gru", None):
        means = []
        for seed in SEEDS[: asked.seeds]:
            began, course = time.process_time(), list[str]()
            settings = PolicySettings(cell=cell, columns=POSITIONS, total=asked.total, seed=seed)
            policy = train_policy(ENVIRONMENT, settings, tell=partial(_note, course))
            found = returns(policy, ENVIRONMENT, columns=POSITIONS, seed=1000 + seed)
            means.append(sum(found) / len(found))
            way = " ".join(course[:: max(1, len(course) // 10)])
            lines.append(
                f"{cell or 'no memory':10}seed {seed}  {means[-1]:6.1f} (least {min(found):.0f})  "
                f"{time.process_time() - began:.0f} s  on the way {way}"
            )
            print(lines[-1], flush=True)
        reached = "reached" if min(means) >= SOLVED else "NOT reached"
        lines += [f"{'':10}at least {SOLVED} with every seed: {reached}", ""]
    lines.append(surroundings())
    if asked.seeds == len(SEEDS):
        write_text(_RESULT, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
