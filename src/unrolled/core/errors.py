"""What can go wrong, in few classes; each message names what, where and the mend.

Wrong data and wrong options are ``ValueError`` too, as NumPy and scikit-learn raise for them.
"""

from __future__ import annotations


class UnrolledError(Exception):
    """Base of every error a user can cause; the command line prints it and exits with code 2.

    Args:
        what: what is wrong, in one clause.
        where: the file, row, column or option concerned.
        mend: what the user can do about it.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, where, mend
        place = f"{where}: " if where else ""
        cure = f"\n  {mend[0].upper()}{mend[1:]}" if mend else ""
        super().__init__(f"{place}{what}{cure}")


class DataError(UnrolledError, ValueError):
    """The data cannot be used as given."""


class ConfigError(UnrolledError, ValueError):
    """An option, a configuration key or a net spec is wrong."""


class BundleError(UnrolledError):
    """A bundle is damaged, hostile, too new, or does not fit the data."""


class BackendError(UnrolledError):
    """A requested backend cannot serve a request."""


class TrainingError(UnrolledError):
    """Training cannot go on (a loss that is not finite, a checkpoint that does not fit)."""


class DivergedError(TrainingError):
    """A loss, gradient or answer of training is not finite."""


class MemoryUsedUpError(TrainingError):
    """The machine or its device has not the memory that a net needs."""


class MissingExtraError(UnrolledError):
    """An optional dependency is not installed."""
