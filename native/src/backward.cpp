#include "backward.h"

namespace unrolled {

template <class T>
Backward<T>::Backward(const Layout<T>& layout, const Call<T>& call, const Shared<T>& shared, i64 begin, i64 end,
                      Arena<T>& arena)
    : Slice<T>(layout, call, shared, begin, end, arena), epilogue_(this->has(EPILOGUE)),
      gradients_(layout, call, memory_, capacity_, arena) {}

template <class T>
void Backward<T>::run() {
    gradients_.clear();
    i64 alive = 0;  // rows whose adjoint of the state is there
    for (i64 s = call_.time; s-- > 0;) {
        i64 t = this->step(s), n = this->active(t);
        if (used_ + n > capacity_) finish_chunk();
        for (; alive < n; ++alive) begin_carry(alive);
        if (call_.reverse)
            while (alive > n) end_carry(--alive);
        one_step({t, used_, n});
        chunk_.push_back({t, used_, n});
        used_ += n;
    }
    if (call_.reverse)  // rows of length 0 never began
        for (i64 i = 0; i < rows_; ++i)
            if (call_.length(begin_ + i) == 0) begin_carry(i), end_carry(i);
    if (!call_.reverse)
        for (; alive < rows_; ++alive) begin_carry(alive);
    for (i64 i = 0; i < alive; ++i) end_carry(i);
    finish_chunk();
}

template <class T>
void Backward<T>::begin_carry(i64 i) {
    for (std::size_t v = 0; v < views_.size(); ++v) {
        if (code_.views[v].kind != CARRY) continue;
        i64 width = code_.views[v].width;
        const T* from = call_.d_final[code_.views[v].index];
        T* to = memory_[v].p + i * memory_[v].row;
        if (from)
            std::memcpy(to, from + (begin_ + i) * width, width * sizeof(T));
        else
            std::memset(to, 0, width * sizeof(T));
    }
}

template <class T>
void Backward<T>::end_carry(i64 i) {
    for (std::size_t v = 0; v < views_.size(); ++v) {
        if (code_.views[v].kind != CARRY) continue;
        i64 width = code_.views[v].width;
        if (T* to = call_.d_initial[code_.views[v].index])
            std::memcpy(to + (begin_ + i) * width, memory_[v].p + i * memory_[v].row, width * sizeof(T));
    }
}

// The old state of rows that had a step before t lies in the history; of the others in the initial state.
template <class T>
void Backward<T>::bind_previous(i64 t, bool started) {
    for (std::size_t v = 0; v < views_.size(); ++v) {
        if (code_.views[v].kind != PREVIOUS || !call_.arrays[v].p) continue;
        const T* initial = call_.initial[code_.views[v].index];
        if (started)
            views_[v] = this->at(call_.arrays[v], this->before(t));
        else if (initial)
            views_[v] = this->at(initial, code_.views[v].width);
        else
            views_[v] = {shared_.zeros, 0};
    }
}

// Rows of step t whose sequence had a step before it.
template <class T>
i64 Backward<T>::started(i64 t) const {
    i64 b = this->before(t);
    return b < 0 || b >= call_.time ? 0 : std::min(this->active(t), this->active(b));
}

template <class T>
template <class F>
void Backward<T>::in_groups(const Walked& w, F&& run) {
    i64 old = started(w.t);
    if (old > 0) bind_previous(w.t, true), run(0, old);
    if (old < w.rows) bind_previous(w.t, false), run(old, w.rows - old);
}

template <class T>
void Backward<T>::one_step(const Walked& w) {
    this->bind(w);
    in_groups(w, [&](i64 first, i64 rows) { this->run_rows(STEP, first, rows); });
    for (std::size_t v = 0; v < views_.size(); ++v)
        if (code_.views[v].kind == CARRY && pair_[v] >= 0) std::swap(memory_[v].p, memory_[pair_[v]].p);
}

template <class T>
void Backward<T>::finish_chunk() {
    if (epilogue_) this->run_chunk(EPILOGUE, chunk_);
    for (const Walked& w : chunk_) {
        this->bind(w);
        in_groups(w, [&](i64 first, i64 rows) { gradients_.gather(views_, first, rows, w.offset + first); });
    }
    if (used_) gradients_.add(used_);
    chunk_.clear();
    used_ = 0;
}

template class Backward<float>;
template class Backward<double>;

}  // namespace unrolled
