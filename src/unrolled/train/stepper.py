"""One optimiser step: the gradients of a group of batches, clipped, and the update."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.data.batch import Batch
from unrolled.train.layerwise import parameter_groups, trained_share
from unrolled.train.optimizer import build_optimizer
from unrolled.train.protocols import Loss
from unrolled.train.settings import TrainSettings


class Stepper:
    """Net, loss and optimiser on the device.

    Attributes:
        net: what training and validation call.
        optimizer: torch's own.

    Raises:
        ConfigError: the cell state is to be penalised, and the net does not tell it.
    """

    def __init__(self, net: nn.Module, loss: Loss, settings: TrainSettings, fabric: Fabric) -> None:
        self._penalty: Callable[[], Tensor] | None = getattr(net, "state_penalty", None)
        self._own: Callable[[], Tensor | None] = getattr(net, "own_penalty", lambda: None)
        self._others: Callable[[], Sequence[Tensor]] = getattr(net, "other_answers", tuple)
        if settings.state_l2 and self._penalty is None:
            raise ConfigError(
                "this net does not tell its cell state (it has no method state_penalty)",
                where="state_l2",
                mend="leave state_l2 at 0 for this net",
            )
        self._loss, self._settings, self._fabric = loss, settings, fabric
        net.to(fabric.device)
        self._groups = parameter_groups(net, settings)
        self._frozen: list[nn.Parameter] = []
        self.optimizer = build_optimizer([values for _, values in self._groups], settings)
        self._wrapped, self._optimizer = fabric.setup(net, self.optimizer)
        # Fabric's wrapper casts and synchronises; where there is neither it only costs time in each step.
        plain = fabric.world_size == 1 and settings.precision == "32"
        self.net: nn.Module = net if plain else self._wrapped

    def begin(self, epoch: int) -> None:
        """Freeze the weights that epoch ``epoch``, the first being 0, does not train: nothing is computed for them.

        Their gradients are not wanted, nor those of what lies below frozen weights alone. Several processes exchange
        the gradients of all weights, so there those of frozen ones are computed and dropped.
        """
        self._frozen = [value for pace, values in self._groups if not pace.trains(epoch) for value in values]
        self._want_all()
        if self._fabric.world_size == 1:
            for value in self._frozen:
                value.requires_grad_(False)

    def end(self) -> None:
        """Leave the weights as they were found, wanting gradients."""
        self._want_all()

    def gradients(self, group: Sequence[Batch], total: float) -> tuple[Tensor, Tensor]:
        """Clipped gradients of the mean over all samples of ``group``, in all processes together.

        Args:
            group: batches whose gradients are added up (more than one: gradient accumulation).
            total: samples of the group, over all processes.

        Returns:
            The mean loss of this process's samples, and the gradient norm before clipping: scalars on the device.
        """
        self.optimizer.zero_grad(set_to_none=True)
        own = sum(len(batch) for batch in group)
        losses = []
        for number, batch in enumerate(group, start=1):
            more = number < len(group)
            with self._fabric.no_backward_sync(self._wrapped) if more else nullcontext():
                loss = self._backward(batch.to(self._fabric.device), total)
            losses.append(loss if len(group) == 1 else loss * (len(batch) / own))
        for value in self._frozen:  # an optimiser leaves such weights, and its memory of them, as they are
            value.grad = None
        mean = losses[0] if len(group) == 1 else torch.stack(losses).sum()
        # Without a limit the norm is still wanted, for the row of the epoch.
        limit = self._settings.clip_norm or math.inf
        norm = self._fabric.clip_gradients(self.net, self._optimizer, max_norm=limit, error_if_nonfinite=False)
        assert norm is not None  # only clipping by value returns None
        return mean, norm

    def update(self, rate: float) -> None:
        """Take the step with learning rate ``rate``."""
        for group, (pace, _) in zip(self.optimizer.param_groups, self._groups, strict=True):
            group["lr"] = rate * pace.rate
        self._optimizer.step()

    def row(self, epoch: int) -> dict[str, float]:
        """What an epoch's row says of layers that are not all trained all the time."""
        late = any(pace.begin or pace.end is not None for pace, _ in self._groups)
        return {"trained": trained_share(self._groups, epoch)} if late else {}

    def _want_all(self) -> None:
        for _, values in self._groups:
            for value in values:
                value.requires_grad_(True)

    def _backward(self, batch: Batch, total: float) -> Tensor:
        """Add this batch's share of the gradient; its own mean loss, without penalties."""
        answers = (self.net(**batch.inputs()), *self._others())
        losses = [self._loss(answer, batch) for answer in answers]
        goal = loss = losses[0] if len(losses) == 1 else torch.stack(losses).mean()
        own = self._own()
        if own is not None:
            goal = goal + own
        if self._settings.state_l2 and self._penalty is not None:
            goal = goal + self._settings.state_l2 * self._penalty()
        # Processes' gradients are averaged, hence the factor of their number.
        share = len(batch) * self._fabric.world_size / total
        self._fabric.backward(goal if share == 1 else goal * share)
        return loss.detach()
