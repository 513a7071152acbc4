"""What guides say, measured: ``python -m benchmarks.advice.claims [EXPERIMENT ...]`` writes ``docs/claims.md``.

Without names all experiments run, each a few minutes; the page is made from all results that are kept.

    OMP_NUM_THREADS=1 python -m benchmarks.advice.claims length noise
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch

from benchmarks.advice import accuracy, cost, flow
from benchmarks.advice.page import write_page

EXPERIMENTS: dict[str, Callable[[], None]] = {
    name: run for part in (cost, flow, accuracy) for name, run in part.experiments()
}


def main() -> None:
    """Run the experiments named, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="EXPERIMENT", help=f"of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--page", action="store_true", help="only write the page from the results")
    asked = parser.parse_args()
    for name in asked.names:
        if name not in EXPERIMENTS:
            parser.error(f"there is no experiment {name!r}")
    torch.set_num_threads(1)
    for name in [] if asked.page else asked.names or EXPERIMENTS:
        EXPERIMENTS[name]()
        print(name, "done", flush=True)
    write_page(list(EXPERIMENTS))


if __name__ == "__main__":
    main()
