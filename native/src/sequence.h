// Whole sequences, forward and backward: slices of the batch run through all steps without waiting for one another.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "layout.h"

namespace unrolled {

// An array of the caller: element (b, t, w) at p + b * row + t * step + w.
template <class T>
struct Array { T* p; i64 row, step; };

template <class T>
struct Call {
    i64 batch, time;
    bool reverse;
    int threads;
    const i64* lengths;             // descending, or null
    std::vector<Array<T>> arrays;   // of each view; p is null for internal ones
    std::vector<const T*> initial;  // of each part (batch, width), or null: zeros
    std::vector<const T*> weights, vectors;
    std::vector<T*> final;          // forward
    std::vector<const T*> d_final;  // backward
    std::vector<T*> d_initial, d_weights, d_vectors;

    i64 length(i64 row) const { return lengths ? lengths[row] : time; }
};

// Memory that calls use again.
class Store {
   public:
    struct Block {
        std::unique_ptr<char[]> memory;
        std::size_t size = 0;
        template <class T>
        T* aligned() const {
            return reinterpret_cast<T*>((reinterpret_cast<std::uintptr_t>(memory.get()) + 63) / 64 * 64);
        }
    };
    Block take(std::size_t bytes);
    void give(Block block);

   private:
    std::mutex mutex_;
    std::vector<Block> blocks_;
};

template <class T>
class Sequence {
   public:
    using Element = T;

    Sequence(Code code, const Kernels<T>& kernels)
        : code_(std::move(code)), of_one_(code_, kernels, true), of_several_(code_, kernels, false) {}

    void forward(const Call<T>& call);
    void backward(const Call<T>& call);
    const Code& code() const { return code_; }
    // For so many rows a step.
    const Layout<T>& layout(i64 rows) const { return rows == 1 ? of_one_ : of_several_; }

   private:
    Code code_;
    Layout<T> of_one_, of_several_;
    Store store_;
};

}  // namespace unrolled
