// What a slice of the batch keeps in memory while it runs through all steps, forward or backward.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "sequence.h"
#include "steps.h"

namespace unrolled {

// Hands out pieces of one block of memory; measures first (memory null), then gives.
template <class T>
class Arena {
   public:
    explicit Arena(T* memory) : memory_(memory) {}
    T* take(i64 count) {
        T* piece = memory_ ? memory_ + used_ : nullptr;
        used_ += round_up(count, 64 / sizeof(T));
        return piece;
    }
    i64 used() const { return used_; }

   private:
    T* memory_;
    i64 used_ = 0;
};

// Rows of whole vectors, an odd number of cache lines long: rows below one another then fall into different cache sets.
template <class T>
i64 internal_row(i64 width) {
    constexpr i64 line = 64 / sizeof(T);
    return (round_up(width, line) / line | 1) * line;
}

// What all slices read: packed weights, vectors and constants in whole vectors.
template <class T>
struct Shared {
    T* panels;
    T* vectors;    // a row for each VECTOR view, at `vector_at`
    T* constants;  // one vector each
    T* zeros;
    i64 zero_row = 0;
    std::vector<i64> vector_at;

    Shared(const Layout<T>& layout, Arena<T>& arena);
    void fill(const Layout<T>& layout, const Call<T>& call) const;
};

// Steps of a chunk that have been walked: rows offset .. offset + rows - 1 of the chunk's buffers are those of step t.
struct Walked { i64 t, offset, rows; };

// One slice of the batch, rows begin .. end - 1: what both ways through time share.
template <class T>
class Slice {
   public:
    Slice(const Layout<T>& layout, const Call<T>& call, const Shared<T>& shared, i64 begin, i64 end, Arena<T>& arena);

   protected:
    i64 step(i64 s) const { return call_.reverse ? call_.time - 1 - s : s; }
    i64 before(i64 t) const { return call_.reverse ? t + 1 : t - 1; }
    // Rows of the slice that have a step t.
    i64 active(i64 t) const;
    bool has(int stage) const;

    // The rows of this slice: of step t of an array, of an array without steps.
    Bound<T> at(const Array<T>& array, i64 t) const {
        return array.p ? Bound<T>{array.p + begin_ * array.row + t * array.step, array.row} : Bound<T>{nullptr, 0};
    }
    Bound<T> at(const T* array, i64 width) const { return {const_cast<T*>(array) + begin_ * width, width}; }

    // The views of a step: the caller's memory where there is some, else that of the slice.
    void bind(const Walked& w);
    void run_rows(int stage, i64 first, i64 rows);
    // A stage over the rows of a chunk at once: step by step, or, when steps are many and rows few, row by row.
    void run_chunk(int stage, const std::vector<Walked>& chunk);

    const Layout<T>& layout_;
    const Code& code_;
    const Call<T>& call_;
    const Shared<T>& shared_;
    const i64 begin_, rows_, capacity_;
    std::vector<Bound<T>> views_, memory_;
    std::vector<int> pair_;  // of each view the other side of the same part: PREVIOUS and NEXT, CARRY and CARRY_NEXT
    Steps<T> steps_;

   private:
    void pair();
};

}  // namespace unrolled
