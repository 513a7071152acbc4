// The byte code of one step of a cell, as src/unrolled/native/code.py writes it, decoded and checked.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.h"

namespace unrolled {

// What memory a view names. Rows of external ones belong to the caller and may not be touched beyond their width;
// internal ones have rows of whole vectors.
enum Kind : int {
    INPUT,       // x_t                                   external
    EXTRA,       // an input that is no gate              external
    PREVIOUS,    // a part of the state before the step   external
    NEXT,        // ... after it                          external
    SAVED,       // what backward needs                   internal (columns are whole vectors)
    SCRATCH,     // values that cross passes              internal
    NARROW,      // one value a row, repeated             internal
    VECTOR,      // a parameter, the same for each row    internal (copied at the start of a call)
    CONSTANT,    // a number                              internal
    PROJECTED,   // W x_t + b of a chunk of steps         internal
    OUTER,       // adjoints of a chunk of steps          internal
    CARRY,       // adjoint of a part of the state after the step    internal
    CARRY_NEXT,  // ... before it                                    internal
    D_OUTPUT,    // adjoint of y_t                        external
    D_INPUT,     // adjoint of x_t                        external
    REPEATED,    // what backward needs: one value a row, repeated        internal
    TALLIED,     // gradient of a parameter, summed over rows and steps   internal
    KINDS
};

struct ViewInfo { int kind, index, width; };
struct WeightInfo { int heads, out, in; };
struct Ref { int view, column; };
struct Factor { int view, column, k; };                             // of a product: columns of rows
struct Result { int out, init[2]; std::vector<int> weights; };      // of a product: one gate; a weight for each factor
struct Group { bool transposed; std::vector<Factor> factors; std::vector<Result> results; };
struct Sum { int a, b, view; };  // NARROW view += columns of a, or of a b (b is -1 where there is none)

constexpr int MOST_VIEWS = 1024, MOST_OPERANDS = 1024, MOST_FACTORS = 64;  // of a code, of a pass, of a product

enum Stage : int { STEP, PROLOGUE, EPILOGUE };  // each step; x of a chunk before it; gradients of a chunk after it

// Everything that can be done column by column. Operands are numbered: slots first, then refs.
struct Pass {
    int stage, width, slots;
    std::vector<Ref> refs;
    std::vector<Group> groups;
    std::vector<Instruction> code;
    std::vector<Sum> sums;
};

// weight[offset + i * in + j] gets the sum over rows of OUTER[column + i] * view[operand_column + j]
struct Job { int column, out, view, operand_column, in, weight, offset; };
struct VectorJob { int column, width, vector; };

struct Code {
    std::vector<ViewInfo> views;
    std::vector<WeightInfo> weights;
    std::vector<double> constants;
    std::vector<Pass> passes;
    std::vector<Job> jobs;
    std::vector<VectorJob> vector_jobs;
    std::vector<int> vectors;  // their widths
    int parts = 0;
};

// Throws std::invalid_argument, naming what is wrong, when a number is out of its range.
Code decode(const std::int32_t* words, i64 count, const double* constants, i64 constant_count);

}  // namespace unrolled
