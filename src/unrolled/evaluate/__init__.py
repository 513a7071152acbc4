"""A fitted model against data: figures with intervals, beside simple methods."""

from unrolled.evaluate.backtest import Backtest, Fold, backtest, folds
from unrolled.evaluate.baselines import BASELINES, baselines
from unrolled.evaluate.bootstrap import Resampler, clusters
from unrolled.evaluate.contest import Contest
from unrolled.evaluate.copycat import Copying, copying
from unrolled.evaluate.evaluation import Fitted, assess, evaluate, training_part
from unrolled.evaluate.part import Part
from unrolled.evaluate.pretext import assess_pretext
from unrolled.evaluate.season import season_of

__all__ = [
    "BASELINES",
    "Backtest",
    "Contest",
    "Copying",
    "Fitted",
    "Fold",
    "Part",
    "Resampler",
    "assess",
    "assess_pretext",
    "backtest",
    "baselines",
    "clusters",
    "copying",
    "evaluate",
    "folds",
    "season_of",
    "training_part",
]
