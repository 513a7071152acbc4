"""Sessions as they happen: a click goes in, the likeliest next items come out.

Letters: R items.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unrolled.core.bundle import Bundle
from unrolled.core.errors import ConfigError
from unrolled.prepare.decode import decode
from unrolled.prepare.decoding import RankDecoding
from unrolled.runtime.forward import PlanForward
from unrolled.runtime.predictor import Predictor
from unrolled.runtime.stream import State, Stream


class Recommended(NamedTuple):
    """An item and its probability to be the next."""

    item: str
    probability: float


class Recommender:
    """One session at a time, item by item; each step equals a prediction from the whole session so far.

    Args:
        bundle: of the task ``recommend``, whose only input is the item.

    Raises:
        BundleError: the bundle is damaged, or has no plan.
        ConfigError: it is of another task, reads more than the item, or cannot run step by step.

    Example:
        >>> shop = Recommender(Bundle.read("model.unrolled"))
        >>> shop.click("214536502")[0].item
        '214536500'
    """

    def __init__(self, bundle: Bundle) -> None:
        predictor = Predictor(bundle)
        decoding, forward = predictor.settings.decoding, predictor.forward
        if not isinstance(decoding, RankDecoding) or not isinstance(forward, PlanForward):
            raise ConfigError(f"the bundle is for {bundle.manifest.task!r}, not for recommend", where="the bundle")
        inputs = predictor.preprocessor.inputs()
        if inputs.numbers or len(inputs.categories) > 1 or inputs.static_numbers or inputs.static_categories:
            raise ConfigError(
                "the model reads more than the items",
                where="the bundle",
                mend="predict from files with unrolled predict",
            )
        self._decoding = decoding
        self._codes = {item: code for code, item in enumerate(decoding.items)}
        self._stream = Stream(forward.plan, forward.weights)

    def click(self, item: object) -> list[Recommended]:
        """The next items after one more, best first; an item that training has not seen counts as unknown."""
        code = self._codes.get(str(item), len(self._codes))
        answer = decode(self._stream.step(np.array([[code]], dtype=np.float32)), self._decoding)
        assert answer.ranking is not None and answer.probability is not None
        pairs = zip(answer.ranking[0, 0].tolist(), answer.probability[0, 0].tolist(), strict=True)
        return [Recommended(self._decoding.items[at], chance) for at, chance in pairs]

    def reset(self) -> None:
        """A new session begins."""
        self._stream.reset()

    def snapshot(self) -> State:
        """The session so far, for ``restore``: many sessions can take turns."""
        return self._stream.snapshot()

    def restore(self, state: State) -> None:
        """Go on with a session from its snapshot; raises ``DataError`` where it is of another net."""
        self._stream.restore(state)
