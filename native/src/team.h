// Threads that share the columns of each step of one sequence. The leader never waits for one that has not come: until
// all are there, and when a step together proves slow (somebody else needs the cores), it goes on alone.
#pragma once

#include <atomic>
#include <chrono>

#include "steps.h"

namespace unrolled {

class Team {
   public:
    explicit Team(int threads) : barrier_(threads), threads_(threads) {}

    // Of the leader, for each step.
    template <class Alone, class Together>
    void lead(Alone&& alone, Together&& together) {
        if (left_ || present_.load(std::memory_order_acquire) + 1 < threads_) {
            const Clock::time_point begin = Clock::now();
            alone();
            alone_ = std::min(alone_, Clock::now() - begin);
            return;
        }
        const Clock::time_point begin = Clock::now();
        step_.fetch_add(1, std::memory_order_release);
        together(&barrier_);
        if (Clock::now() - begin > 4 * alone_ + std::chrono::microseconds(20) && ++slow_ == 3) leave();
    }

    void finish() { step_.store(STOP, std::memory_order_release), left_ = true; }

    // Of each of the others, once.
    template <class Together>
    void follow(Together&& together) {
        present_.fetch_add(1, std::memory_order_acq_rel);
        for (int seen = 0;;) {
            int step = step_.load(std::memory_order_acquire);
            for (int spins = 0; step == seen; ++spins, step = step_.load(std::memory_order_acquire)) pause(spins);
            if (step == STOP) return;
            seen = step;
            together(&barrier_);
        }
    }

    // Whether it is worth trying: not soon after a team that was left.
    static bool welcome() { return Clock::now().time_since_epoch().count() >= not_before().load(std::memory_order_relaxed); }

   private:
    using Clock = std::chrono::steady_clock;
    static constexpr int STOP = -1;

    static std::atomic<Clock::rep>& not_before() {
        static std::atomic<Clock::rep> time{0};
        return time;
    }

    void leave() {
        constexpr std::chrono::seconds REST(2);
        not_before().store((Clock::now() + REST).time_since_epoch().count(), std::memory_order_relaxed);
        finish();
    }

    Barrier barrier_;
    const int threads_;
    std::atomic<int> present_{0}, step_{0};
    bool left_ = false;
    int slow_ = 0;
    Clock::duration alone_ = std::chrono::milliseconds(1);
};

}  // namespace unrolled
