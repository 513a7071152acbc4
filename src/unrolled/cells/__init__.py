"""Cells: one file each, its paper and its equations."""

from unrolled.cells.cell import Cell, Uniform
from unrolled.cells.file import load_file
from unrolled.cells.gru import GRU, mirror_update_gate
from unrolled.cells.gru_before import GRUBefore
from unrolled.cells.gru_d import GRUDecay
from unrolled.cells.gru_delta import GRUDelta
from unrolled.cells.gru_layer_norm import GRULayerNorm
from unrolled.cells.indrnn import IndRNN
from unrolled.cells.initial import TORCH, Initial
from unrolled.cells.lru import LRU
from unrolled.cells.lstm import LSTM
from unrolled.cells.lstm_cifg import LSTMCoupled
from unrolled.cells.lstm_dropout import LSTMDropout
from unrolled.cells.lstm_layer_norm import LSTMLayerNorm
from unrolled.cells.lstm_peephole import LSTMPeephole
from unrolled.cells.lstm_projected import LSTMProjected
from unrolled.cells.lstm_separable import LSTMSeparable
from unrolled.cells.lstm_time_aware import LSTMTimeAware
from unrolled.cells.lstm_variational import LSTMVariational
from unrolled.cells.lstm_zoneout import LSTMZoneout
from unrolled.cells.mgu import MGU
from unrolled.cells.min_gru import MinGRU
from unrolled.cells.min_lstm import MinLSTM
from unrolled.cells.registry import register
from unrolled.cells.rnn import RNN, RNNRelu
from unrolled.cells.rnn_modrelu import RNNModReLU
from unrolled.cells.slstm import SLSTM
from unrolled.program.equations import cell, cells

for _built_in in (
    *(RNN, RNNRelu, RNNModReLU, IndRNN, LRU),
    *(LSTM, LSTMPeephole, LSTMCoupled, LSTMProjected, LSTMSeparable, LSTMLayerNorm, SLSTM, MinLSTM),
    *(LSTMDropout, LSTMTimeAware, LSTMVariational, LSTMZoneout),
    *(GRU, GRUBefore, GRULayerNorm, GRUDecay, GRUDelta, MGU, MinGRU),
):
    register(_built_in)

__all__ = [
    "GRU",
    "LRU",
    "LSTM",
    "MGU",
    "RNN",
    "SLSTM",
    "TORCH",
    "Cell",
    "GRUBefore",
    "GRUDecay",
    "GRUDelta",
    "GRULayerNorm",
    "IndRNN",
    "Initial",
    "LSTMCoupled",
    "LSTMDropout",
    "LSTMLayerNorm",
    "LSTMPeephole",
    "LSTMProjected",
    "LSTMSeparable",
    "LSTMTimeAware",
    "LSTMVariational",
    "LSTMZoneout",
    "MinGRU",
    "MinLSTM",
    "RNNModReLU",
    "RNNRelu",
    "Uniform",
    "cell",
    "cells",
    "load_file",
    "mirror_update_gate",
    "register",
]
