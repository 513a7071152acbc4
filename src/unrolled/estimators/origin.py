"""What a bundle remembers of the data that an estimator was fitted on."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field, ValidationError

from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError
from unrolled.core.records import Record

_KEY = "estimator"

Label = bool | int | float | str


class Origin(Record):
    """How X and y looked in ``fit``, so that a loaded estimator reads and answers alike.

    Attributes:
        table: X was a table of rows, not an array or list of sequences.
        features: ``n_features_in_``; None of a table.
        names: ``feature_names_in_``.
        classes: labels of each target, in their own type.
    """

    table: bool = True
    features: Annotated[int, Field(ge=1)] | None = None
    names: tuple[str, ...] = ()
    classes: tuple[tuple[Label, ...], ...] = ()

    @classmethod
    def of(cls, bundle: Bundle) -> Origin:
        """What the bundle remembers; that of a table where no estimator made it.

        Raises:
            BundleError: it is damaged.
        """
        try:
            return cls.model_validate(bundle.manifest.settings.get(_KEY, {}))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise BundleError(f"its key {_KEY!r} is wrong ({first['msg'][:80]})", where="the manifest") from error

    def into(self, bundle: Bundle) -> Bundle:
        """The bundle with this in its manifest."""
        settings = {**bundle.manifest.settings, _KEY: self.model_dump(mode="json")}
        return replace(bundle, manifest=bundle.manifest.model_copy(update={"settings": settings}))
