"""The next item of a session.

Letters: n sessions, K items.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError, ConfigError, DataError
from unrolled.data import VALID_SHARE
from unrolled.estimators.base import Estimator, names_of
from unrolled.estimators.forms import is_table, listed
from unrolled.estimators.job import FEWEST
from unrolled.estimators.labels import classes_of, in_column
from unrolled.estimators.origin import Origin
from unrolled.estimators.sequences import Sequences
from unrolled.prepare.decoding import RankDecoding
from unrolled.prepare.readers import words
from unrolled.prepare.table import Array, Hints, Table

_ITEM = "item"


class Recommender(Sequences, Estimator):
    """Tells what comes next in a session, from the items so far (GRU4Rec; Hidasi et al. 2016).

    Args:
        window: items that a recommendation looks back on at most; None takes the longest session, up to 50.
        valid: share or number of the latest sessions that only choose when to stop; None takes 15 %, where that makes
            ten sessions, and none otherwise.
        net, epochs, batch_size, learning_rate, random_state, settings: as of ``Arguments``; settings such as
            ``{"task": {"loss": "bpr_max"}}``.

    Attributes:
        items_: ``(K,)`` items of the catalogue in their own type.
        evaluation_: recall and mean reciprocal rank, beside popularity and first-order counts.
        bundle_: everything a prediction needs.

    Example:
        >>> from unrolled import Recommender
        >>> sessions = [[1, 2, 3, 4], [3, 4, 5], [5, 1, 2], [2, 3, 4, 5, 1]] * 10
        >>> model = Recommender([{"gru": {"size": 16}}], epochs=30, learning_rate=0.03, random_state=0).fit(sessions)
        >>> model.predict([[3, 4], [4, 5]]).tolist(), model.recommend([[4]], 2).shape
        ([5, 1], (1, 2))
    """

    _task = "recommend"

    def fit(self, X: Any, y: Any = None, *, folder: Path | str | None = None) -> Self:
        """Learn from sessions.

        Args:
            X: n lists of items (numbers or words), in the order in which the sessions began; or a table, a row a
                choice: a file of clicks, or one whose sessions ``settings`` name: ``{"data": {"group": "visit"}}``.
            y: of a table the name of the column of items; None where X or ``settings`` say it.
            folder: where the run is kept (config, metrics, bundle, report); None writes nothing.

        Raises:
            ValueError: X or an argument is not usable (``DataError`` and ``ConfigError`` are such errors).
        """
        names = names_of(y)
        if names is None or (names and not is_table(X)):
            raise ConfigError("what follows an item is in its session", where="y", mend="leave it out")
        if is_table(X):
            return self._fit_table(X, names, folder)
        sessions, origin = self._checked(X, fitting=True)
        items = np.array([item for session in sessions for item in session])
        spare = round(VALID_SHARE * len(sessions)) >= FEWEST
        trained = self._train(self._tabled(sessions), spare=spare, target=(_ITEM,), folder=folder)
        self._keep(trained, origin.model_copy(update={"classes": self._classes_of(trained.bundle, items)}))
        return self

    @property
    def items_(self) -> Array:
        """``(K,)`` items that can be recommended."""
        check_is_fitted(self)
        return self._items

    def predict(self, X: Any) -> Array:
        """``(n,)`` the likeliest next item of each session.

        Args:
            X: as in ``fit``; items that training has not seen count as unknown.

        Raises:
            ValueError: X is not what the estimator was fitted on.
        """
        return self.recommend(X, 1)[:, 0]

    def recommend(self, X: Any, count: int | None = None) -> Array:
        """``(n, count)`` likeliest next items, best first.

        Args:
            X: as in ``predict``.
            count: None gives all that an answer lists: 20, or ``settings["task"]["top"]``.

        Raises:
            ValueError: as of ``predict``, or more items are wanted than an answer lists.
        """
        ranking = self._predicted(X).answer.ranking
        assert ranking is not None
        most = ranking.shape[2]
        if count is not None and not 1 <= count <= most:
            raise ConfigError(
                f"it is {count}, and an answer lists {most} items",
                where="count",
                mend='fit with settings["task"]["top"]',
            )
        return self._items[ranking[:, 0, :count]]

    def score(self, X: Any, y: Any = None) -> float:
        """How often what followed was among the best 20 (5 where there are fewer than 100 items), at each item.

        Args:
            X: sessions, as in ``fit``.
            y: not looked at.
        """
        check_is_fitted(self)
        table = X if self._origin.table else self._tabled(self._checked(X, fitting=False)[0])
        return self._evaluate(table).model.metrics[0].value  # the first is that of the verdict

    def _checked(self, X: Any, *, fitting: bool) -> tuple[Any, Origin]:
        sessions = listed(X)
        for number, session in enumerate(sessions):
            if not words.is_row(session) or not len(session) or any(item is None or item != item for item in session):
                raise DataError("it is no list of items", where=f"X, session {number}")
        if not sessions:
            raise DataError("there is no session", where="X", mend="give a list of lists of items")
        return [list(session) for session in sessions], Origin(table=False)

    def _tabled(self, sequences: Any, truth: Array | None = None) -> Table:
        return words.read(sequences, {}, "X", hints=Hints(target=(_ITEM,), task=self._task), column=_ITEM)

    def _classes_of(self, bundle: Bundle, truth: Array | Table) -> tuple[tuple[Any, ...], ...]:
        decoding = bundle.manifest.settings["decoding"]
        name = decoding["targets"][0]
        given = in_column(truth.columns.get(name)) if isinstance(truth, Table) else truth
        return (classes_of(decoding["items"], given),)

    def _adopt(self, bundle: Bundle) -> None:
        super()._adopt(bundle)
        decoding = self._predictor().settings.decoding
        assert isinstance(decoding, RankDecoding)
        given = self._origin.classes[0] if self._origin.classes else decoding.items
        if len(given) != len(decoding.items):
            raise BundleError("its items are not those of its catalogue", where="the manifest")
        self._items = np.array(given)
