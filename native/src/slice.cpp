#include "slice.h"

namespace unrolled {
namespace {

constexpr i64 CHUNK_ROWS = 144;  // rows whose adjoints are gathered before they are multiplied: second-level cache

}  // namespace

template <class T>
Shared<T>::Shared(const Layout<T>& layout, Arena<T>& arena) {
    panels = arena.take(layout.packed);
    constants = arena.take(i64(layout.code.constants.size()) * layout.kernels.lanes);
    i64 total = 0;
    for (const ViewInfo& view : layout.code.views) {
        vector_at.push_back(total);
        if (view.kind == VECTOR) total += internal_row<T>(view.width);
        zero_row = std::max(zero_row, internal_row<T>(view.width));
    }
    vectors = arena.take(total);
    zeros = arena.take(zero_row);
}

template <class T>
void Shared<T>::fill(const Layout<T>& layout, const Call<T>& call) const {
    layout.pack(call.weights.data(), panels);
    for (std::size_t c = 0; c < layout.code.constants.size(); ++c)
        std::fill_n(constants + c * layout.kernels.lanes, layout.kernels.lanes, static_cast<T>(layout.code.constants[c]));
    std::memset(zeros, 0, zero_row * sizeof(T));
    for (std::size_t v = 0; v < layout.code.views.size(); ++v) {
        const ViewInfo& view = layout.code.views[v];
        if (view.kind != VECTOR) continue;
        T* to = vectors + vector_at[v];
        std::memset(to, 0, internal_row<T>(view.width) * sizeof(T));
        if (call.vectors[view.index]) std::memcpy(to, call.vectors[view.index], view.width * sizeof(T));
    }
}

template <class T>
Slice<T>::Slice(const Layout<T>& layout, const Call<T>& call, const Shared<T>& shared, i64 begin, i64 end,
                Arena<T>& arena)
    : layout_(layout), code_(layout.code), call_(call), shared_(shared), begin_(begin), rows_(end - begin),
      capacity_(std::max(rows_, CHUNK_ROWS)), views_(code_.views.size()),
      steps_(layout, shared.panels, arena.take(Steps<T>::room(layout))) {
    const int lanes = layout.kernels.lanes;
    for (std::size_t v = 0; v < code_.views.size(); ++v) {
        const ViewInfo& view = code_.views[v];
        const i64 row = internal_row<T>(view.width);
        memory_.push_back({nullptr, row});
        Bound<T>& own = memory_.back();
        switch (view.kind) {
            case SCRATCH: case CARRY: case CARRY_NEXT: own.p = arena.take(rows_ * row); break;
            case NARROW: own = {arena.take(capacity_ * lanes), lanes}; break;
            case PROJECTED: case OUTER: own.p = arena.take(capacity_ * row); break;
            case TALLIED: own = {arena.take(row), 0}; break;
            case VECTOR: own = {shared.vectors + shared.vector_at[v], 0}; break;
            case CONSTANT: own = {shared.constants + view.index * lanes, 0}; break;
            default: break;
        }
    }
    pair();
}

template <class T>
i64 Slice<T>::active(i64 t) const {
    if (!call_.lengths) return rows_;
    const i64* lengths = call_.lengths + begin_;
    return std::partition_point(lengths, lengths + rows_, [t](i64 length) { return length > t; }) - lengths;
}

template <class T>
bool Slice<T>::has(int stage) const {
    return std::any_of(code_.passes.begin(), code_.passes.end(), [&](const Pass& pass) { return pass.stage == stage; });
}

template <class T>
void Slice<T>::pair() {
    auto opposite = [](int a, int b) { return (a == PREVIOUS && b == NEXT) || (a == CARRY && b == CARRY_NEXT); };
    for (const ViewInfo& view : code_.views) {
        int other = -1;
        for (std::size_t w = 0; w < code_.views.size(); ++w) {
            const ViewInfo& info = code_.views[w];
            bool fits = opposite(view.kind, info.kind) || opposite(info.kind, view.kind);
            if (fits && view.index == info.index) other = static_cast<int>(w);
        }
        pair_.push_back(other);
    }
}

template <class T>
void Slice<T>::bind(const Walked& w) {
    for (std::size_t v = 0; v < views_.size(); ++v) switch (code_.views[v].kind) {
            case INPUT: case EXTRA: case SAVED: case REPEATED: case D_OUTPUT: case D_INPUT: case NEXT:
                views_[v] = at(call_.arrays[v], w.t);
                break;
            case PROJECTED: case OUTER:
                views_[v] = {memory_[v].p + w.offset * memory_[v].row, memory_[v].row};
                break;
            default: views_[v] = memory_[v];
        }
}

template <class T>
void Slice<T>::run_rows(int stage, i64 first, i64 rows) {
    if (first)
        for (Bound<T>& view : views_) view.p += first * view.row;
    steps_.run(stage, views_.data(), rows);
    if (first)
        for (Bound<T>& view : views_) view.p -= first * view.row;
}

template <class T>
void Slice<T>::run_chunk(int stage, const std::vector<Walked>& chunk) {
    if (chunk.empty()) return;
    const i64 n = chunk.front().rows, count = static_cast<i64>(chunk.size());
    if (n >= count || chunk.back().rows != n || n == 0) {
        for (const Walked& w : chunk) bind(w), run_rows(stage, 0, w.rows);
        return;
    }
    const i64 sign = count > 1 ? chunk[1].t - chunk[0].t : 1;
    bind(chunk.front());
    for (std::size_t v = 0; v < views_.size(); ++v) {
        int kind = code_.views[v].kind;
        if (kind == INPUT || kind == D_INPUT) views_[v].row = sign * call_.arrays[v].step;
        if (kind == PROJECTED || kind == OUTER) views_[v].row *= n;
    }
    for (i64 i = 0; i < n; ++i) {
        steps_.run(stage, views_.data(), count);
        for (std::size_t v = 0; v < views_.size(); ++v) {
            int kind = code_.views[v].kind;
            if (kind == INPUT || kind == D_INPUT) views_[v].p += call_.arrays[v].row;
            if (kind == PROJECTED || kind == OUTER) views_[v].p += memory_[v].row;
        }
    }
}

template struct Shared<float>;
template struct Shared<double>;
template class Slice<float>;
template class Slice<double>;

}  // namespace unrolled
