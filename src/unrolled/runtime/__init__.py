"""Runs a bundle: on new data, in chunks, with nothing but the base install."""

from unrolled.runtime.forward import Forward, PlanForward
from unrolled.runtime.predictor import Prediction, Predictor
from unrolled.runtime.windows import Which

__all__ = ["Forward", "PlanForward", "Prediction", "Predictor", "Which"]
