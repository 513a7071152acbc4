"""A bundle carries the equations of a user's own cell: without its file it predicts the same."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.terminal import unrolled
from tests.workflow.small import TRAIN, gestures

from unrolled import cells
from unrolled.cells.carried import Carried, adopt, carry
from unrolled.core.bundle import Bundle
from unrolled.core.errors import BundleError, ConfigError
from unrolled.program.equations import CELLS
from unrolled.program.functions import layer_norm, maximum, sigmoid, tanh
from unrolled.program.loop import run_numpy
from unrolled.runtime import Predictor
from unrolled.workflow.config import Config
from unrolled.workflow.explain import explain
from unrolled.workflow.train import Trained, train

FILE = """
from dataclasses import dataclass
from unrolled import cells
from unrolled.program.functions import layer_norm, maximum, sigmoid, tanh

@cells.register
@dataclass(frozen=True)
class Odd(cells.Cell):
    slope: float = 0.1
    name = "odd"
    gates = ("g", "n")
    state = ("h", "c")
    vectors = ("p",)
    noise = ("m",)
    forget = "g"

    def rates(self):
        return {"m": 0.9}

    def step(self, x, R, h, c):
        g = sigmoid(x.g + R.g(h) + R.p * c)
        n = tanh(layer_norm(x.n + R.n(g * h)))
        c = g * c + (1 - g) * maximum(n, self.slope * n)
        return x.m * tanh(c), c
