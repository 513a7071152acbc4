"""The tests of this folder again, in a library built with the compiler's sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.exhaustive

_ROOT = Path(__file__).parents[2]

_RUN = """
import sys
from pathlib import Path
import unrolled.native.library as library
library._FILE = Path(sys.argv[1])
assert library.reason() is None, library.reason()
import pytest
sys.exit(pytest.main(["-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not exhaustive", *sys.argv[2:]]))
"""


def _library(name: str) -> str:
    found = subprocess.run(["gcc", f"-print-file-name={name}"], check=True, capture_output=True, text=True)
    return found.stdout.strip()


@pytest.mark.parametrize(
    ("sanitizers", "runtime", "files"),
    [
        ("address,undefined", "libasan.so", ["test_kernel.py", "test_functions.py", "test_stream.py"]),
        ("thread", "libtsan.so", ["test_kernel.py"]),
    ],
)
def test_sanitizers_find_nothing(sanitizers: str, runtime: str, files: list[str], tmp_path: Path) -> None:
    if shutil.which("cmake") is None or shutil.which("gcc") is None:
        pytest.skip("building with sanitizers takes cmake and gcc")
    configure: list[str | Path] = ["cmake", "-S", _ROOT, "-B", tmp_path, f"-DUNROLLED_SANITIZE={sanitizers}"]
    subprocess.run(configure, check=True, capture_output=True)
    subprocess.run(["cmake", "--build", tmp_path, "-j", "2"], check=True, capture_output=True)
    libraries = [_library(runtime), _library("libstdc++.so.6")]  # the second: they must find what throws
    environment = {
        **os.environ,
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "TSAN_OPTIONS": "halt_on_error=1:ignore_noninstrumented_modules=1",
        "PYTHONPATH": os.pathsep.join((str(_ROOT), str(_ROOT / "src"))),
    }
    left_out = "not fork and not allocates and not used_again"  # sanitizers count, and fork, in their own ways
    command: list[str | Path] = [
        sys.executable,
        "-c",
        _RUN,
        tmp_path / "native" / "_unrolled_native.so",
        "-k",
        left_out,
    ]
    command += [_ROOT / "tests" / "native" / file for file in files]
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
