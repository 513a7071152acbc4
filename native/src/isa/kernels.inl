// The innermost loops, once, for whichever instruction set the including file is compiled for.
#include <algorithm>

#include "../kernels.h"
#include "functions.h"

namespace unrolled {
namespace UNROLLED_ISA {
namespace {

// ---- products: R rows by C vectors held in registers over all k

// Bytes before its use that one row brings a panel to the first-level cache: it reads each once.
constexpr i64 NEAR = 1024;

template <class T, int R, int C>
void product(const Segment<T>* segments, int count, const Column<T>* columns, i64 first) {
    using V = Vector<T>;
    constexpr int L = LANES<T>, LINE = 64, LINES = C * BYTES < LINE ? 1 : C * BYTES / LINE;
    constexpr int U = R * C >= 8 ? 1 : R * C >= 4 ? 2 : 4;  // few accumulators: several k at a time hide latency
    V sum[U][R][C];
#pragma GCC unroll 24
    for (int c = 0; c < C; ++c) {
        const Column<T>& column = columns[c];
#pragma GCC unroll 12
        for (int r = 0; r < R; ++r) {
            sum[0][r][c] = column.init[0] ? load(column.init[0] + (first + r) * column.init_row[0]) : V{};
#pragma GCC unroll 24
            for (int u = 1; u < U; ++u) sum[u][r][c] = V{};
        }
        if (column.init[1])
#pragma GCC unroll 12
            for (int r = 0; r < R; ++r) sum[0][r][c] += load(column.init[1] + (first + r) * column.init_row[1]);
    }
    for (int s = 0; s < count; ++s) {
        const T* w = segments[s].w;
        const T* a[R];
#pragma GCC unroll 12
        for (int r = 0; r < R; ++r) a[r] = segments[s].a + (first + r) * segments[s].row;
        const i64 n = segments[s].k, ahead = R == 1 ? NEAR / sizeof(T) : segments[s].ahead;
        i64 k = 0;
        for (; k + U <= n; k += U)
#pragma GCC unroll 24
            for (int u = 0; u < U; ++u) {
                V panel[C];
#pragma GCC unroll 24
                for (int c = 0; c < C; ++c) panel[c] = load(w + (u * C + c) * L);
#pragma GCC unroll 24
                for (int line = 0; line < LINES; ++line)
                    __builtin_prefetch(w + ahead + u * C * L + line * LINE / int(sizeof(T)), 0, R == 1 ? 3 : 2);
                if (u == U - 1) w += U * C * L;
#pragma GCC unroll 12
                for (int r = 0; r < R; ++r) {
                    V x = spread<T>(a[r][k + u]);
#pragma GCC unroll 24
                    for (int c = 0; c < C; ++c) sum[u][r][c] += x * panel[c];
                }
            }
        for (; U > 1 && k < n; ++k, w += C * L)
#pragma GCC unroll 12
            for (int r = 0; r < R; ++r)
#pragma GCC unroll 24
                for (int c = 0; c < C; ++c) sum[0][r][c] += spread<T>(a[r][k]) * load(w + c * L);
    }
#pragma GCC unroll 24
    for (int c = 0; c < C; ++c)
#pragma GCC unroll 12
        for (int r = 0; r < R; ++r) {
#pragma GCC unroll 24
            for (int u = 1; u < U; ++u) sum[0][r][c] += sum[u][r][c];
            store(columns[c].out + (first + r) * columns[c].row, sum[0][r][c]);
        }
}

// ---- pointwise instructions

template <class T>
INLINE Vector<T> select_max(Vector<T> a, Vector<T> b) {
    Vector<T> larger = a > b ? a : b;
    return a != a ? a : larger;  // NaN of either goes through
}
template <class T>
INLINE Vector<T> select_min(Vector<T> a, Vector<T> b) {
    Vector<T> smaller = a < b ? a : b;
    return a != a ? a : smaller;
}

template <class T, int OP>
INLINE Vector<T> apply(Vector<T> a, Vector<T> b, Vector<T> c) {
    switch (OP) {
        case NEG: return -a;
        case TANH: return v_tanh<T>(a);
        case SIGMOID: return v_sigmoid<T>(a);
        case RELU: return a < 0 ? spread<T>(0) : a;
        case EXP: return v_exp<T>(a);
        case LOG: return v_log<T>(a);
        case SOFTPLUS: return v_softplus<T>(a);
        case ABS: return v_abs<T>(a);
        case SQRT: return v_sqrt<T>(a);
        case POSITIVE: return a > 0 ? spread<T>(1) : spread<T>(0);
        case ADD: return a + b;
        case SUB: return a - b;
        case MUL: return a * b;
        case DIV: return a / b;
        case MAX: return select_max<T>(a, b);
        case MIN: return select_min<T>(a, b);
        case FMA: return a * b + c;
        case FMS: return a * b - c;
        case FNMA: return c - a * b;
        case MUL3: return a * b * c;
        case SLOPE_SIGMOID: return a * b * (c - c * c);
        case SLOPE_TANH: return a * b * (1 - c * c);
        default: return a;
    }
}

template <class T, int OP>
void pointwise(const Operand<T>* all, const Instruction& instruction, i64 rows, i64 vectors) {
    const Operand<T> out = all[instruction.out], a = all[instruction.a], b = all[instruction.b],
                     c = all[instruction.c];
    constexpr int operands = OP >= FMA ? 3 : OP >= ADD ? 2 : 1;
    bool even = out.row == vectors * out.step && a.row == vectors * a.step;
    if (operands > 1) even = even && b.row == vectors * b.step;
    if (operands > 2) even = even && c.row == vectors * c.step;
    if (even) {  // rows follow one another: one long row
        vectors *= rows;
        rows = 1;
    }
    if (vectors == 1) {
        for (i64 r = 0; r < rows; ++r) {
            Vector<T> va = load(a.p + r * a.row);
            Vector<T> vb = operands > 1 ? load(b.p + r * b.row) : va;
            Vector<T> vc = operands > 2 ? load(c.p + r * c.row) : va;
            store(out.p + r * out.row, apply<T, OP>(va, vb, vc));
        }
        return;
    }
    for (i64 r = 0; r < rows; ++r)
        for (i64 v = 0; v < vectors; ++v) {
            Vector<T> va = load(a.p + r * a.row + v * a.step);
            Vector<T> vb = operands > 1 ? load(b.p + r * b.row + v * b.step) : va;
            Vector<T> vc = operands > 2 ? load(c.p + r * c.row + v * c.step) : va;
            store(out.p + r * out.row + v * out.step, apply<T, OP>(va, vb, vc));
        }
}

// out += sum over rows of a, or of a b: a vector of columns at a time, so that it stays in a register
template <class T, bool PRODUCT>
void tally(const Operand<T>* all, const Instruction& instruction, i64 rows, i64 vectors) {
    const Operand<T> out = all[instruction.out], a = all[instruction.a], b = all[instruction.b];
    for (i64 v = 0; v < vectors; ++v) {
        const T *pa = a.p + v * a.step, *pb = b.p + v * b.step;
        Vector<T> even = load(out.p + v * out.step), odd{};
        i64 r = 0;
        for (; r + 1 < rows; r += 2) {
            even += PRODUCT ? load(pa + r * a.row) * load(pb + r * b.row) : load(pa + r * a.row);
            odd += PRODUCT ? load(pa + (r + 1) * a.row) * load(pb + (r + 1) * b.row) : load(pa + (r + 1) * a.row);
        }
        if (r < rows) even += PRODUCT ? load(pa + r * a.row) * load(pb + r * b.row) : load(pa + r * a.row);
        store(out.p + v * out.step, even + odd);
    }
}

// of a vector the first `valid` elements, then zeros
template <class T>
INLINE Vector<T> cut(Vector<T> v, i64 valid) {
    if (valid < LANES<T>)
        for (i64 lane = valid; lane < LANES<T>; ++lane) v[lane] = 0;
    return v;
}

template <class T>
void add_columns(T* out, Operand<T> a, i64 rows, i64 vectors, i64 last) {
    for (i64 r = 0; r < rows; ++r) {
        const T* p = a.p + r * a.row;
        Vector<T> sum = load(out + r * LANES<T>);
        for (i64 v = 0; v + 1 < vectors; ++v) sum += load(p + v * a.step);
        store(out + r * LANES<T>, sum + cut<T>(load(p + (vectors - 1) * a.step), last));
    }
}

template <class T>
void add_products(T* out, Operand<T> a, Operand<T> b, i64 rows, i64 vectors, i64 last) {
    for (i64 r = 0; r < rows; ++r) {
        const T *p = a.p + r * a.row, *q = b.p + r * b.row;
        Vector<T> sum = load(out + r * LANES<T>);
        for (i64 v = 0; v + 1 < vectors; ++v) sum += load(p + v * a.step) * load(q + v * b.step);
        Vector<T> end = load(p + (vectors - 1) * a.step) * load(q + (vectors - 1) * b.step);
        store(out + r * LANES<T>, sum + cut<T>(end, last));
    }
}

// The lanes that far away from each; a table, as compilers would build such a vector again for every row.
template <class T, int APART>
struct Neighbours {
    typename Types<T>::integer at[LANES<T>];
    constexpr Neighbours() : at{} {
        for (int lane = 0; lane < LANES<T>; ++lane) at[lane] = lane ^ APART;
    }
};

template <class T, int APART>
INLINE Vector<T> add_neighbours(Vector<T> v) {
    if constexpr (APART == 0) return v;
    else {
        static constexpr Neighbours<T, APART> places;
        Vector<T> other;
#if defined(__clang__)
        for (int lane = 0; lane < LANES<T>; ++lane) other[lane] = v[places.at[lane]];
#else
        Integers<T> at;
        __builtin_memcpy(&at, places.at, sizeof at);
        other = __builtin_shuffle(v, at);
#endif
        return add_neighbours<T, APART / 2>(v + other);
    }
}

template <class T>
void spread_sum(T* v, i64 rows) {
    for (i64 r = 0; r < rows; ++r)
        store(v + r * LANES<T>, add_neighbours<T, LANES<T> / 2>(load(v + r * LANES<T>)));
}

// ---- products over many rows (gradients of weights)

template <class T, int R, int C>
void outer(const T* a, i64 lda, const T* b, i64 ldb, T* c, i64 ldc, i64 k) {
    using V = Vector<T>;
    constexpr int L = LANES<T>;
    V sum[R][C];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 3
        for (int j = 0; j < C; ++j) sum[r][j] = load(c + r * ldc + j * L);
    for (i64 i = 0; i < k; ++i, a += lda, b += ldb) {
        V right[C];
#pragma GCC unroll 3
        for (int j = 0; j < C; ++j) right[j] = load(b + j * L);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
            V left = spread<T>(a[r]);
#pragma GCC unroll 3
            for (int j = 0; j < C; ++j) sum[r][j] += left * right[j];
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 3
        for (int j = 0; j < C; ++j) store(c + r * ldc + j * L, sum[r][j]);
}

template <class T>
void column_sums(T* out, const T* a, i64 lda, i64 k, i64 n) {
    for (i64 j = 0; j < n; j += LANES<T>) {
        Vector<T> sum = load(out + j);
        for (i64 i = 0; i < k; ++i) sum += load(a + i * lda + j);
        store(out + j, sum);
    }
}

template <class T>
void pack_rows(T* panel, i64 ld, const T* source, i64 stride, i64 valid, i64 k) {
    constexpr int L = LANES<T>;
    for (i64 i = 0; i < k; ++i) {
        Vector<T> v{};
        if (valid == L)
            for (int lane = 0; lane < L; ++lane) v[lane] = source[lane * stride + i];
        else
            for (i64 lane = 0; lane < valid; ++lane) v[lane] = source[lane * stride + i];
        store(panel + i * ld, v);
    }
}

// ---- the tables

// Accumulators, one row of the panel and the spread element must fit the registers: 32 of AVX-512 and of ARM, else 16.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int COLUMNS = 4, COLUMNS_OF_ONE = 24, ROWS[COLUMNS + 1] = {0, 12, 12, 8, 6};
constexpr int OUTER_ROWS = 8, OUTER_COLUMNS = 3;
#else
constexpr int COLUMNS = 2, COLUMNS_OF_ONE = 12, ROWS[COLUMNS + 1] = {0, 12, 6};
constexpr int OUTER_ROWS = 4, OUTER_COLUMNS = 3;
#endif

template <class T, int C, int R>
void fill_products(Kernels<T>& table) {
    table.rows[C] = std::max(table.rows[C], R);
    table.product[R][C] = product<T, R, C>;
    if constexpr (R > 1)
        fill_products<T, C, R - 1>(table);
    else if constexpr (C > 1)
        fill_products<T, C - 1, C - 1 <= COLUMNS ? ROWS[C - 1] : 1>(table);
}

template <class T, int R, int C>
void fill_outer(Kernels<T>& table) {
    table.outer[R][C] = outer<T, R, C>;
    if constexpr (C > 1)
        fill_outer<T, R, C - 1>(table);
    else if constexpr (R > 1)
        fill_outer<T, R - 1, OUTER_COLUMNS>(table);
}

template <class T, int OP>
void fill_pointwise(Kernels<T>& table) {
    if constexpr (OP == TALLY || OP == TALLY_PRODUCT)
        table.pointwise[OP] = tally<T, OP == TALLY_PRODUCT>;
    else
        table.pointwise[OP] = pointwise<T, OP>;
    if constexpr (OP > 0) fill_pointwise<T, OP - 1>(table);
}

template <class T>
Kernels<T> make() {
    Kernels<T> table{};
    table.lanes = LANES<T>;
    table.columns = COLUMNS, table.columns_of_one = COLUMNS_OF_ONE;
    table.outer_rows = OUTER_ROWS, table.outer_columns = OUTER_COLUMNS;
    fill_products<T, COLUMNS_OF_ONE, 1>(table);
    fill_outer<T, OUTER_ROWS, OUTER_COLUMNS>(table);
    fill_pointwise<T, OPS - 1>(table);
    table.add_columns = add_columns<T>;
    table.add_products = add_products<T>;
    table.spread_sum = spread_sum<T>;
    table.column_sums = column_sums<T>;
    table.pack_rows = pack_rows<T>;
    return table;
}

}  // namespace

const Kernels<float>& kernels_f32() {
    static const Kernels<float> table = make<float>();
    return table;
}

const Kernels<double>& kernels_f64() {
    static const Kernels<double> table = make<double>();
    return table;
}

}  // namespace UNROLLED_ISA
}  // namespace unrolled
