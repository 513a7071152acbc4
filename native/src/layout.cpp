#include "layout.h"

#include <algorithm>

namespace unrolled {

template <class T>
Layout<T>::Layout(const Code& code, const Kernels<T>& kernels, bool one_row)
    : code(code), kernels(kernels), columns_(one_row ? kernels.columns_of_one : kernels.columns) {
    passes.resize(code.passes.size());
    for (std::size_t p = 0; p < passes.size(); ++p) lay(code.passes[p], passes[p]);
}

// A block is as wide as lets one call of the product hold all gates of a unit in registers; it should not reach over
// several heads, which would be multiplied with zeros of one another.
template <class T>
int Layout<T>::block_vectors(const Pass& pass) const {
    const int vectors = (pass.width + kernels.lanes - 1) / kernels.lanes;
    if (pass.groups.empty()) return std::min(vectors, 16);
    int most = columns_;
    for (const Group& group : pass.groups) {
        most = std::min(most, columns_ / static_cast<int>(group.results.size()));
        const int heads = code.weights[group.results[0].weights[0]].heads;
        if (heads > 1) most = std::min(most, pass.width / heads / kernels.lanes);
    }
    return std::max(1, most);
}

template <class T>
void Layout<T>::lay(const Pass& pass, PassLayout& layout) {
    const int lanes = kernels.lanes;
    layout.block_vectors = block_vectors(pass);
    for (i64 first = 0; first < pass.width; first += i64(layout.block_vectors) * lanes) {
        Block block;
        block.first = first;
        i64 width = std::min<i64>(pass.width - first, i64(layout.block_vectors) * lanes);
        block.vectors = static_cast<int>((width + lanes - 1) / lanes);
        block.last = static_cast<int>(width - i64(block.vectors - 1) * lanes);
        for (const Group& group : pass.groups) {
            int columns = static_cast<int>(group.results.size()) * block.vectors;
            int calls = (columns + columns_ - 1) / columns_;
            std::vector<PanelCall> list;
            for (int c = 0, column = 0; c < calls; ++c) {
                PanelCall call{column, columns / calls + (c < columns % calls), {}};
                column += call.count;
                for (std::size_t f = 0; f < group.factors.size(); ++f) {
                    const WeightInfo& info = code.weights[group.results[0].weights[f]];
                    i64 wide = (group.transposed ? info.in : info.out) / info.heads;
                    i64 deep = (group.transposed ? info.out : info.in) / info.heads;
                    i64 low = first / wide * deep, high = ((first + width - 1) / wide + 1) * deep;
                    call.factors.push_back({packed, low, high - low});
                    packed += (high - low) * call.count * lanes;
                }
                list.push_back(std::move(call));
            }
            block.groups.push_back(std::move(list));
        }
        layout.blocks.push_back(std::move(block));
    }
    // what the last, partly filled vector must copy in and out
    layout.read.assign(pass.refs.size(), 0), layout.written.assign(pass.refs.size(), 0);
    auto read = [&](int operand) {
        if (operand >= pass.slots && !layout.written[operand - pass.slots]) layout.read[operand - pass.slots] = 1;
    };
    auto write = [&](int operand) {
        if (operand >= pass.slots) layout.written[operand - pass.slots] = 1;
    };
    for (const Group& group : pass.groups)
        for (const Result& result : group.results) {
            for (int init : result.init)
                if (init >= 0) read(init);
            write(result.out);
        }
    for (const Instruction& instruction : pass.code) {
        read(instruction.a);
        if (instruction.op >= ADD) read(instruction.b);
        if (instruction.op >= FMA) read(instruction.c);
        write(instruction.out);
    }
    for (const Sum& sum : pass.sums) {
        read(sum.a);
        if (sum.b >= 0) read(sum.b);
    }
}

namespace {

// One vector of columns of a weight, elements first .. first + valid - 1, over k.
template <class T>
void pack_column(const Kernels<T>& kernels, T* panel, i64 ld, const T* w, const WeightInfo& info, bool transposed,
                 i64 first, i64 valid, i64 low, i64 k) {
    const int lanes = kernels.lanes;
    const i64 in = info.in / info.heads, out = info.out / info.heads;
    if (info.heads == 1 && !transposed) {
        kernels.pack_rows(panel, ld, w + first * in, in, valid, k);
    } else if (info.heads == 1) {
        for (i64 i = 0; i < k; ++i) {
            std::memcpy(panel + i * ld, w + i * in + first, valid * sizeof(T));
            if (valid < lanes) std::memset(panel + i * ld + valid, 0, (lanes - valid) * sizeof(T));
        }
    } else {
        const i64 wide = transposed ? in : out, deep = transposed ? out : in;
        for (i64 i = 0; i < k; ++i)
            for (i64 lane = 0; lane < lanes; ++lane) {
                i64 column = first + lane, head = column / wide, inner = low + i;
                T value = 0;
                if (lane < valid && inner / deep == head) {
                    i64 row = transposed ? inner % deep : column % wide, across = transposed ? column % wide : inner % deep;
                    value = w[(head * out + row) * in + across];
                }
                panel[i * ld + lane] = value;
            }
    }
}

}  // namespace

template <class T>
void Layout<T>::pack(const T* const* weights, T* panels) const {
    const int lanes = kernels.lanes;
    for (std::size_t p = 0; p < passes.size(); ++p)
        for (const Block& block : passes[p].blocks)
            for (std::size_t g = 0; g < block.groups.size(); ++g)
                for (const PanelCall& call : block.groups[g])
                    for (std::size_t f = 0; f < call.factors.size(); ++f) {
                        const Group& group = code.passes[p].groups[g];
                        const PanelFactor& factor = call.factors[f];
                        for (int c = 0; c < call.count; ++c) {
                            int gate = (call.column + c) / block.vectors, vector = (call.column + c) % block.vectors;
                            int weight = group.results[gate].weights[f];
                            pack_column(kernels, panels + factor.offset + c * lanes, i64(call.count) * lanes,
                                        weights[weight], code.weights[weight], group.transposed,
                                        block.first + i64(vector) * lanes,
                                        vector + 1 == block.vectors ? block.last : lanes, factor.first, factor.k);
                        }
                    }
}

template struct Layout<float>;
template struct Layout<double>;

}  // namespace unrolled
