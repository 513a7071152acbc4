"""Sound to a net's answers while it is heard: samples, log mel frames, the net with its carried state.

Letters: N samples, T frames, D inputs, M targets, V values.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import BundleError
from unrolled.core.validation import validated
from unrolled.prepare import log_mel
from unrolled.prepare.log_mel import LogMel
from unrolled.prepare.readers.options import ReadOptions
from unrolled.prepare.readers.wav import BAND, front_options
from unrolled.runtime.forward import PlanForward
from unrolled.runtime.prediction import Prediction
from unrolled.runtime.stream import State as NetState
from unrolled.runtime.stream import Stream

if TYPE_CHECKING:
    from unrolled.runtime.predictor import Predictor, Settings

Array = npt.NDArray[Any]


class State(NamedTuple):
    """All that was heard and still counts."""

    front: log_mel.State
    net: NetState
    frames: int
    own: Any = None


def hears(settings: Settings) -> bool:
    """Whether a model was trained on log mel frames of recordings."""
    options = validated(ReadOptions, settings.options, where="the manifest")
    return options.rate is not None and options.sound == "log_mel"


class Hearing(ABC):
    """What the doors for sound have in common.

    Args:
        predictor: of a model of log mel frames whose every layer can stream.

    Attributes:
        rate: samples a second (Hz) that it must be given.

    Raises:
        BundleError: the bundle was not trained on recordings.
        ConfigError: a layer, or a transform of the inputs, needs the whole sound.
    """

    def __init__(self, predictor: Predictor) -> None:
        if not hears(predictor.settings) or not isinstance(predictor.forward, PlanForward):
            raise BundleError(
                "the model was not trained on recordings", mend="train it on WAV files, with its own plan"
            )
        options = validated(ReadOptions, predictor.settings.options)
        assert options.rate is not None
        predictor.check_steps()
        self.decoding, self.rate = predictor.settings.decoding, options.rate
        self._front = LogMel(front_options(options, options.rate))
        bands = [f"{BAND}{at}" for at in range(options.bands)]
        names = [column.name for column in predictor.preprocessor.schema.of_role("feature")]
        if not set(names) <= set(bands):
            raise BundleError("it reads columns that are no bands of a sound", where="the manifest")
        self._bands = None if names == bands else [bands.index(name) for name in names]
        self._scaled = predictor.preprocessor.row_scaler()  # refuses what needs other rows
        self._net = Stream(predictor.forward.plan, predictor.bundle.weights)
        sizes = predictor.outputs
        self._none = np.empty((0, sizes.steps, sizes.targets, sizes.values), np.float32)
        self._frames = 0

    @abstractmethod
    def process(self, samples: Any) -> Prediction:
        """``(N,)`` samples from -1 to 1, of any number, to what can be said after them."""

    def step(self, samples: Any) -> Prediction:
        """``process``, by the name it has for rows."""
        return self.process(samples)

    def reset(self) -> None:
        """Start anew, after silence."""
        self._front.reset()
        self._net.reset()
        self._frames = 0

    def snapshot(self) -> State:
        """A copy of all that was heard and still counts, for :meth:`restore`."""
        return State(self._front.snapshot(), self._net.snapshot(), self._frames)

    def restore(self, state: State) -> None:
        """Go on from a state that :meth:`snapshot` gave, here or in a stream of the same bundle.

        Raises:
            DataError: it belongs to another net.
        """
        self._net.restore(state.net)
        self._front.restore(state.front)
        self._frames = state.frames

    def _outputs(self, samples: npt.ArrayLike) -> Array:
        """``(T, steps, M, V)`` of the frames that end with one of ``(N,)`` samples.

        Raises:
            DataError: the samples are no row of finite numbers.
        """
        frames = self._front.process(samples)
        if not len(frames):  # most calls, where samples come one by one
            return self._none
        self._frames += len(frames)
        rows = self._scaled(frames if self._bands is None else frames[:, self._bands])
        found: Array = self._net.process(rows[None])[0]
        return found

    def _times(self, count: int) -> npt.NDArray[np.float64]:
        """``(count,)`` seconds from the beginning to the end of each of the latest frames."""
        return np.arange(self._frames - count + 1, self._frames + 1, dtype=np.float64) * self._front.seconds
