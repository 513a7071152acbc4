"""The vocabulary all rooms share: errors, records, the bundle format, tolerances, files."""
