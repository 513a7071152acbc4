"""A live line in the terminal or notebook; plain lines where the output is a file or a pipe."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from unrolled.core.diagnosis import Finding
from unrolled.core.records import Language
from unrolled.train.fitting import Fitting
from unrolled.train.hooks import Hook

_EVERY = 0.1  # seconds between two updates
_WORDS: dict[str, tuple[str, str]] = {
    "epoch": ("epoch", "轮次"),
    "loss": ("loss", "损失"),
    "valid_loss": ("valid loss", "验证损失"),
    "grad_norm": ("gradient norm", "梯度范数"),
    "clip_rate": ("clipped", "裁剪"),
    "left": ("at most {} left", "最多剩余 {}"),
    "best": ("best epoch", "最佳轮次"),
    "epochs": ("all epochs done", "全部轮次完成"),
    "early": ("no improvement any more", "指标不再改善，提前停止"),
    "time": ("time budget used up", "时间预算用尽"),
    "interrupted": ("interrupted", "已中断"),
}


class Progress(Hook):
    """Shows loss, metric, gradient norm, clip rate and the time left.

    Args:
        language: of the words.
        console: where to write; standard error by default, so that results can be piped.
    """

    def __init__(self, language: Language = "en", console: Console | None = None) -> None:
        self._chinese = language == "zh"
        self._console = console or Console(stderr=True)
        self._live = self._console.is_terminal or self._console.is_jupyter
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._shown = 0.0
        self._began = (0.0, 0)

    def on_start(self, fitting: Fitting) -> None:
        self._began = (fitting.seconds, _batches_done(fitting))
        if self._live:
            columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[figures]}"))
            self._bar = Bar(*columns, console=self._console)
            self._task = self._bar.add_task("", total=fitting.batches, figures="")
            self._bar.start()

    def on_batch(self, fitting: Fitting) -> None:
        now = time.monotonic()
        if self._bar is not None and now - self._shown >= _EVERY:
            self._shown = now
            last = fitting.rows[-1] if fitting.rows else {}
            self._update(fitting, last | {"train_loss": fitting.watch.loss} | fitting.watch.row())

    def on_epoch(self, fitting: Fitting) -> None:
        row = fitting.rows[-1]
        if self._bar is None:
            self._say(f"{self._title(fitting.epoch, fitting)}  {self._figures(row, fitting)}")
        else:
            self._update(fitting, row)

    def on_alarm(self, fitting: Fitting, found: Finding) -> None:
        texts = (found.said, found.cause, found.action)
        place = f"{found.place}: " if found.place else ""
        self._say(f"! {place}{' '.join(text.text('zh' if self._chinese else 'en') for text in texts)}")

    def on_stop(self, fitting: Fitting) -> None:
        self._close()
        reason = self._word(fitting.stop or "epochs")
        self._say(f"{reason}; {self._word('best')} {fitting.best.epoch or fitting.epoch}")

    def on_error(self, fitting: Fitting, error: Exception) -> None:
        self._close()

    def _update(self, fitting: Fitting, row: Mapping[str, float]) -> None:
        assert self._bar is not None  # only the live display is updated
        at = min(fitting.epoch + 1, fitting.settings.epochs)
        done = fitting.batch if fitting.batch else fitting.batches * (fitting.epoch > 0)
        figures = self._figures(row, fitting)
        self._bar.update(self._task, completed=done, description=self._title(at, fitting), figures=figures)

    def _title(self, epoch: int, fitting: Fitting) -> str:
        return f"{self._word('epoch')} {epoch}/{fitting.settings.epochs}"

    def _figures(self, row: Mapping[str, float], fitting: Fitting) -> str:
        metrics = [name for name in row if name.startswith("valid_") and name != "valid_loss"]
        parts = [f"{self._word('loss')} {row['train_loss']:.4g}"]
        parts += [f"{self._word(name)} {row[name]:.4g}" for name in ("valid_loss",) if name in row]
        parts += [f"{name.removeprefix('valid_')} {row[name]:.4g}" for name in metrics]
        parts += [
            f"{self._word('grad_norm')} {row['grad_norm']:.3g}",
            f"{self._word('clip_rate')} {row['clip_rate']:.0%}",
        ]
        if (left := self._left(fitting)) is not None:
            parts.append(self._word("left").format(timedelta(seconds=round(left))))
        return "  ".join(parts)

    def _left(self, fitting: Fitting) -> float | None:
        """Seconds to the last epoch at the speed so far; early stopping may end sooner."""
        seconds, batches = self._began
        done = _batches_done(fitting)
        if done == batches:
            return None
        each = (fitting.seconds - seconds) / (done - batches)
        left = each * (fitting.settings.epochs * fitting.batches - done)
        budget = fitting.settings.max_seconds
        return left if budget is None else max(0.0, min(left, budget - fitting.seconds))

    def _say(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, highlight=False)

    def _word(self, word: str) -> str:
        return _WORDS[word][self._chinese] if word in _WORDS else word

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _batches_done(fitting: Fitting) -> int:
    return fitting.epoch * fitting.batches + fitting.batch
