"""What differs when the job is to pretrain: the net asks itself, and what is left is an encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from unrolled.core.bundle import Bundle
from unrolled.core.errors import ConfigError
from unrolled.core.records import Evaluation
from unrolled.evaluate import assess_pretext
from unrolled.nets import Pretext
from unrolled.program.shapes import Inputs
from unrolled.tasks import Pretrain
from unrolled.workflow.job import Job
from unrolled.workflow.model import chunks, torch_forward
from unrolled.workflow.pack import to_bundle

_CHUNK = 256  # samples at once


def build(task: Pretrain, wanted: nn.Module | str | list[Any], inputs: Inputs) -> Pretext:
    """The encoder of the net that is ``wanted``, with its question.

    Raises:
        ConfigError: it is a module of one's own, or has nothing to pretrain.
    """
    if isinstance(wanted, nn.Module) or ":" in wanted:
        raise ConfigError(
            "which layers of a module of your own are its encoder is not known",
            where="net",
            mend="pretrain a net spec, or train the module in your own loop",
        )
    return Pretext(wanted, inputs, task.settings.kind, task.settings.asked)


def judge(job: Job, net: Pretext) -> Evaluation:
    """The test part; without one the validation part, without that the training part."""
    held = next(job.sections[name] for name in ("test", "valid", "train") if name in job.sections)
    forward = torch_forward(net)
    gathered = (job.preprocessor.arrays(held.series, some, truth=False) for some in chunks(held.samples, _CHUNK))
    scores = np.concatenate([forward(**arrays.inputs()) for arrays in gathered])
    assert isinstance(job.task, Pretrain)
    return assess_pretext(job.task, scores, held.samples, name=held.name)


def bundle(job: Job, net: Pretext) -> Bundle:
    """The encoder's weights, with all that a job that starts from them must know."""
    return to_bundle(job.config, job.source, job.task, net, job.preprocessor, None)
