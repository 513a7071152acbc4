// A slice that runs back through time: adjoints of x and of the initial state, and gradients of the parameters.
#pragma once

#include "gradients.h"

namespace unrolled {

template <class T>
class Backward : public Slice<T> {
   public:
    Backward(const Layout<T>& layout, const Call<T>& call, const Shared<T>& shared, i64 begin, i64 end, Arena<T>& arena);
    void run();
    // Adds this slice's gradients of weights and vectors to the caller's arrays; the first slice writes them.
    void deliver(bool first) const { gradients_.deliver(first); }

   private:
    // Of row i, the adjoint of the state: of the one after its last step, from the caller; of the initial one, to it.
    void begin_carry(i64 i);
    void end_carry(i64 i);

    void bind_previous(i64 t, bool started);
    i64 started(i64 t) const;
    template <class F>
    void in_groups(const Walked& w, F&& run);

    void one_step(const Walked& w);
    void finish_chunk();

    using Slice<T>::code_, Slice<T>::call_, Slice<T>::shared_, Slice<T>::begin_, Slice<T>::rows_, Slice<T>::capacity_,
        Slice<T>::views_, Slice<T>::memory_, Slice<T>::pair_;
    const bool epilogue_;
    Gradients<T> gradients_;
    std::vector<Walked> chunk_;
    i64 used_ = 0;
};

}  // namespace unrolled
