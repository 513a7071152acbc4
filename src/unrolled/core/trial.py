"""One configuration, trained within a budget and measured: what a search and an advice compare."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from unrolled.core.records import Metric, Record

State = Literal["done", "pruned", "failed", "interrupted"]
Reason = Literal["", "diverged", "out_of_memory", "error"]


class Budget(Record):
    """How much a trial may train; it ends at whichever limit comes first.

    Attributes:
        share: of the epochs that its config asks for; at least one epoch.
        seconds: of training, those of earlier, smaller budgets included; None is no limit.
    """

    share: float = Field(1.0, gt=0, le=1)
    seconds: float | None = Field(None, gt=0)


WHOLE = Budget()
"""Training as the config asks for it."""


class Trial(Record):
    """What became of one configuration. A rival that is no net (linear, boosted trees) fills the same record.

    Attributes:
        name: unique in its search.
        model: "net", or what else was fitted.
        config: the settings, as plain data; as completed from the data where the trial came that far.
        seed: of its first weights, order and dropout.
        budget: what it was given.
        state: "done" (the budget is used, or training ended by itself), "pruned" (stopped early, being worse than
            others), "failed", or "interrupted" (Ctrl-C: to be continued).
        reason: why it failed; error: what was said, in one line.
        metric: the task's headline figure on the validation part, with its bootstrap interval.
        metrics: all figures of the validation part.
        parameters: numbers that were trained.
        bytes: of the bundle's file.
        predict_us: one answer to one sample at batch 1, from prepared arrays, median, in microseconds.
        step_us: the next step of one stream, median, in microseconds; None where the model does not stream.
        seconds: of training, over all its budgets.
        stopped: why training ended: "epochs", "early" (patience), "time", "budget", "pruned", "interrupted".
        epochs: done; epochs_wanted: those of the whole config.
        folder: where its run is kept; "" for none.
    """

    name: str
    model: str = "net"
    config: dict[str, Any] = {}
    seed: int = 0
    budget: Budget = WHOLE
    state: State
    reason: Reason = ""
    error: str = ""
    metric: Metric | None = None
    metrics: tuple[Metric, ...] = ()
    parameters: int | None = None
    bytes: int | None = None
    predict_us: float | None = None
    step_us: float | None = None
    seconds: float = 0.0
    stopped: str = ""
    epochs: int = 0
    epochs_wanted: int = 0
    folder: str = ""

    @property
    def cost(self) -> float | None:
        """The headline figure such that lower is better; None where there is none."""
        return None if self.metric is None else cost(self.metric)

    @property
    def whole(self) -> bool:
        """Whether it was trained as far as its config asks for."""
        return self.state == "done" and self.stopped in ("", "epochs", "early")

    @property
    def cut_short(self) -> bool:
        """Whether its budget ended before its training did."""
        return self.state == "done" and not self.whole


def cost(metric: Metric) -> float:
    """A figure such that lower is better."""
    return -metric.value if metric.better == "higher" else metric.value
