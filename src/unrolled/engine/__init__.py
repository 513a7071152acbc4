"""Runs a cell in torch: a reference, torch's own kernels, and one dispatch that explains its choice."""

from unrolled.engine.backend import Backend, Request, State, Weights
from unrolled.engine.dispatch import Choice, backends, explain, register_backend, run
from unrolled.engine.noise import draw_noise

__all__ = [
    "Backend",
    "Choice",
    "Request",
    "State",
    "Weights",
    "backends",
    "draw_noise",
    "explain",
    "register_backend",
    "run",
]
