"""The named moments of training at which other code may look in."""

from __future__ import annotations

from unrolled.core.diagnosis import Finding
from unrolled.train.fitting import Fitting


class Hook:
    """Override what is needed. In data-parallel training the first process alone calls hooks.

    A hook ends training after the running epoch by setting ``fitting.stop`` to its reason, in ``on_epoch``.
    """

    def on_start(self, fitting: Fitting) -> None:
        """Before the first batch; after the checkpoint was read when a run is resumed."""

    def on_batch(self, fitting: Fitting) -> None:
        """After each optimiser step."""

    def on_epoch(self, fitting: Fitting) -> None:
        """After validation; ``fitting.rows[-1]`` is the new row."""

    def on_alarm(self, fitting: Fitting, found: Finding) -> None:
        """After ``on_epoch``, once for each thing that the figures of this epoch were the first to warn of."""

    def on_stop(self, fitting: Fitting) -> None:
        """After the last epoch, with the best weights in place."""

    def on_error(self, fitting: Fitting, error: Exception) -> None:
        """Before an error leaves training, with the best weights in place."""
