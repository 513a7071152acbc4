"""WFDB annotation files, in the MIT format.

Sixteen-bit words: six bits say what, ten bits how many samples after the annotation before. Read here rather than by
wfdb, which does not come back from some damaged files. Source: WFDB Applications Guide, annot(5); the codes are those
of ``ecgcodes.h``.

Letters: A annotations.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.prepare.readers.content import load

_SYMBOLS = (
    dict(enumerate("NLRaVFJASEj/Q~", start=1)) | {16: "|"} | dict(enumerate('sT*D"=pB^t+u?![]en@xf()r', start=18))
)
_SKIP, _NUMBER, _SUBTYPE, _CHANNEL, _TEXT = 59, 60, 61, 62, 63
_RESOLUTION = re.compile(rb"## time resolution: ([0-9]+(?:\.[0-9]+)?)")


def read(path: Path, limit: int) -> tuple[npt.NDArray[np.int64], list[str], float | None]:
    """``(A,)`` sample numbers, ``(A,)`` symbols (empty for a code that is not standard), and samples a second.

    The rate is None where the file does not say it: then it is that of the signal.

    Raises:
        DataError: the file is missing, cut short or no annotation file.
    """
    data = load(path, limit)
    samples: list[int] = []
    symbols: list[str] = []
    rate = None
    at = now = 0
    while at + 2 <= len(data):
        word = int.from_bytes(data[at : at + 2], "little")
        code, count = word >> 10, word & 0x3FF
        at += 2
        if word == 0:
            return np.array(samples, dtype=np.int64), symbols, rate
        if code == _SKIP:
            # A long interval: four bytes, the high word first.
            high, low = data[at : at + 2], data[at + 2 : at + 4]
            now += int.from_bytes(low + high, "little", signed=True)
            at += 4
        elif code == _TEXT:
            if found := _RESOLUTION.match(data[at : at + count]):
                rate = float(found.group(1))
            at += count + count % 2
        elif code not in (_NUMBER, _SUBTYPE, _CHANNEL):
            now += count
            samples.append(now)
            symbols.append(_SYMBOLS.get(code, ""))
    raise DataError("the annotations end too early", where=path.name, mend="copy or download the file again")
