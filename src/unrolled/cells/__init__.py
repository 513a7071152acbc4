"""Cells: one file each, its paper and its equations."""

from unrolled.cells.cell import Cell
from unrolled.cells.gru import GRU, mirror_update_gate
from unrolled.cells.gru_before import GRUBefore
from unrolled.cells.initial import TORCH, Initial
from unrolled.cells.lstm import LSTM
from unrolled.cells.lstm_projected import LSTMProjected
from unrolled.cells.registry import register
from unrolled.cells.rnn import RNN, RNNRelu
from unrolled.program.equations import cell, cells

for _built_in in (RNN, RNNRelu, LSTM, LSTMProjected, GRU, GRUBefore):
    register(_built_in)

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "TORCH",
    "Cell",
    "GRUBefore",
    "Initial",
    "LSTMProjected",
    "RNNRelu",
    "cell",
    "cells",
    "mirror_update_gate",
    "register",
]
