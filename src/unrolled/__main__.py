"""``python -m unrolled`` is the command ``unrolled``."""

from unrolled.cli.main import main

main()
