"""Variants of LSTM and GRU, and cells linear in their state, transcribed from their papers by another hand.

Plain Python numbers, one unit at a time, as in ``recurrent``; noise stands at its mean.
"""

from __future__ import annotations

import math

from tests.oracles.recurrent import OneStep, Vector, Weights, oracle, sigmoid

State = tuple[Vector, ...]


def _affine(w: Weights, kind: str, v: Vector, heads: int = 1) -> Vector:
    """All rows of ``weight_<kind> v + bias_<kind>``; with heads, block by block."""
    weight, bias = w[f"weight_{kind}"], w.get(f"bias_{kind}")
    if heads == 1:
        rows = [[float(weight[j, k]) * v[k] for k in range(len(v))] for j in range(len(weight))]
    else:
        size = len(v) // heads
        rows = [
            [float(weight[block, j, k]) * v[(block % heads) * size + k] for k in range(size)]
            for block in range(len(weight))
            for j in range(size)
        ]
    return [math.fsum(row) + (0.0 if bias is None else float(bias[j])) for j, row in enumerate(rows)]


def _split(v: Vector, parts: int) -> list[Vector]:
    size = len(v) // parts
    return [v[k * size : (k + 1) * size] for k in range(parts)]


def _normal(*parts: Vector) -> list[Vector]:
    """All values of all parts to mean 0 and variance 1."""
    values = [v for part in parts for v in part]
    centre = math.fsum(values) / len(values)
    variance = math.fsum((v - centre) ** 2 for v in values) / len(values)
    return [[(v - centre) / math.sqrt(variance + 1e-5) for v in part] for part in parts]


def _lstm_gates(w: Weights, x: Vector, h: Vector, gates: int = 4) -> list[Vector]:
    total = [a + b for a, b in zip(_affine(w, "ih", x), _affine(w, "hh", h), strict=True)]
    return _split(total, gates)


def _peephole(w: Weights, x: Vector, state: State) -> State:
    h, c = state
    i, f, g, o = _lstm_gates(w, x, h)
    new_h, new_c = [], []
    for j in range(len(c)):
        input_gate = sigmoid(i[j] + float(w["p_i"][j]) * c[j])
        forget_gate = sigmoid(f[j] + float(w["p_f"][j]) * c[j])
        new_c.append(forget_gate * c[j] + input_gate * math.tanh(g[j]))
        new_h.append(sigmoid(o[j] + float(w["p_o"][j]) * new_c[j]) * math.tanh(new_c[j]))
    return new_h, new_c


def _modrelu(w: Weights, x: Vector, state: State) -> State:
    (h,) = state
    z = [a + b for a, b in zip(_affine(w, "ih", x), _affine(w, "hh", h), strict=True)]
    return (
        [math.copysign(max(abs(v) + float(shift), 0.0), v) if v else 0.0 for v, shift in zip(z, w["s"], strict=True)],
    )


def _cifg(w: Weights, x: Vector, state: State) -> State:
    h, c = state
    f, g, o = _lstm_gates(w, x, h, 3)
    new_c = [c[j] + (1 - sigmoid(f[j])) * (math.tanh(g[j]) - c[j]) for j in range(len(c))]
    return [sigmoid(o[j]) * math.tanh(new_c[j]) for j in range(len(c))], new_c


def _layer_norm_lstm(w: Weights, x: Vector, state: State) -> State:
    h, c = state
    from_input = _normal(*_split(_affine(w, "ih", x), 4))
    from_state = _normal(*_split(_affine(w, "hh", h), 4))
    size = len(c)
    gates = {
        gate: [float(w[f"s_{gate}"][j]) * from_input[k][j] + float(w[f"r_{gate}"][j]) * from_state[k][j]
               + float(w[f"d_{gate}"][j]) for j in range(size)]
        for k, gate in enumerate("ifgo")
    }  # fmt: skip
    new_c = [sigmoid(gates["f"][j]) * c[j] + sigmoid(gates["i"][j]) * math.tanh(gates["g"][j]) for j in range(size)]
    (level,) = _normal(new_c)
    inner = [float(w["s_c"][j]) * level[j] + float(w["d_c"][j]) for j in range(size)]
    return [sigmoid(gates["o"][j]) * math.tanh(inner[j]) for j in range(size)], new_c