"""


@dataclass(frozen=True)
class Odd(cells.Cell):
    """The same as in the file."""

    slope: float = 0.1
    name = "odd"
    gates = ("g", "n")
    state = ("h", "c")
    vectors = ("p",)
    noise = ("m",)
    forget = "g"

    def rates(self) -> dict[str, float]:
        return {"m": 0.9}

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, ...]:
        g = sigmoid(x.g + R.g(h) + R.p * c)
        n = tanh(layer_norm(x.n + R.n(g * h)))
        c = g * c + (1 - g) * maximum(n, self.slope * n)
        return x.m * tanh(c), c


@dataclass(frozen=True)
class Thin(cells.Cell):
    """With a matrix of its own and a narrow output."""

    name = "thin"
    gates = ("n",)
    state = ("h", "c")
    matrices = ("p",)

    def shapes(self, input_size: int, hidden_size: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
        return super().shapes(input_size, hidden_size, bias=bias) | {"weight_p": (3, hidden_size)}

    def state_sizes(self, hidden_size: int) -> tuple[int, ...]:
        return 3, hidden_size

    def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, ...]:
        c = 0.5 * c + tanh(x.n + R.n(h))
        return R.p(c), c


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the cell of a file."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "odd.py").write_text(FILE)
    before = {*CELLS}
    trained(folder, folder=folder / "run")
    for name in {*CELLS} - before:
        del CELLS[name]
    sys.modules.pop(next(name for name in sys.modules if name.startswith("unrolled_cells_")), None)
    return folder


def trained(home: Path, **options: Any) -> Trained:
    data = {"path": str(gestures(home / "g.csv")), "target": "kind"}
    spec = [{"odd": {"size": 5, "layers": 2, "slope": 0.2}}, "linear"]
    given = {"data": data, "task": {"name": "classify"}, "net": spec, "cells": [str(home / "odd.py")], "train": TRAIN}
    return train(Config.parse(given), **options)


@pytest.mark.parametrize("kind", [Odd, Thin])
def test_a_carried_cell_is_the_cell(kind: Any) -> None:
    """Step for step the same numbers, of any size that was carried."""
    cells.register(kind)
    stored = json.loads(json.dumps(carry([(kind(), hidden) for hidden in (1, 2, 3, 4, 5, 6, 7, 8, 16)])))
    del CELLS[kind.name]
    adopt(stored)
    again: Any = CELLS[kind.name]
    assert issubclass(again, Carried) and again().shapes(4, 5) == kind().shapes(4, 5)
    random = np.random.default_rng(0)
    weights = {name: random.normal(size=shape) for name, shape in kind().shapes(3, 5).items()}
    x = random.normal(size=(2, 7, 3))
    (one, last), (other, final) = run_numpy(kind(), x, weights), run_numpy(again(), x, weights)
    np.testing.assert_allclose(one, other, atol=1e-12)
    for a, b in zip(last, final, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_every_command_runs_without_the_file(home: Path) -> None:
    bundle, data = home / "run/model.unrolled", home / "g.csv"
    fresh = [sys.executable, "-m", "unrolled", "predict", str(bundle), str(data)]
    done = subprocess.run(fresh, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 25, done.stderr
    for verb in ("evaluate", "explain", "diagnose"):
        assert unrolled(verb, bundle, data).code == 0
    (home / "odd.py").rename(home / "gone.py")
    try:
        assert unrolled("diagnose", home / "run").code == 2  # its config names the file, and training is set up again
    finally:
        (home / "gone.py").rename(home / "odd.py")


def test_what_no_record_can_hold_is_left_out() -> None:
    @cells.register
    @dataclass(frozen=True)
    class Branching(Odd):
        name = "branching"

        def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, ...]:
            return (h, c) if x.g.sum() > 0 else (c, h)

    @cells.register
    @dataclass(frozen=True)
    class Listing(Odd):
        sizes: tuple[int, ...] = (1, 2)
        name = "listing"

    assert carry([(Branching(), 4), (Listing(), 4)]) == []


def test_the_answers_are_those_of_the_file(home: Path) -> None:
    bundle = Bundle.read(home / "run/model.unrolled")
    carried = Predictor(bundle).predict(home / "g.csv").table().columns
    assert issubclass(CELLS["odd"], Carried)  # type: ignore[arg-type]
    again = Predictor(bundle).predict(home / "g.csv").table().columns  # known already, with the same equations
    np.testing.assert_array_equal(carried["kind_probability_slow"], again["kind_probability_slow"])
    found = explain(bundle, home / "g.csv", row=2)
    assert found.figure == pytest.approx(carried[f"kind_probability_{found.answer}"][1], abs=1e-5)
    cells.load_file(home / "odd.py")  # the user's own comes before what a bundle carries
    assert not issubclass(CELLS["odd"], Carried)  # type: ignore[arg-type]
    own = Predictor(bundle).predict(home / "g.csv").table().columns
    np.testing.assert_allclose(carried["kind_probability_slow"], own["kind_probability_slow"], atol=1e-6)


def test_another_cell_of_that_name_is_refused(home: Path) -> None:
    @cells.register
    @dataclass(frozen=True)
    class Other(Odd):
        def step(self, x: Any, R: Any, h: Any, c: Any) -> tuple[Any, ...]:
            return tanh(x.g + R.n(h)), c + R.p * x.m

    with pytest.raises(BundleError, match="another one of that name"):
        Predictor(Bundle.read(home / "run/model.unrolled"))


def test_a_size_that_was_not_carried_is_refused_with_the_mend(home: Path) -> None:
    adopt(Bundle.read(home / "run/model.unrolled").manifest.settings["cells"])
    again: Any = CELLS["odd"]
    with pytest.raises(ConfigError, match="size 6"):
        again(0.2).shapes(3, 6)
    with pytest.raises(ConfigError, match=r"options \{'slope': 0.5\}"):
        again(0.5).rates()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda one: one.update(name="lstm"), "another one of that name"),
        (lambda one: one["programs"][0]["nodes"][-1].update(op="__import__"), "is no operation"),
        (lambda one: one["programs"][0]["nodes"][-1].update(args=[4000, 4000]), "comes after its use"),
        (lambda one: one["programs"][0]["nodes"][0].update(name="__class__"), "is not declared"),
        (lambda one: one["programs"][0].update(outputs=[0]), "a part of the state is missing"),
        (lambda one: one["programs"][0].update(outputs=[0, 9999]), "an output is not there"),
        (lambda one: one["programs"][0].update(hidden=10**9), "is wrong"),
        (lambda one: one["programs"][0].update(options={"a b": 1}), "damaged"),
        (lambda one: one.update(gates=["__class__", "n"]), "is not declared"),
        (lambda one: one.update(programs=[]), "is wrong"),
        (lambda one: one.pop("state"), "is wrong"),
    ],
)
def test_a_damaged_cell_is_refused(damage: Any, said: str, home: Path) -> None:
    bundle = Bundle.read(home / "run/model.unrolled")
    stored = json.loads(json.dumps(bundle.manifest.settings["cells"]))
    damage(stored[0])
    broken = bundle.manifest.model_copy(update={"settings": {**bundle.manifest.settings, "cells": stored}})
    with pytest.raises(BundleError, match=said):
        Predictor(replace(bundle, manifest=broken))


def test_cells_of_the_package_are_not_carried() -> None:
    assert carry([(cells.cell("lstm"), 4), (cells.cell("gru"), 8)]) == []
