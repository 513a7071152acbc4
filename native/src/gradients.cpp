#include "gradients.h"

namespace unrolled {
namespace {

// Bytes of adjoints that are multiplied with all panels of an operand before the next: they stay in the second-level
// cache, beside the panels.
constexpr i64 STRIP = 128 * 1024;

template <class T>
void put(T* to, const T* from, i64 count, bool write) {
    for (i64 k = 0; k < count; ++k) to[k] = write ? from[k] : to[k] + from[k];
}

}  // namespace

template <class T>
Gradients<T>::Gradients(const Layout<T>& layout, const Call<T>& call, const std::vector<Bound<T>>& memory, i64 capacity,
                        Arena<T>& arena)
    : layout_(layout), code_(layout.code), call_(call), capacity_(capacity),
      panel_(layout.kernels.outer_columns * layout.kernels.lanes) {
    for (std::size_t v = 0; v < memory.size(); ++v) {
        const ViewInfo& view = code_.views[v];
        if (view.kind == OUTER) outer_ = memory[v], outer_width_ = round_up(view.width, layout.kernels.lanes);
        if (view.kind == TALLIED) tallies_.push_back({view.index, view.width, memory[v].p});
    }
    column_sums_ = arena.take(outer_width_);
    for (const Job& job : code_.jobs) {
        const std::size_t o = operand(job, arena);
        const i64 size = turned(job) ? job.in * round_up(job.out, layout.kernels.lanes)
                                     : round_up(job.out, layout.kernels.outer_rows) * operands_[o].padded;
        sums_.push_back({o, size, arena.take(size)});
    }
}

// The same columns may be the operand of several jobs.
template <class T>
std::size_t Gradients<T>::operand(const Job& job, Arena<T>& arena) {
    std::size_t o = 0;
    for (; o < operands_.size(); ++o)
        if (operands_[o].view == job.view && operands_[o].column == job.operand_column && operands_[o].width == job.in)
            return o;
    const i64 padded = round_up(job.in, layout_.kernels.lanes);
    T* rows = arena.take(capacity_ * round_up(padded, panel_));
    operands_.push_back({job.view, job.operand_column, job.in, padded, rows});
    return o;
}

template <class T>
void Gradients<T>::clear() {
    for (const Sum& sum : sums_) std::memset(sum.p, 0, sum.size * sizeof(T));
    for (const Operand& o : operands_) std::memset(o.rows, 0, capacity_ * round_up(o.padded, panel_) * sizeof(T));
    for (const Tally& tally : tallies_) std::memset(tally.p, 0, internal_row<T>(tally.width) * sizeof(T));
    std::memset(column_sums_, 0, outer_width_ * sizeof(T));
    if (outer_.p) std::memset(outer_.p, 0, capacity_ * outer_.row * sizeof(T));
}

template <class T>
void Gradients<T>::gather(const std::vector<Bound<T>>& views, i64 first, i64 rows, i64 offset) {
    for (const Operand& o : operands_) {
        const Bound<T>& view = views[o.view];
        for (i64 i = 0; i < rows; ++i) {
            const T* from = view.p + (first + i) * view.row + o.column;
            for (i64 c = 0; c < o.width; c += panel_)
                std::memcpy(o.rows + c * capacity_ + (offset + i) * panel_, from + c,
                            std::min<i64>(panel_, o.width - c) * sizeof(T));
        }
    }
}

template <class T>
void Gradients<T>::add(i64 used) {
    for (std::size_t j = 0; j < code_.jobs.size(); ++j) {
        if (!call_.d_weights[code_.jobs[j].weight]) continue;
        turned(code_.jobs[j]) ? multiply_turned(j, used) : multiply(j, used);
    }
    if (outer_.p) layout_.kernels.column_sums(column_sums_, outer_.p, outer_.row, used, outer_width_);
}

// Few columns would leave most of a vector empty: such a gradient is computed transposed.
template <class T>
bool Gradients<T>::turned(const Job& job) const { return 2 * job.in <= layout_.kernels.lanes; }

template <class T>
void Gradients<T>::multiply_turned(std::size_t j, i64 used) {
    const Kernels<T>& kernels = layout_.kernels;
    const Job& job = code_.jobs[j];
    const T* rows = operands_[sums_[j].operand].rows;
    const i64 wide = round_up(job.out, kernels.lanes);
    for (i64 c = 0; c < wide; c += panel_)
        for (i64 i = 0; i < job.in; i += kernels.outer_rows)
            kernels.outer[std::min<i64>(kernels.outer_rows, job.in - i)][std::min(panel_, wide - c) / kernels.lanes](
                rows + i, panel_, outer_.p + job.column + c, outer_.row, sums_[j].p + i * wide + c, wide, used);
}

template <class T>
void Gradients<T>::multiply(std::size_t j, i64 used) {
    const Kernels<T>& kernels = layout_.kernels;
    const Job& job = code_.jobs[j];
    const Operand& o = operands_[sums_[j].operand];
    const i64 strip = std::max<i64>(1, STRIP / (capacity_ * sizeof(T)) / kernels.outer_rows) * kernels.outer_rows;
    for (i64 first = 0; first < job.out; first += strip)
        for (i64 c = 0; c < o.padded; c += panel_) {
            int vectors = static_cast<int>(std::min(panel_, o.padded - c) / kernels.lanes);
            for (i64 i = first; i < std::min<i64>(job.out, first + strip); i += kernels.outer_rows)
                kernels.outer[std::min<i64>(kernels.outer_rows, job.out - i)][vectors](
                    outer_.p + job.column + i, outer_.row, o.rows + c * capacity_, panel_,
                    sums_[j].p + i * o.padded + c, o.padded, used);
        }
}

template <class T>
void Gradients<T>::deliver(bool first) const {
    for (std::size_t j = 0; j < code_.jobs.size(); ++j)
        if (call_.d_weights[code_.jobs[j].weight]) deliver_weight(j, first && fresh(j));
    for (std::size_t j = 0; j < code_.vector_jobs.size(); ++j) {
        const VectorJob& job = code_.vector_jobs[j];
        T* to = call_.d_vectors[job.vector];
        if (!to) continue;
        bool write = first;
        for (std::size_t k = 0; k < j; ++k) write = write && code_.vector_jobs[k].vector != job.vector;
        put(to, column_sums_ + job.column, job.width, write);
    }
    for (const Tally& tally : tallies_)
        if (T* to = call_.d_vectors[tally.vector]) put(to, tally.p, tally.width, first);
}

template <class T>
void Gradients<T>::deliver_weight(std::size_t j, bool write) const {
    const Job& job = code_.jobs[j];
    T* to = call_.d_weights[job.weight] + job.offset;
    const i64 wide = round_up(job.out, layout_.kernels.lanes), padded = operands_[sums_[j].operand].padded;
    for (i64 i = 0; i < job.out; ++i, to += job.in)
        if (turned(job))
            for (i64 k = 0; k < job.in; ++k) put(to + k, sums_[j].p + k * wide + i, 1, write);
        else
            put(to, sums_[j].p + i * padded, job.in, write);
}

// Whether no job before it adds to the same place.
template <class T>
bool Gradients<T>::fresh(std::size_t j) const {
    for (std::size_t k = 0; k < j; ++k)
        if (code_.jobs[k].weight == code_.jobs[j].weight && code_.jobs[k].offset == code_.jobs[j].offset) return false;
    return true;
}

template class Gradients<float>;
template class Gradients<double>;

}  // namespace unrolled
