// What each instruction set provides: the innermost loops, as tables of functions.
//
// Nothing here may pull in inline code of the standard library: files under isa/ are compiled for processors that may
// not be present, and the linker would be free to use their copy everywhere.
#pragma once

#include <cstdint>

namespace unrolled {

using i64 = std::int64_t;

// Element-wise instructions; the numbers are part of the byte code (src/unrolled/native/code.py).
enum Op : int {
    COPY, NEG, TANH, SIGMOID, RELU, EXP, LOG, SOFTPLUS, ABS, SQRT, POSITIVE,  // of a
    TALLY,                                                                    // out += a, summed over the rows
    ADD, SUB, MUL, DIV, MAX, MIN,                                             // of a, b
    TALLY_PRODUCT,                                                            // out += a b, summed over the rows
    FMA, FMS, FNMA, MUL3,                                                     // a b + c, a b - c, c - a b, a b c
    SLOPE_SIGMOID, SLOPE_TANH,                                                // a b (c - c c), a b (1 - c c)
    OPS
};

// Of one operation: numbers of operands.
struct Instruction { int op, out, a, b, c; };

// Rows of vectors: vector v of row r lies at p + r * row + v * step. A step of 0 repeats one vector (row sums,
// constants), a row of 0 repeats one row (parameters).
template <class T>
struct Operand {
    T* p;
    i64 row;
    i64 step;
};

// One factor of a product: k columns of rows of `a`, times a packed panel [k][columns of the call]. What lies `ahead`
// elements after the panel is brought near meanwhile.
template <class T>
struct Segment {
    const T* a;
    i64 row;
    const T* w;
    i64 k;
    i64 ahead;
};

// One column (of one vector) of a product: what it starts from (init may be null) and where it goes.
template <class T>
struct Column {
    const T* init[2];
    i64 init_row[2];
    T* out;
    i64 row;
};

constexpr int MAX_ROWS = 12, MAX_COLUMNS = 24, MAX_OUTER_ROWS = 8, MAX_OUTER_COLUMNS = 3;

template <class T>
struct Kernels {
    int lanes;                      // elements of a vector
    int columns, columns_of_one;    // vectors a product holds in registers side by side, at most: of rows, of one row
    int rows[MAX_COLUMNS + 1];      // rows it holds, by the number of columns
    int outer_rows, outer_columns;  // what `outer` holds, at most

    // out[r] = init[r] + sum over segments of a[r] w, for rows first .. first + R - 1
    using Product = void (*)(const Segment<T>*, int segments, const Column<T>*, i64 first);
    Product product[MAX_ROWS + 1][MAX_COLUMNS + 1];

    using Pointwise = void (*)(const Operand<T>* operands, const Instruction& instruction, i64 rows, i64 vectors);
    Pointwise pointwise[OPS];

    // out[r] (one vector a row) += the vectors of a[r], or of a[r] b[r]; of the last vector only the first `last` elements
    void (*add_columns)(T* out, Operand<T> a, i64 rows, i64 vectors, i64 last);
    void (*add_products)(T* out, Operand<T> a, Operand<T> b, i64 rows, i64 vectors, i64 last);
    // each vector becomes the sum of its elements, repeated
    void (*spread_sum)(T* v, i64 rows);

    // c (rows x columns of vectors) += sum over k of a[k][row] b[k][column]
    using Outer = void (*)(const T* a, i64 lda, const T* b, i64 ldb, T* c, i64 ldc, i64 k);
    Outer outer[MAX_OUTER_ROWS + 1][MAX_OUTER_COLUMNS + 1];

    // out[n] += sum over k of a[k][n]; n a whole number of vectors
    void (*column_sums)(T* out, const T* a, i64 lda, i64 k, i64 n);

    // panel[k * ld + lane] = source[lane * stride + k]; lanes beyond `valid` become 0
    void (*pack_rows)(T* panel, i64 ld, const T* source, i64 stride, i64 valid, i64 k);
};

namespace baseline { const Kernels<float>& kernels_f32(); const Kernels<double>& kernels_f64(); }
namespace avx2 { const Kernels<float>& kernels_f32(); const Kernels<double>& kernels_f64(); }
namespace avx512 { const Kernels<float>& kernels_f32(); const Kernels<double>& kernels_f64(); }

}  // namespace unrolled
