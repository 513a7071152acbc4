"""What is known of the data before anything is trained."""

from __future__ import annotations

from itertools import chain

from unrolled.advise.profile.balance import balance
from unrolled.advise.profile.course import course
from unrolled.advise.profile.enough import too_small
from unrolled.advise.profile.extent import extent
from unrolled.advise.profile.guess import guesses
from unrolled.advise.profile.leaks import leaks
from unrolled.advise.profile.material import Material
from unrolled.advise.profile.memory import memory
from unrolled.advise.profile.noise import noise
from unrolled.core.advice import Fact, Profile


def profile(material: Material, held: Material | None = None, *, judged_on: str = "") -> Profile:
    """Facts on the training part, and what simple methods reach on another.

    Args:
        material: the training part.
        held: the part that simple methods are judged on; None leaves them out.
        judged_on: its name.
    """
    found = list(
        chain(
            extent(material),
            noise(material),
            course(material),
            memory(material),
            balance(material),
            leaks(material, held),
        )
    )
    facts = tuple(sorted((one for one in found if isinstance(one, Fact)), key=lambda fact: _TOPICS.index(fact.topic)))
    made = Profile(
        task=material.task.name,
        target=tuple(column.name for column in material.preprocessor.layout.targets),
        facts=facts,
        guesses=() if held is None else guesses(material, held),
        judged_on=judged_on,
        pictures=tuple(one for one in found if not isinstance(one, Fact)),
    )
    return made.model_copy(update={"too_small": too_small(made.figures)})


_TOPICS = ("size", "time", "signal", "memory", "classes", "leak")

__all__ = ["Material", "profile"]
