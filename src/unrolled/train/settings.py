"""Every option of training: its default, its unit, what it does."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Optimizer = Literal["sgd", "rmsprop", "adam", "adamw"]
Precision = Annotated[Literal["32", "bf16", "fp16"], BeforeValidator(lambda given: str(given))]
ScheduleName = Literal["constant", "step", "cosine", "one_cycle", "plateau"]


def _several(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


class LayerRule(BaseModel):
    """How some of the weights are trained.

    Attributes:
        match: patterns (``*``, ``?``) of their names.
        rate: factor on the learning rate.
        freeze_until: epochs that pass before they are trained.
        freeze_from: epochs after which they are no longer trained; None trains them to the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    match: Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]
    rate: float = Field(1.0, gt=0, le=1000)
    freeze_until: int = Field(0, ge=0)
    freeze_from: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _some_epochs(self) -> LayerRule:
        if self.freeze_from is not None and self.freeze_from <= self.freeze_until:
            raise ValueError(f"frozen until epoch {self.freeze_until} and from {self.freeze_from} on: never trained")
        return self


class TrainSettings(BaseModel):
    """How to train: frozen, and a key it does not know is refused.

    Raises:
        pydantic.ValidationError: a value is out of range, a key is unknown, or two options contradict each other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(100, ge=1, description="most passes over the training part; early stopping ends sooner")
    batch_size: int = Field(32, ge=1, description="samples a batch, over all processes")
    epoch_batches: int | None = Field(
        None, ge=1, description="most batches an epoch; a larger training part is seen over several epochs"
    )
    accumulate: int = Field(
        1, ge=1, description="batches whose gradients are added up before each optimiser step (gradient accumulation)"
    )

    optimizer: Optimizer = Field("adam", description="sgd, rmsprop, adam or adamw")
    learning_rate: float = Field(1e-3, gt=0, description="step size; the peak where a schedule changes it")
    momentum: float | None = Field(
        None, ge=0, lt=1, description="of sgd (0.9 when not given) and rmsprop (0); the others have their own"
    )
    weight_decay: float = Field(
        1e-4, ge=0, description="L2 penalty on the weights, added to the gradient; decoupled from it in adamw"
    )
    state_l2: float = Field(0.0, ge=0, description="L2 penalty on the cell state (0.001 is the common value); 0 is off")
    clip_norm: float | None = Field(
        1.0, gt=0, description="largest global norm of the gradient (5.0 is the other common value); null is off"
    )

    schedule: ScheduleName = Field(
        "constant",
        description="learning rate over time: constant, step (x step_factor every step_epochs), cosine (to zero "
        "at the last epoch), one_cycle (up over 30 % of the run, then down), plateau (x plateau_factor when the "
        "monitored figure has not improved for plateau_patience epochs)",
    )
    step_epochs: int = Field(10, ge=1, description="epochs between two reductions of schedule step")
    step_factor: float = Field(0.9, gt=0, le=1, description="each reduction of schedule step")
    plateau_patience: int = Field(2, ge=0, description="epochs without improvement that schedule plateau bears")
    plateau_factor: float = Field(0.5, gt=0, lt=1, description="each reduction of schedule plateau")
    warmup: float = Field(0.0, ge=0, description="epochs over which the learning rate rises linearly from near 0")

    monitor: Literal["metric", "loss"] = Field(
        "metric", description="validation figure that decides: the task's metric (the loss where none is) or the loss"
    )
    patience: int | None = Field(
        5, ge=1, description="epochs without improvement before early stopping; null trains all epochs"
    )
    best_from: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of epochs that pass before one can be the best; a schedule that ends low is good at its end",
    )
    min_delta: float = Field(0.0, ge=0, description="smallest change of the monitored figure that is an improvement")

    averaging: Literal["none", "ema", "swa"] = Field(
        "none", description="validate and keep averaged weights: ema (exponential, every step) or swa (mean of epochs)"
    )
    ema_decay: float = Field(0.999, gt=0, lt=1, description="weight of the past in ema, per optimiser step")
    swa_start: float = Field(0.75, ge=0, lt=1, description="share of epochs that pass before swa starts")

    precision: Precision = Field("32", description="32, bf16, or fp16 with gradient scaling (fp16 needs a CUDA device)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes a CUDA device when there is one")
    threads: int | None = Field(None, ge=1, description="CPU threads of torch; null leaves torch's own choice")
    seed: int = Field(0, ge=0, lt=2**31, description="of dropout and of every other random choice in training")
    deterministic: bool = Field(
        False, description="refuse operations whose result varies between runs (matters on CUDA; slower there)"
    )

    look_every: int | None = Field(
        50, ge=1, description="steps between two looks inside the net (size of updates, dead units); null is off"
    )
    checkpoint_epochs: int = Field(1, ge=1, description="epochs between two checkpoints")
    checkpoint_batches: int | None = Field(None, ge=1, description="batches between two checkpoints inside an epoch")
    checkpoint_seconds: float = Field(
        5.0, ge=0, description="shortest time between two checkpoints, in seconds, so that quick epochs stay quick"
    )
    max_seconds: float | None = Field(
        None, gt=0, description="time budget in seconds, resumed parts included; the epoch it ends in is cut short"
    )

    warm_layers: tuple[str, ...] = Field(
        ("*",), description="warm start: patterns (*, ?) of the weights to take over, such as recurrent.*"
    )
    freeze: tuple[str, ...] = Field((), description="patterns (*, ?) of the weights that training leaves as they are")
    layers: tuple[LayerRule, ...] = Field(
        (),
        description="rules {match, rate, freeze_until, freeze_from}: weights whose name matches a pattern (the first "
        "rule counts) take this factor on the learning rate, and are trained from an epoch on, or until one",
    )
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="factor on the learning rate from each layer to the one below (ULMFiT: 0.385)"
    )
    thaw_epochs: int | None = Field(
        None, ge=1, description="gradual unfreezing: epochs from the moment a layer is trained to that of the one below"
    )

    @model_validator(mode="after")
    def _consistent(self) -> TrainSettings:
        if self.momentum is not None and self.optimizer in ("adam", "adamw"):
            raise ValueError(f"momentum is an option of sgd and rmsprop; {self.optimizer} has its own")
        if self.warmup and self.schedule == "one_cycle":
            raise ValueError("schedule one_cycle begins with its own warm-up; leave warmup at 0")
        return self
