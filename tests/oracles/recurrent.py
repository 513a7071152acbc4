"""Recurrent cells transcribed from their papers by another hand: one sequence, one step, one unit at a time.

Plain Python numbers on purpose: nothing here is shared with the package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Weights = Mapping[str, Array]
Vector = list[float]
OneStep = Callable[[Weights, Vector, tuple[Vector, ...]], tuple[Vector, ...]]


def oracle(one_step: OneStep) -> Callable[[Array, Weights, tuple[Array, ...]], tuple[Array, tuple[Array, ...]]]:
    """``(x (B, T, D), weights, hx) -> (y (B, T, H), state)`` from the equations of one step of one sequence."""

    def run(x: Array, weights: Weights, hx: tuple[Array, ...]) -> tuple[Array, tuple[Array, ...]]:
        outputs, finals = [], []
        for b in range(x.shape[0]):
            state = tuple([float(v) for v in part[b]] for part in hx)
            sequence = []
            for t in range(x.shape[1]):
                state = one_step(weights, [float(v) for v in x[b, t]], state)
                sequence.append(state[0])
            outputs.append(sequence)
            finals.append(state)
        width = hx[0].shape[1]
        y = np.array(outputs, dtype=np.float64).reshape(x.shape[0], x.shape[1], width)
        return y, tuple(np.array([final[k] for final in finals]) for k in range(len(hx)))

    return run


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v)) if v >= 0 else math.exp(v) / (1 + math.exp(v))


def _row(matrix: Array, row: int, v: Vector) -> float:
    return math.fsum(float(matrix[row, k]) * v[k] for k in range(len(v)))


def _input(w: Weights, row: int, x: Vector) -> float:
    bias = float(w["bias_ih"][row]) if "bias_ih" in w else 0.0
    return _row(w["weight_ih"], row, x) + bias


def _recurrent(w: Weights, row: int, h: Vector) -> float:
    bias = float(w["bias_hh"][row]) if "bias_hh" in w else 0.0
    return _row(w["weight_hh"], row, h) + bias


def _rnn(function: Callable[[float], float]) -> OneStep:
    def step(w: Weights, x: Vector, state: tuple[Vector, ...]) -> tuple[Vector, ...]:
        (h,) = state
        return ([function(_input(w, j, x) + _recurrent(w, j, h)) for j in range(len(h))],)

    return step


def _lstm(w: Weights, x: Vector, state: tuple[Vector, ...]) -> tuple[Vector, ...]:
    h, c = state
    size = len(c)
    new_h, new_c = [], []
    for j in range(size):
        i, f, g, o = (_input(w, k * size + j, x) + _recurrent(w, k * size + j, h) for k in range(4))
        new_c.append(sigmoid(f) * c[j] + sigmoid(i) * math.tanh(g))
        new_h.append(sigmoid(o) * math.tanh(new_c[-1]))
    return new_h, new_c


def _lstm_projected(w: Weights, x: Vector, state: tuple[Vector, ...]) -> tuple[Vector, ...]:
    wide, c = _lstm(w, x, state)
    return [_row(w["weight_hr"], p, wide) for p in range(len(state[0]))], c


def _gru(*, reset_after: bool, mirrored: bool = False) -> OneStep:
    def step(w: Weights, x: Vector, state: tuple[Vector, ...]) -> tuple[Vector, ...]:
        (h,) = state
        size = len(h)
        r = [sigmoid(_input(w, j, x) + _recurrent(w, j, h)) for j in range(size)]
        z = [sigmoid(_input(w, size + j, x) + _recurrent(w, size + j, h)) for j in range(size)]
        new = []
        for j in range(size):
            row = 2 * size + j
            if reset_after:
                recurrent = r[j] * _recurrent(w, row, h)
            else:
                recurrent = _recurrent(w, row, [r[k] * h[k] for k in range(size)])
            candidate = math.tanh(_input(w, row, x) + recurrent)
            keep = 1 - z[j] if mirrored else z[j]
            new.append(keep * h[j] + (1 - keep) * candidate)
        return (new,)

    return step


rnn = oracle(_rnn(math.tanh))
rnn_relu = oracle(_rnn(lambda v: max(v, 0.0)))
lstm = oracle(_lstm)
lstm_projected = oracle(_lstm_projected)
gru = oracle(_gru(reset_after=True))
gru_before = oracle(_gru(reset_after=False))
gru_mirrored = oracle(_gru(reset_after=True, mirrored=True))
gru_before_mirrored = oracle(_gru(reset_after=False, mirrored=True))
