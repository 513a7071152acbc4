"""Every preset builds for its task, and its words are complete."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unrolled.core.errors import ConfigError
from unrolled.nets import Net, NetSpec
from unrolled.nets.presets import Preset, preset, presets
from unrolled.program.shapes import Inputs, Outputs


def test_each_task_has_a_preset_of_its_name() -> None:
    tasks = {"forecast", "classify", "regress", "failure", "tag", "anomaly", "recommend"}
    assert tasks <= {entry.name for entry in presets()}
    for entry in presets():
        assert set(entry.purpose) == {"en", "zh"} and all(entry.purpose.values())
        assert entry.name not in tasks or entry.task == (entry.name,)


@pytest.mark.parametrize("entry", presets(), ids=lambda entry: entry.name)
def test_presets_build(entry: Preset) -> None:
    forecast = "forecast" in entry.task
    numbers = 144 if entry.name == "video" else 3
    categories = (2,) if "recommend" in entry.task else ()
    inputs = Inputs(numbers=numbers, categories=categories, targets=2 if forecast else 0, masked=(0,))
    every = not {"tag", "anomaly"}.isdisjoint(entry.task)
    net = Net(entry.name, inputs, Outputs(steps=10, targets=2) if forecast else Outputs(values=2, every=every))
    assert net.summary().parameters > 1000
    assert NetSpec.parse(net.spec.dump(), every=net.outputs.every) == net.spec


def test_parameters_are_filled_in() -> None:
    spec = NetSpec.parse("forecast", patch=7, size=16).dump()
    options = {name: entry[name] for entry in spec for name in entry}
    assert options["patch"]["length"] == options["segment_decoder"]["length"] == 7
    assert options["gru"]["size"] == 16


def test_unknown_parameters_and_presets_are_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'patch'"):
        NetSpec.parse("forecast", pach=7)
    with pytest.raises(ConfigError, match="Did you mean 'classify'"):
        preset("clasify")
    with pytest.raises(ConfigError, match=r"size.*greater than"):
        NetSpec.parse("forecast", size=0)


def test_listing_presets_needs_no_torch() -> None:
    code = "import sys; from unrolled.nets.presets import presets; presets(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
