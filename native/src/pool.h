// A few threads that wait, asleep, for work. After fork the child starts with none and makes its own.
#pragma once

#include <functional>

namespace unrolled {

// Calls work(0) .. work(count - 1), each once, on at most `threads` threads, the caller's included; returns when all are
// done. With as many threads as parts, parts run at the same time as far as there are threads for them, so one may wait
// for others that have begun. The first exception is thrown again here. May be called from many threads at once.
void parallel(int threads, int count, const std::function<void(int)>& work);

// Calls function(data) on up to `threads` threads, the caller's included, and returns when all have: GOMP_parallel.
using Lender = void (*)(void (*function)(void*), void* data, unsigned threads, unsigned flags);

// Take the threads of another runtime in place of our own, here but not in a child after fork. Threads of OpenMP spin
// for milliseconds after they have worked: ours would have to share cores with them.
void borrow(Lender lender);

}  // namespace unrolled