def _layer_norm_gru(w: Weights, x: Vector, state: State) -> State:
    (h,) = state
    x_r, x_z, x_n = _split(_affine(w, "ih", x), 3)
    h_r, h_z, h_n = _split(_affine(w, "hh", h), 3)
    (x_r, x_z), (h_r, h_z), (x_n,), (h_n,) = _normal(x_r, x_z), _normal(h_r, h_z), _normal(x_n), _normal(h_n)
    new = []
    for j in range(len(h)):
        of = {name: float(w[name][j]) for name in w if w[name].ndim == 1 and "bias" not in name}
        reset = sigmoid(of["s_r"] * x_r[j] + of["r_r"] * h_r[j] + of["d_r"])
        keep = sigmoid(of["s_z"] * x_z[j] + of["r_z"] * h_z[j] + of["d_z"])
        candidate = math.tanh(of["s_n"] * x_n[j] + of["d_n"] + reset * (of["r_n"] * h_n[j] + of["e_n"]))
        new.append(keep * h[j] + (1 - keep) * candidate)
    return (new,)


def _mgu(w: Weights, x: Vector, state: State) -> State:
    (h,) = state
    size = len(h)
    x_f, x_n = _split(_affine(w, "ih", x), 2)
    h_f = _affine(w, "hh", h)[:size]
    forget = [sigmoid(x_f[j] + h_f[j]) for j in range(size)]
    h_n = _affine(w, "hh", [forget[j] * h[j] for j in range(size)])[size:]
    return ([(1 - forget[j]) * h[j] + forget[j] * math.tanh(x_n[j] + h_n[j]) for j in range(size)],)


def _indrnn(w: Weights, x: Vector, state: State) -> State:
    a = _affine(w, "ih", x)
    return ([max(0.0, a[j] + float(w["u"][j]) * h) for j, h in enumerate(state[0])],)


def _separable(w: Weights, x: Vector, state: State) -> State:
    h, c = state
    a, k = _affine(w, "ih", x), _affine(w, "hh", h)
    new_h, new_c = [], []
    for j in range(len(c)):
        i, f, g, o = (
            float(w[f"u_{gate}"][j]) * a[j] + float(w[f"v_{gate}"][j]) * k[j] + float(w[f"d_{gate}"][j])
            for gate in "ifgo"
        )
        new_c.append(sigmoid(f) * c[j] + sigmoid(i) * math.tanh(g))
        new_h.append(sigmoid(o) * math.tanh(new_c[j]))
    return new_h, new_c


def zoneout(cell_rate: float, output_rate: float) -> OneStep:
    """The expected state: a share of each unit stands still."""

    def step(w: Weights, x: Vector, state: State) -> State:
        h, c = state
        i, f, g, o = _lstm_gates(w, x, h)
        fresh = [sigmoid(f[j]) * c[j] + sigmoid(i[j]) * math.tanh(g[j]) for j in range(len(c))]
        new_h = [output_rate * h[j] + (1 - output_rate) * sigmoid(o[j]) * math.tanh(fresh[j]) for j in range(len(c))]
        return new_h, [cell_rate * c[j] + (1 - cell_rate) * fresh[j] for j in range(len(c))]

    return step


def _min_gru(w: Weights, x: Vector, state: State) -> State:
    z, n = _split(_affine(w, "ih", x), 2)
    return ([h + sigmoid(z[j]) * (n[j] - h) for j, h in enumerate(state[0])],)


def _min_lstm(w: Weights, x: Vector, state: State) -> State:
    f, i, n = _split(_affine(w, "ih", x), 3)
    new = []
    for j, h in enumerate(state[0]):
        forget, write = sigmoid(f[j]), sigmoid(i[j])
        new.append((forget * h + write * n[j]) / (forget + write))
    return (new,)


def _lru(w: Weights, x: Vector, state: State) -> State:
    u = _affine(w, "ih", x)
    kept = [math.exp(-math.exp(float(v))) for v in w["nu"]]
    return ([kept[j] * h + float(w["gamma"][j]) * u[j] for j, h in enumerate(state[0])],)


