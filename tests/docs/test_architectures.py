"""Every architecture of a practitioner's guide has a preset, its picture, its contract and a run on real data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from unrolled.nets.presets import presets

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE: dict[str, Any] = yaml.safe_load((ROOT / "examples/architectures.yaml").read_text(encoding="utf-8"))
GUIDE = """
deep residual recurrent stacks; cross-layer attention fusion; hybrid stacks; bidirectional; hierarchical;
attention pooling; self-attention over recurrent outputs; long-sequence attention; speech and audio; CNN + RNN;
Transformer + RNN; encoder-decoder; two-stream; missing and irregular data; self-supervised front; layer-wise training;
early exit, dynamic depth; sparse activation; external memory; recurrent policy
"""


def test_the_guide_is_complete() -> None:
    wanted = [" ".join(title.split()) for title in GUIDE.split(";")]
    assert [entry["title"] for entry in CATALOGUE.values()] == wanted


def test_each_has_a_preset_and_a_picture() -> None:
    known = {entry.name for entry in presets()}  # whose contract is tests/nets/test_preset_contract.py
    page = (ROOT / "docs/nets.md").read_text(encoding="utf-8")
    for name, entry in CATALOGUE.items():
        assert set(entry["presets"]) <= known
        assert entry["presets"] or name == "policy"  # a class of its own, with its contract in tests/policy
        for picture in entry["presets"] or [entry["picture"]]:
            assert (ROOT / f"docs/nets/{picture}.svg").is_file() and f"](nets/{picture}.svg)" in page


def test_each_has_a_run_on_real_data() -> None:
    """Which tests/examples runs."""
    for entry in CATALOGUE.values():
        assert entry.get("jobs") or (ROOT / "examples" / entry["script"]).is_file()
