// Runs the passes of a step over rows whose memory is bound.
#pragma once

#include <vector>

#include "layout.h"

namespace unrolled {

template <class T>
class Steps;

// Where row 0 of each view lies now.
template <class T>
struct Bound { T* p; i64 row; };

// The calls of a step, written down once for memory that does not move, to be made again and again.
template <class T>
class Script {
   public:
    void play() const;

   private:
    friend class Steps<T>;
    using Product = typename Kernels<T>::Product;
    using Pointwise = typename Kernels<T>::Pointwise;
    struct Multiply { Product run; int segments, first_segment, first_column; i64 first; };
    struct Apply { Pointwise run; std::size_t operands; const Instruction* instruction; i64 rows, vectors; };
    struct Total { bool begin; T* sum; Operand<T> operand; i64 rows, vectors, last; };
    enum What : char { MULTIPLY, APPLY, TOTAL, SPREAD };
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
    // The same written down instead of done; every row must then be of whole vectors, external ones too.
    void record(int stage, const Bound<T>* views, i64 rows, Script<T>& script) const { run(stage, views, rows, &script); }

   private:
    void run(int stage, const Bound<T>* views, i64 rows, Script<T>* script) const;
    void pass(const Pass& pass, const PassLayout& layout, const Bound<T>* views, i64 rows, Script<T>* script) const;
    void tile(const Pass& pass, const PassLayout& layout, const Bound<T>* views, i64 first, i64 rows,
              std::size_t block, std::size_t blocks, Script<T>* script) const;
    void products(const Pass& pass, const Block& block, const Bound<T>* views, const Operand<T>* operands, i64 skip,
                  i64 first, i64 rows, Script<T>* script) const;

    const Layout<T>& layout_;
    const T* panels_;
    T* room_;
};

}  // namespace unrolled
