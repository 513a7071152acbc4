"""Contract checks for extensions: does your cell or your backend hold what ours hold?"""

from unrolled.testing.backends import check_backend
from unrolled.testing.cells import check_cell
from unrolled.testing.programs import RandomPrograms

__all__ = ["RandomPrograms", "check_backend", "check_cell"]
