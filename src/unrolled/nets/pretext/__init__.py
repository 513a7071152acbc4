"""Questions that a series answers itself, from which the layers of a net learn without labels."""

from unrolled.nets.pretext.pretext import QUESTIONS, Pretext

__all__ = ["QUESTIONS", "Pretext"]
