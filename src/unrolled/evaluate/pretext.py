"""A pretrained encoder judged: how well it answers its own question, beside the simple method.

Letters: n samples.
"""

from __future__ import annotations

import numpy as np

from unrolled.core.errors import TrainingError
from unrolled.core.records import Evaluation
from unrolled.evaluate import notes as told
from unrolled.evaluate.bootstrap import Resampler, clusters
from unrolled.evaluate.verdict import verdict
from unrolled.prepare.samples import Samples
from unrolled.tasks.pretrain import MEASURES, Pretrain
from unrolled.tasks.statistic import Additive, Float, ratio


def assess_pretext(task: Pretrain, scores: Float, samples: Samples, *, name: str) -> Evaluation:
    """Figures with intervals and a verdict.

    Args:
        task: which question was asked.
        scores: ``(n, 3)`` loss, that of the simple method, and number of terms of each sample.
        samples: the n samples.
        name: of the part.

    Raises:
        TrainingError: a score is not a finite number.
    """
    if not np.isfinite(scores).all():
        raise TrainingError("the encoder's loss is not a finite number", mend="train with a smaller learning rate")
    measure, simple = MEASURES[task.settings.kind]
    own, theirs = (Additive(measure, "lower", scores[:, [at, 2]].astype(np.float64), ratio) for at in (0, 1))
    resampler = Resampler(clusters(samples, 1))
    return Evaluation(
        task=task.name,
        part=name,
        count=len(samples),
        model=resampler.scores("model", (own,)),
        baselines=(resampler.scores(simple, (theirs,)),),
        verdict=verdict(task.name, measure, (own,), {simple: (theirs,)}, resampler),
        notes=(told.on_training(),) if name == "train" else (),
    )
