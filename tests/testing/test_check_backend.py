"""The contract check of backends finds each fault it is there to find."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unrolled import cells
from unrolled.engine import Request, State
from unrolled.engine.reference import Reference
from unrolled.testing import check_backend
from unrolled.testing.compare import assert_close


class IgnoresLengths(Reference):
    def run(self, request: Request) -> tuple[Tensor, State]:
        return super().run(request.but(lengths=None, x=request.x.nan_to_num()))


class IgnoresDirection(Reference):
    def run(self, request: Request) -> tuple[Tensor, State]:
        return super().run(request.but(reverse=False))


class LosesTheState(Reference):
    def run(self, request: Request) -> tuple[Tensor, State]:
        y, state = super().run(request)
        return y, tuple(torch.zeros_like(part) for part in state)


class StopsGradients(Reference):
    """Right numbers, and a gradient to the initial state that is missing."""

    def run(self, request: Request) -> tuple[Tensor, State]:
        return super().run(request.but(initial=tuple(part.detach() for part in request.state)))


class ReadsWhatNobodyWrote(Reference):
    def run(self, request: Request) -> tuple[Tensor, State]:
        y, state = super().run(request)
        return y + 0 * torch.empty_like(y), state


class LosesOddColumns(Reference):
    """A kernel that handles eight columns at a time and forgets the rest."""

    def run(self, request: Request) -> tuple[Tensor, State]:
        y, state = super().run(request)
        whole = y.shape[2] // 8 * 8 or y.shape[2]
        return torch.cat((y[..., :whole], torch.zeros_like(y[..., whole:])), 2), state


class WritesIntoItsInput(Reference):
    def run(self, request: Request) -> tuple[Tensor, State]:
        result = super().run(request)
        if not request.x.requires_grad:
            request.x.mul_(0.5)
        return result


class IgnoresNoise(Reference):
    def run(self, request: Request) -> tuple[Tensor, State]:
        return super().run(request.but(noise=None))


class DrawsNoiseOfTheFirstStep(Reference):
    def run(self, request: Request) -> tuple[Tensor, State]:
        held = {name: mask[:, :1].expand_as(mask) for name, mask in (request.noise or {}).items()}
        return super().run(request.but(noise=held or None))


class RefusesAll(Reference):
    def refusal(self, request: Request) -> str | None:
        return "not today"


class ServesOnlyLongOnes(Reference):
    def refusal(self, request: Request) -> str | None:
        return None if request.x.shape[1] >= 4 and request.x.dtype == torch.float32 else "too short for it"


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        (IgnoresLengths(), "y: .* values differ"),
        (IgnoresDirection(), "'reverse': True"),
        (LosesTheState(), "state h"),
        (StopsGradients(), "gradient to initial h"),
        (ReadsWhatNobodyWrote(), "nan"),
        (LosesOddColumns(), "H 17"),
        (WritesIntoItsInput(), "writes into its arguments"),
        (RefusesAll(), "refused every request"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_fault_is_found(backend: Reference, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_backend(backend, [cells.GRU()])


@pytest.mark.parametrize("backend", [IgnoresNoise(), DrawsNoiseOfTheFirstStep()], ids=lambda b: type(b).__name__)
def test_faults_with_noise_are_found(backend: Reference) -> None:
    with pytest.raises(AssertionError, match="noise"):
        check_backend(backend, [cells.LSTMZoneout()])


def test_a_backend_may_refuse_some_requests() -> None:
    check_backend(ServesOnlyLongOnes(), [cells.LSTM()])


@pytest.mark.parametrize(
    ("actual", "message"),
    [
        (torch.zeros(2), r"expected torch.float64 \(3,\)"),
        (torch.zeros(3), "torch.float32"),
        (torch.tensor([0.0, torch.nan, 0.0]).double(), r"1 of 3 values differ, worst at \(1,\): nan"),
        (torch.tensor([0.0, 0.0, 1e-8]).double(), r"worst at \(2,\)"),
    ],
)
def test_the_comparison_names_the_worst_place(actual: Tensor, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_close(actual, torch.zeros(3).double(), "it")


def test_the_comparison_allows_rounding() -> None:
    assert_close(torch.tensor([1.0 + 1e-10]).double(), torch.ones(1).double(), "it")
