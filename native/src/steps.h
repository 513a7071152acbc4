// Runs the passes of a step over rows whose memory is bound.
#pragma once

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "layout.h"

namespace unrolled {

template <class T>
class Steps;

// Where row 0 of each view lies now.
template <class T>
struct Bound { T* p; i64 row; };

template <class T>
void copy_rows(const Bound<T>& from, const Bound<T>& to, i64 rows, i64 width) {
    for (i64 i = 0; i < rows; ++i) std::memcpy(to.p + i * to.row, from.p + i * from.row, width * sizeof(T));
}

// While waiting for another thread: spins a little, then lets others run.
inline void pause(int spins) {
    constexpr int SPINS = 4000;
    if (spins > SPINS) std::this_thread::yield();
#if defined(__x86_64__)
    else
        __builtin_ia32_pause();
#endif
}

// Where threads that share a step wait for one another.
class Barrier {
   public:
    explicit Barrier(int threads) : threads_(threads) {}
    void wait();

   private:
    const int threads_;
    std::atomic<int> arrived_{0};
    std::atomic<unsigned> round_{0};
};

// The calls of a step, written down once for memory that does not move, to be made again and again.
template <class T>
class Script {
   public:
    // `barrier` is met after each pass; null when the script is for one thread.
    void play(Barrier* barrier = nullptr) const;

   private:
    friend class Steps<T>;
    using Product = typename Kernels<T>::Product;
    using Pointwise = typename Kernels<T>::Pointwise;
    struct Multiply { Product run; int segments, first_segment, first_column; i64 first; };
    struct Apply { Pointwise run; std::size_t operands; const Instruction* instruction; i64 rows, vectors; };
    struct Total { bool begin; T* sum; Operand<T> a, b; i64 rows, vectors, last; };  // b.p null: of a alone
    enum What : char { MULTIPLY, APPLY, TOTAL, SPREAD, MEET };
    struct Entry { What what; int index; };

    const Kernels<T>* kernels_ = nullptr;
    std::vector<Entry> entries_;
    std::vector<Multiply> multiplies_;
    std::vector<Apply> applies_;
    std::vector<Total> totals_;
    std::vector<Segment<T>> segments_;
    std::vector<Column<T>> columns_;
    std::vector<Operand<T>> operands_;
};

template <class T>
class Steps {
   public:
    // Room for tiles that `run` needs, in elements.
    static i64 room(const Layout<T>& layout);

    Steps(const Layout<T>& layout, const T* panels, T* room) : layout_(layout), panels_(panels), room_(room) {}

    // All passes of a stage over `rows` rows. Views are indexed as in the code.
    void run(int stage, const Bound<T>* views, i64 rows) const { run(stage, views, rows, nullptr); }
    // The same written down instead of done, for one of `parts` threads that share the columns; every row must then be
    // of whole vectors, external ones too. With sums over columns there can be one part only.
    void record(int stage, const Bound<T>* views, i64 rows, Script<T>& script, int part = 0, int parts = 1) {
        part_ = part, parts_ = parts;
        run(stage, views, rows, &script);
        part_ = 0, parts_ = 1;
    }

   private:
    void run(int stage, const Bound<T>* views, i64 rows, Script<T>* script) const;
    // Passes begin .. end - 1, which have no products, for a few rows at a time.
    void slabs(std::size_t begin, std::size_t end, const Bound<T>* views, i64 rows) const;
    void pass(const Pass& pass, const PassLayout& layout, const Bound<T>* views, i64 rows, Script<T>* script) const;
    void tile(const Pass& pass, const PassLayout& layout, const Bound<T>* views, i64 first, i64 rows,
              std::size_t block, std::size_t blocks, Script<T>* script) const;
    void products(const Pass& pass, const Block& block, const Bound<T>* views, const Operand<T>* operands, i64 skip,
                  i64 first, i64 rows, Script<T>* script) const;

    const Layout<T>& layout_;
    const T* panels_;
    T* room_;
    int part_ = 0, parts_ = 1;
};

}  // namespace unrolled
