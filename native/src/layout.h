// The byte code laid out for one instruction set: blocks of columns, panels of packed weights.
#pragma once

#include <cstring>
#include <vector>

#include "code.h"

namespace unrolled {

inline i64 round_up(i64 n, i64 to) { return (n + to - 1) / to * to; }

struct PanelFactor { i64 offset, first, k; };                       // where its panel lies; which columns of its factor
struct PanelCall { int column, count; std::vector<PanelFactor> factors; };  // columns of vectors, gate after gate
struct Block { i64 first; int vectors, last; std::vector<std::vector<PanelCall>> groups; };  // last: valid elements of the last vector
struct PassLayout { int block_vectors; std::vector<Block> blocks; std::vector<char> read, written; };

template <class T>
struct Layout {
    const Code& code;
    const Kernels<T>& kernels;
    std::vector<PassLayout> passes;
    i64 packed = 0;  // elements of all panels

    // For steps of one row, which is multiplied with more columns at a time, or of several.
    Layout(const Code& code, const Kernels<T>& kernels, bool one_row);
    // Panels of all passes, from weights given one after another.
    void pack(const T* const* weights, T* panels) const;

   private:
    int block_vectors(const Pass& pass) const;
    void lay(const Pass& pass, PassLayout& layout);

    int columns_;  // vectors of a call of the product, at most
};

}  // namespace unrolled
