"""Sound to answers while it is heard: after each frame the answer so far.

Letters: N samples, T frames, M targets, K classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unrolled.core.errors import ConfigError
from unrolled.prepare import decode
from unrolled.prepare.decoding import StringDecoding
from unrolled.runtime.hearing import Hearing
from unrolled.runtime.prediction import Prediction

if TYPE_CHECKING:
    from unrolled.runtime.predictor import Predictor

SOUND = "sound"
"""What stands for the name of a sequence in answers to a sound that is heard."""


class AudioStream(Hearing):
    """A bundle that was trained on recordings, hearing one sound; ``Predictor.stream`` makes it.

    After the same samples its last answer is that of ``Predictor.predict`` on a file of them.

    Example:
        >>> heard = Predictor(Bundle.read("words.unrolled")).stream()
        >>> found = heard.process(samples)  # as many as there are
        >>> found.answer.probability[-1, 0], found.times[-1]  # of each class after the last frame, and when that ended
    """

    def __init__(self, predictor: Predictor) -> None:
        super().__init__(predictor)
        if isinstance(self.decoding, StringDecoding):
            raise ConfigError(
                "strings of labels are heard label by label", where="the task", mend="use runtime.Spotter"
            )

    def process(self, samples: Any) -> Prediction:
        """``(N,)`` samples from -1 to 1, of any number, to the answers after each frame that ends with one of them.

        Raises:
            DataError: the samples are no row of finite numbers.
        """
        answer = decode.decode(self._outputs(samples), self.decoding)
        return Prediction(answer, (SOUND,) * len(answer), self._times(len(answer)))
