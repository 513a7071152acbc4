// A few threads that wait, asleep, for work. After fork the child starts with none and makes its own.
#pragma once

#include <functional>

namespace unrolled {

// Calls work(0) .. work(count - 1), each once, on at most `threads` threads, the caller's included; returns when all are
// done. With as many threads as parts all parts run at the same time, so they may wait for one another. The first
// exception is thrown again here. May be called from many threads at once.
void parallel(int threads, int count, const std::function<void(int)>& work);

}  // namespace unrolled
