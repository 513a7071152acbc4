"""Words in a sound that does not end: each is told when it is heard, silence and the rest are not.

Fernandez, Graves & Schmidhuber 2007 ("An Application of Recurrent Neural Networks to Discriminative Keyword Spotting",
ICANN): the net is trained by CTC on strings of labels, so that the blank stands for whatever is no word, and labels
come as short peaks.

Letters: N samples, T frames, V labels with the blank, n labels heard.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.core.errors import ConfigError
from unrolled.prepare.answer import Answer
from unrolled.prepare.ctc import BLANK, Path
from unrolled.prepare.decode import softmax
from unrolled.prepare.decoding import StringDecoding
from unrolled.runtime.audio import SOUND
from unrolled.runtime.hearing import Hearing, State
from unrolled.runtime.prediction import Prediction

if TYPE_CHECKING:
    from unrolled.runtime.predictor import Predictor


class Spotter(Hearing):
    """A bundle for strings of labels (task ``ctc``) that was trained on recordings, hearing a sound without end.

    With ``sure`` 0 the labels so far are those that ``Predictor.predict`` gives for a file of the sound so far, by the
    likeliest path.

    Args:
        predictor: of the bundle.
        sure: probability from which on a label counts; below it the frame says nothing.

    Example:
        >>> ear = Spotter(Predictor(Bundle.read("words.unrolled")), sure=0.5)
        >>> print(ear.process(samples).table().columns)  # id, time (s), word, probability of each word that begins
    """

    def __init__(self, predictor: Predictor, sure: float = 0.0) -> None:
        super().__init__(predictor)
        if not isinstance(self.decoding, StringDecoding):
            raise ConfigError("it hears strings of labels", where="the task", mend="train with --task ctc")
        if not 0 <= sure <= 1:
            raise ConfigError(f"must be a probability, it is {sure}", where="option sure")
        self._sure, self._path = sure, Path()
        self._answer = Answer(
            "ctc",
            np.empty((0, 1)),
            targets=self.decoding.targets,
            classes=(self.decoding.labels,),
            spelling=self.decoding.spelling,
        )

    def process(self, samples: Any) -> Prediction:
        """``(N,)`` samples from -1 to 1, of any number, to the n labels that begin with one of their frames.

        Raises:
            DataError: the samples are no row of finite numbers.
        """
        output = self._outputs(samples)
        chance = softmax(output[:, 0, 0])
        label = chance.argmax(axis=1)
        likely = chance[np.arange(len(chance)), label]
        at = self._path.follow(np.where(likely < self._sure, BLANK, label))
        answer = replace(self._answer, value=label[at, None] - 1.0, probability=likely[at, None, None])
        return Prediction(answer, (SOUND,) * len(at), self._times(len(output))[at])

    def reset(self) -> None:
        super().reset()
        self._path = Path()

    def snapshot(self) -> State:
        return super().snapshot()._replace(own=self._path.last)

    def restore(self, state: State) -> None:
        super().restore(state)
        self._path = Path(state.own)
