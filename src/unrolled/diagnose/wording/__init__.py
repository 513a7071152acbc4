"""What a diagnosis says: for each finding what was seen, why it may be so, and what to do, in both languages.

Figures are put in by name.
"""

from __future__ import annotations

from collections.abc import Sequence

from unrolled.core.diagnosis import Drawn, Example, Finding, Level, worded
from unrolled.diagnose.wording import inside, outside
from unrolled.train.wording import SAID as TRAINING

SAID = TRAINING | inside.SAID | outside.SAID


def finding(
    code: str,
    level: Level,
    *,
    probe: str,
    place: str = "",
    figures: dict[str, float] | None = None,
    pictures: Sequence[Drawn] = (),
    examples: Sequence[Example] = (),
    **words: str,
) -> Finding:
    """A finding in both languages; ``figures`` and ``words`` fill its sentences."""
    return worded(
        SAID, code, level, probe=probe, place=place, figures=figures, pictures=pictures, examples=examples, **words
    )
