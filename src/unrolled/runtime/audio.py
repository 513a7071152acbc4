"""Sound to answers while it is heard: samples, log mel frames, the net with its carried state, probabilities.

Letters: N samples, T frames, D inputs, M targets, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import BundleError
from unrolled.core.validation import validated
from unrolled.prepare import decode
from unrolled.prepare.answer import Answer
from unrolled.prepare.log_mel import LogMel
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.wav import BAND, front_options
from unrolled.runtime.forward import PlanForward
from unrolled.runtime.predictor import Predictor
from unrolled.runtime.stream import Stream

State = tuple[npt.NDArray[np.float64], dict[str, Any]]


class AudioStream:
    """A bundle that was trained on recordings, hearing one sound.

    After the same samples its last answer is that of ``Predictor.predict`` on a file of them.

    Args:
        predictor: of a classifier of log mel frames whose every layer can stream.

    Attributes:
        rate: samples a second (Hz) that it must be given.

    Raises:
        BundleError: the bundle was not trained on recordings.
        ConfigError: a layer, or a transform of the inputs, needs the whole sound.

    Example:
        >>> heard = AudioStream(Predictor(Bundle.read("words.unrolled")))
        >>> answer = heard.process(samples)  # as many as there are
        >>> answer.probability[-1, 0]  # of each class, after the last frame
    """

    def __init__(self, predictor: Predictor) -> None:
        options = validated(ReadOptions, predictor.settings.options, where="the manifest")
        if options.rate is None or options.sound != "log_mel" or not isinstance(predictor.forward, PlanForward):
            raise BundleError(
                "the model was not trained on recordings", mend="train it on WAV files, with its own plan"
            )
        self._predictor, self.rate = predictor, options.rate
        self._front = LogMel(front_options(options, options.rate))
        bands = [f"{BAND}{at}" for at in range(options.bands)]
        names = [column.name for column in predictor.preprocessor.schema.of_role("feature")]
        if not set(names) <= set(bands):
            raise BundleError("it reads columns that are no bands of a sound", where="the manifest")
        self._bands = [bands.index(name) for name in names]
        self._scaled = predictor.preprocessor.row_scaler()
        self._net = Stream(predictor.forward.plan, predictor.bundle.weights)
        sizes = predictor.outputs
        none = np.empty((0, sizes.steps, sizes.targets, sizes.values))
        self._silent = decode.decode(none, predictor.settings.decoding)

    def process(self, samples: npt.ArrayLike) -> Answer:
        """``(N,)`` samples from -1 to 1, of any number, to the answers after each frame that ends with one of them.

        Raises:
            DataError: the samples are no row of finite numbers.
        """
        frames = self._front.process(samples)[:, self._bands]
        if not len(frames):  # most calls, where samples come one by one
            return self._silent
        rows = self._scaled(frames)
        output = self._net.process(rows[None])[0]
        return decode.decode(output, self._predictor.settings.decoding)

    def reset(self) -> None:
        """Start anew, after silence."""
        self._front.reset()
        self._net.reset()

    def snapshot(self) -> State:
        """A copy of all that was heard and still counts, for :meth:`restore`."""
        return self._front.snapshot(), self._net.snapshot()

    def restore(self, state: State) -> None:
        """Go on from a state that :meth:`snapshot` gave, here or in a stream of the same bundle.

        Raises:
            DataError: it belongs to another net.
        """
        self._net.restore(state[1])
        self._front.restore(state[0])
