// One layer that stays: its weights packed, its state and scratch its own, a step written down as a script.
#pragma once

#include <memory>

#include "steps.h"

namespace unrolled {

template <class T>
class Player {
   public:
    // `panels`, `vectors` (of each view: whole vectors, null for other kinds) and `constants` must outlive it.
    Player(const Layout<T>& layout, const T* panels, const std::vector<T*>& vectors, T* constants, i64 rows,
           int threads = 1);
    Player(const Player&) = delete;
    Player& operator=(const Player&) = delete;

    void step() { play_alone(), turn(); }
    // A step shared: each thread plays its part of the columns; then one of them turns to the next step.
    void play(int thread, Barrier* barrier) const { scripts_[parity_][thread].play(barrier); }
    void play_alone() const { scripts_[parity_].back().play(); }
    void turn() { parity_ = !parity_; }

    // Where x_t goes, and where y_t will be after the next step.
    Bound<T> input() const { return input_; }
    Bound<T> output() const { return output_[parity_]; }

    // Memory of a view with the state as it is now (PREVIOUS: what the next step begins with). p is null if the step
    // does not use it.
    Bound<T> view(int kind, int index) const;

   private:
    struct Free { void operator()(void* p) const { ::operator delete[](p, std::align_val_t(64)); } };

    const Layout<T>& layout_;
    std::unique_ptr<T[], Free> memory_;
    std::vector<Bound<T>> views_[2];  // by parity: PREVIOUS and NEXT change places
    std::vector<Script<T>> scripts_[2];
    Bound<T> input_{}, output_[2]{};
    int parity_ = 0;
};

}  // namespace unrolled
