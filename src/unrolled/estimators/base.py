"""What the estimators share: one job to fit, its bundle to predict, save and pickle."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError, ConfigError
from unrolled.core.files import write_text
from unrolled.core.optional import require
from unrolled.core.records import Evaluation, Run
from unrolled.estimators.arguments import Arguments
from unrolled.estimators.job import config_of, spec_of
from unrolled.estimators.origin import Origin
from unrolled.prepare.answer import Answer
from unrolled.prepare.table import Array, Table
from unrolled.runtime import Prediction, Predictor
from unrolled.runtime.predictor import Settings
from unrolled.workflow.predict import open_bundle

if TYPE_CHECKING:
    import polars as pl

    from unrolled.workflow.config import Config
    from unrolled.workflow.train import Trained


class Estimator(Arguments):
    """Base of the estimators; they tell their fitted attributes themselves."""

    _task: ClassVar[str]
    bundle_: Bundle
    run_: Run
    n_features_in_: int

    @property
    def evaluation_(self) -> Evaluation:
        """The fitted model beside its baselines: on the validation part, without one on the training part.

        Where ``settings`` ask for a test part, it is judged on that.
        """
        self._check_run()
        return self.run_.evaluation

    def save(self, path: Path | str) -> None:
        """Write the bundle: the one file that ``load`` and ``unrolled predict`` read.

        Raises:
            NotFittedError: there is nothing to save.
            UnrolledError: the file cannot be written.
        """
        check_is_fitted(self)
        self.bundle_.write(path)

    @classmethod
    def load(cls, path: Path | str, *, net: Any = None) -> Self:
        """An estimator that predicts with a bundle, made by ``save`` or by ``unrolled train``.

        Args:
            path: of the bundle, or of a run's folder.
            net: the torch module that the bundle's weights belong to, where it was the user's own.

        Raises:
            BundleError: it is damaged, for another task, or its weights do not fit ``net``.
        """
        bundle = open_bundle(path)
        if bundle.manifest.task != cls._task:
            raise BundleError(
                f"this bundle is for the task {bundle.manifest.task!r}, {cls.__name__} is for {cls._task!r}",
                where=str(path),
            )
        made = cls()
        made.net = bundle.manifest.net if net is None else net
        made._adopt(bundle)
        made.set_params(**made._arguments(made._predictor().settings))
        return made

    def report(self, path: Path | str) -> None:
        """Write the report on the last ``fit``, one HTML file.

        Raises:
            NotFittedError: there was no ``fit``; a bundle alone holds no record of it.
            UnrolledError: the file cannot be written.
        """
        from unrolled.report.html import render

        self._check_run()
        write_text(path, render(self.run_, self.run_.config["language"]))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = {**super().__getstate__()}
        if "bundle_" in state:
            state["bundle_"] = self.bundle_.to_bytes()
            state.pop("_module")
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "bundle_" in state:
            self._adopt(Bundle.from_bytes(state["bundle_"]))

    def _arguments(self, told: Settings) -> dict[str, Any]:
        """Arguments that would fit the model of a bundle again."""
        return {"window": told.window}

    def _train(
        self,
        table: Table,
        *,
        spare: bool = True,
        target: tuple[str, ...] = (),
        weights: npt.NDArray[np.float64] | None = None,
        folder: Path | str | None = None,
    ) -> Trained:
        """Run the job."""
        from unrolled.estimators.module import generators_kept
        from unrolled.workflow.train import train

        config = config_of(self._given(), self.get_params(deep=False), self._task, spare=spare, target=target)
        own = self.net is not None and spec_of(self.net) is None
        with generators_kept():
            return train(config, data=table, weights=weights, net=deepcopy(self.net) if own else None, folder=folder)

    def _keep(self, trained: Trained, origin: Origin) -> None:
        """Take over what a job left, and write down in its bundle how the data looked."""
        bundle = origin.into(trained.bundle)
        if trained.folder is not None:
            bundle.write(trained.folder.bundle)
        self.run_ = trained.run
        self._adopt(bundle)

    def _adopt(self, bundle: Bundle) -> None:
        """Take over what predictions are made from."""
        origin = Origin.of(bundle)
        self._module = None
        if bundle.manifest.custom is not None:
            from unrolled.estimators.module import loaded

            self._module = loaded(self.net, bundle)
        self.bundle_, self._origin = bundle, origin
        names = np.asarray(origin.names, dtype=object) if origin.names else None
        for attribute, value in (("n_features_in_", origin.features), ("feature_names_in_", names)):
            if value is not None:
                setattr(self, attribute, value)
            else:
                self.__dict__.pop(attribute, None)

    def _opened(self, X: Any, target: tuple[str, ...]) -> Table:
        """A file or frame to learn from, read as ``settings`` say."""
        from unrolled.workflow.source import open_table

        return open_table(self._given().over({"data": {"target": target or None}}).data, X)

    def _given(self) -> Config:
        """What ``settings`` say."""
        from unrolled.workflow.config import Config

        return Config.parse(self.settings or {}, where="settings")

    def _predictor(self) -> Predictor:
        if self._module is None:
            return Predictor(self.bundle_)
        from unrolled.workflow.model import torch_forward

        return Predictor(self.bundle_, torch_forward(self._module))

    def _evaluate(self, data: Any) -> Evaluation:
        """The model beside its baselines, on data with the truth in it."""
        from unrolled.workflow.evaluate import evaluate_bundle

        return evaluate_bundle(self.bundle_, data, net=self._module)

    def _check_width(self, width: int) -> None:
        own = self.n_features_in_
        if width != own:
            raise ValueError(f"X has {width} features, but {type(self).__name__} is expecting {own} features as input")

    def _check_run(self) -> None:
        check_is_fitted(self, "run_", msg="This %(name)s was not fitted here; a bundle alone holds no record of it.")


def names_of(y: Any) -> tuple[str, ...] | None:
    """The columns that ``y`` names (one, a tuple, or none), or None where it holds values."""
    if y is None or isinstance(y, str):
        return () if y is None else (y,)
    return y if isinstance(y, tuple) and all(isinstance(name, str) for name in y) else None


def frame_of(prediction: Prediction) -> pl.DataFrame:
    """A prediction as a polars frame, one row a sequence and step."""
    polars = require("polars", extra="train", purpose="a table of predictions")
    frame: pl.DataFrame = polars.DataFrame(prediction.table().columns)
    return frame


def bounds_of(answer: Answer) -> tuple[Array, Array]:
    """Outermost quantiles, each in the shape of the answer's value.

    Raises:
        ConfigError: there are none.
    """
    if answer.quantiles is None:
        raise ConfigError(
            "the model has no interval: there was no validation part to calibrate one",
            where="predict_interval",
            mend="fit with valid=0.15 and more data",
        )
    return answer.quantiles[..., 0], answer.quantiles[..., -1]
