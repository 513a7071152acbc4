"""Runs a bundle: on new data, in chunks or step by step, with nothing but the base install."""

from unrolled.runtime.audio import AudioStream
from unrolled.runtime.chain import Chain
from unrolled.runtime.forward import Forward, PlanForward
from unrolled.runtime.prediction import Prediction
from unrolled.runtime.predictor import Predictor
from unrolled.runtime.rows import RowStream
from unrolled.runtime.spotter import Spotter
from unrolled.runtime.stream import Stream
from unrolled.runtime.windows import Which

__all__ = [
    "AudioStream",
    "Chain",
    "Forward",
    "PlanForward",
    "Prediction",
    "Predictor",
    "RowStream",
    "Spotter",
    "Stream",
    "Which",
]
