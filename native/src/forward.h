// A slice that runs through time and writes states, outputs and what backward needs.
#pragma once

#include "player.h"
#include "slice.h"

namespace unrolled {

template <class T>
class Forward : public Slice<T> {
   public:
    Forward(const Layout<T>& layout, const Call<T>& call, const Shared<T>& shared, i64 begin, i64 end, Arena<T>& arena);
    void run();

   private:
    // Rows that move to the caller's memory, from memory of their own where products read them.
    void start();
    void bind_near(const Walked& w);
    void one_step(const Walked& w);
    void end_step(const Walked& w, std::size_t v);

    // Few rows and many steps: a script is played, over memory that does not move.
    void play();
    template <class Step>
    void play_all(Player<T>& player, Step&& play_step);
    int sharing() const;

    using Slice<T>::layout_, Slice<T>::code_, Slice<T>::call_, Slice<T>::shared_, Slice<T>::begin_, Slice<T>::rows_,
        Slice<T>::capacity_, Slice<T>::views_, Slice<T>::memory_, Slice<T>::pair_, Slice<T>::steps_;
    const bool prologue_;
};

}  // namespace unrolled