def slstm(heads: int) -> OneStep:
    """Without a stabiliser: the exponentials as they are, taken out of c and n again at the end."""

    def step(w: Weights, x: Vector, state: State) -> State:
        h, c, n, m = state
        sums = zip(_affine(w, "ih", x), _affine(w, "hh", h, heads), strict=True)
        i, f, z, o = _split([a + b for a, b in sums], 4)
        out: tuple[Vector, ...] = ([], [], [], [])
        for j in range(len(h)):
            old = math.exp(m[j])
            whole_c = sigmoid(f[j]) * c[j] * old + math.exp(i[j]) * math.tanh(z[j])
            whole_n = sigmoid(f[j]) * n[j] * old + math.exp(i[j])
            kept = math.log(sigmoid(f[j])) + m[j]
            level = max(kept, i[j]) if n[j] > 0 else i[j]
            values = (
                sigmoid(o[j]) * whole_c / whole_n, whole_c / math.exp(level), whole_n / math.exp(level), level
            )  # fmt: skip
            for part, value in zip(out, values, strict=True):
                part.append(value)
        return out

    return step


def _gru_d(w: Weights, x: Vector, state: State) -> State:
    """The update gate of the paper is one minus ours."""
    (h,) = state
    size = len(h)
    x_r, x_z, x_n, x_d = _split(_affine(w, "ih", x), 4)
    decayed = [math.exp(-max(0.0, x_d[j])) * h[j] for j in range(size)]
    h_r, h_z, _ = _split(_affine(w, "hh", decayed), 3)
    reset = [sigmoid(x_r[j] + h_r[j]) for j in range(size)]
    replace = [1 - sigmoid(x_z[j] + h_z[j]) for j in range(size)]
    h_n = _affine(w, "hh", [reset[j] * decayed[j] for j in range(size)])[2 * size :]
    return ([(1 - replace[j]) * decayed[j] + replace[j] * math.tanh(x_n[j] + h_n[j]) for j in range(size)],)


def _time_aware(w: Weights, x: Vector, state: State) -> State:
    h, c = state
    size = len(c)
    x_i, x_f, x_g, x_o, x_d = _split(_affine(w, "ih", x), 5)
    h_i, h_f, h_g, h_o = _split(_affine(w, "hh", h), 4)
    new_h, new_c = [], []
    for j in range(size):
        mixed = math.fsum(float(w["weight_s"][j, k]) * c[k] for k in range(size))
        short = math.tanh(mixed + float(w["b_s"][j]))
        long = c[j] - short
        adjusted = long + short * sigmoid(x_d[j])
        new_c.append(sigmoid(x_f[j] + h_f[j]) * adjusted + sigmoid(x_i[j] + h_i[j]) * math.tanh(x_g[j] + h_g[j]))
        new_h.append(sigmoid(x_o[j] + h_o[j]) * math.tanh(new_c[j]))
    return new_h, new_c


def delta(threshold: float) -> OneStep:
    """A GRU that hears of a unit when it moved."""

    def step(w: Weights, x: Vector, state: State) -> State:
        h, told = state
        told = [new if abs(new - old) > threshold else old for new, old in zip(h, told, strict=True)]
        x_r, x_z, x_n = _split(_affine(w, "ih", x), 3)
        h_r, h_z, h_n = _split(_affine(w, "hh", told), 3)
        new = []
        for j in range(len(h)):
            candidate = math.tanh(x_n[j] + sigmoid(x_r[j] + h_r[j]) * h_n[j])
            new.append(candidate + sigmoid(x_z[j] + h_z[j]) * (h[j] - candidate))
        return new, told

    return step


gru_d = oracle(_gru_d)
lstm_time_aware = oracle(_time_aware)
lstm_peephole = oracle(_peephole)
lstm_cifg = oracle(_cifg)
lstm_layer_norm = oracle(_layer_norm_lstm)
lstm_separable = oracle(_separable)
gru_layer_norm = oracle(_layer_norm_gru)
mgu = oracle(_mgu)
rnn_modrelu = oracle(_modrelu)
indrnn = oracle(_indrnn)
min_gru = oracle(_min_gru)
min_lstm = oracle(_min_lstm)
lru = oracle(_lru)
