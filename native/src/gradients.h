// Gradients of weights and vectors, summed over the rows of a slice and over all steps, a chunk of steps at a time.
#pragma once

#include "slice.h"

namespace unrolled {

template <class T>
class Gradients {
   public:
    // `memory`: of each view of the slice, the adjoints of a chunk (OUTER) and what steps add up themselves (TALLIED)
    // among them. `capacity`: rows of a chunk at most.
    Gradients(const Layout<T>& layout, const Call<T>& call, const std::vector<Bound<T>>& memory, i64 capacity,
              Arena<T>& arena);
    void clear();

    // Copies the operands of rows first .. first + rows - 1 of a step, to rows `offset` .. of the chunk.
    void gather(const std::vector<Bound<T>>& views, i64 first, i64 rows, i64 offset);
    // Multiplies what was gathered, `used` rows, with their adjoints and adds it up.
    void add(i64 used);
    // Adds them to the caller's arrays; the first slice writes them.
    void deliver(bool first) const;

   private:
    struct Operand { int view, column, width; i64 padded; T* rows; };  // in panels of `outer_columns` vectors
    struct Sum { std::size_t operand; i64 size; T* p; };               // of each job
    struct Tally { int vector, width; T* p; };

    std::size_t operand(const Job& job, Arena<T>& arena);
    bool turned(const Job& job) const;
    bool fresh(std::size_t j) const;
    void multiply(std::size_t j, i64 used);
    void multiply_turned(std::size_t j, i64 used);
    void deliver_weight(std::size_t j, bool write) const;

    const Layout<T>& layout_;
    const Code& code_;
    const Call<T>& call_;
    const i64 capacity_, panel_;
    Bound<T> outer_{};
    i64 outer_width_ = 0;  // in whole vectors
    std::vector<Operand> operands_;
    std::vector<Sum> sums_;
    std::vector<Tally> tallies_;
    T* column_sums_;
};

}  // namespace unrolled
