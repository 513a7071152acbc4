"""How to search: the method, how much, what for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from unrolled.core.records import Record

Objective = Literal["metric", "bytes", "parameters", "predict", "step", "seconds"]
Method = Literal["tpe", "random", "grid", "enas"]

_TRIALS = 30

_Objectives = Annotated[
    tuple[Objective, ...],
    Field(min_length=1),
    BeforeValidator(lambda given: (given,) if isinstance(given, str) else given),
]


class SearchSettings(Record):
    """The section ``search`` of a config.

    Attributes:
        method: "tpe" learns from the trials before (tree-structured Parzen estimator, Bergstra et al. 2011), "random"
            draws, "grid" goes through all combinations in a drawn order, "enas" finds a recurrent cell.
        trials: how many at most, over all workers. Where nothing is said: all of a grid, otherwise 30, or as many as
            there is time for.
        seconds: time budget; the trial that it ends in is cut short and does not count. Of "enas" each for itself
            and for the random search beside it.
        objectives: what is to be good: the task's figure on the validation part ("metric"), the size of the bundle in
            bytes, the parameters, the latency of one answer ("predict") or of one step of a stream, the training time.
        prune: stop trials that are worse than others at the same share of their epochs: "halving" (asynchronous
            successive halving, Li et al. 2020), "hyperband" (Li et al. 2018: several of it, from eager to patient).
        reduction: one trial in so many goes on past each of those shares.
        least: the first share of the epochs at which a trial can be stopped.
        seed: of the method.
        storage: database that the trials are kept in, such as postgresql://user@host/name, for workers on several
            machines; None is an SQLite file in the search's folder.
        study: name of the search in its storage; None is the folder's name.
        workers: processes on this machine.
    """

    method: Method = "tpe"
    trials: int | None = Field(None, ge=1)
    seconds: float | None = Field(None, gt=0)
    objectives: _Objectives = ("metric",)
    prune: Literal["none", "halving", "hyperband"] = "none"
    reduction: int = Field(3, ge=2)
    least: float = Field(1 / 9, gt=0, lt=1)
    seed: int = Field(0, ge=0, lt=2**31)
    storage: str | None = None
    study: str | None = None
    workers: int = Field(1, ge=1, le=256)

    @property
    def limit(self) -> int | None:
        """Trials at most, a grid's own number aside."""
        if self.trials is None and self.seconds is None and self.method != "grid":
            return _TRIALS
        return self.trials

    @model_validator(mode="after")
    def _consistent(self) -> SearchSettings:
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError("an objective stands there twice")
        if len(self.objectives) > 1 and self.prune != "none":
            raise ValueError("pruning looks at one objective; choose one, or prune: none")
        if self.prune != "none" and self.objectives != ("metric",):
            raise ValueError("pruning looks at the metric during training; make it the objective, or prune: none")
        if self.method == "enas" and (self.prune != "none" or self.workers > 1 or self.objectives != ("metric",)):
            raise ValueError("enas aims at the metric, in one process, and stops nothing early")
        if self.prune != "none" and self.least * self.reduction > 1:
            raise ValueError("no trial could be stopped: least x reduction is more than the whole training")
        return self
