"""Runs a cell in torch: a reference, torch's own kernels, and one dispatch that explains its choice."""

from unrolled.engine.backend import Backend, Request, State, Weights
from unrolled.engine.dispatch import Choice, backends, explain, register_backend, run

__all__ = [
    "Backend",
    "Choice",
    "Request",
    "State",
    "Weights",
    "backends",
    "explain",
    "register_backend",
    "run",
]
