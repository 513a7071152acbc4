"""The library is found, or says why not; each instruction set gives the same answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unrolled import native

_ROOT = Path(__file__).parents[2]


def _run(code: str, **environment: str) -> str:
    paths = os.pathsep.join((str(_ROOT), str(_ROOT / "src")))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


_CHECK = """
from tests.native.layers import make_job, make_layer
from unrolled import native
from unrolled.cells import cell
print(native.reason() or native.isa())
for name in ("lstm", "gru", "rnn", "lstm_layer_norm", "slstm") if native.reason() is None else ():
    for hidden in (1, 5, 24, 33) if name != "slstm" else (4, 24, 36):
        for dtype, tolerance in (("float64", (1e-9, 1e-10)), ("float32", (1e-4, 1e-5))):
            layer = make_layer(cell(name), 3, hidden, dtype)
            make_job(layer, 7, 5).check(*tolerance)
            make_job(layer, 1, 9, reverse=True).check(*tolerance)
"""


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_each_instruction_set_agrees_with_the_interpreter(isa: str) -> None:
    said = _run(_CHECK, UNROLLED_ISA=isa)
    if said != isa:
        assert said == f"UNROLLED_ISA={isa}: this processor has no {isa}"
        pytest.skip(said)


def test_an_unknown_instruction_set_is_a_reason() -> None:
    assert _run(_CHECK, UNROLLED_ISA="avx1024") == "UNROLLED_ISA=avx1024: this processor has no avx1024"


def test_it_can_be_turned_off() -> None:
    assert "UNROLLED_NATIVE" in _run(_CHECK, UNROLLED_NATIVE="0")


def test_without_the_file_everything_else_works() -> None:
    code = """
import unrolled.native.library as library
library._FILE = library._FILE.with_name("nothing.so")
from unrolled import native
from unrolled.core.errors import BackendError
from unrolled.program import trace
from unrolled.cells import cell
print(native.reason())
program = trace(cell("lstm"), 4)
assert native.refusal(program, None, "float32") == native.reason()
try:
    native.Kernel(program, None, gates=("i", "f", "g", "o"), input_size=3)
except BackendError as error:
    print(error)
"""
    said = _run(code).splitlines()
    assert "was not built" in said[0]
    assert said[0] in said[1]


def test_a_file_that_is_no_library_is_a_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"not a library")
    code = f"""
import unrolled.native.library as library
from pathlib import Path
library._FILE = Path({str(broken)!r})
print(library.reason())
"""
    assert "cannot be loaded" in _run(code)


def test_the_instruction_set_has_a_name() -> None:
    assert native.isa() in ("baseline", "avx2", "avx512")
