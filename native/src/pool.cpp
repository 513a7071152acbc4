#include "pool.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

namespace unrolled {
namespace {

struct Batch {
    const std::function<void(int)>* work;
    int count;
    std::atomic<int> next{0}, finished{0};
    std::mutex mutex;
    std::condition_variable done;
    std::exception_ptr error;

    // Takes parts until none is left.
    void help() {
        for (int part; (part = next.fetch_add(1)) < count;) {
            try {
                (*work)(part);
            } catch (...) {
                std::lock_guard<std::mutex> lock(mutex);
                if (!error) error = std::current_exception();
            }
            if (finished.fetch_add(1) + 1 == count) {
                std::lock_guard<std::mutex> lock(mutex);
                done.notify_all();
            }
        }
    }
};

class Pool {
   public:
    void run(int helpers, const std::shared_ptr<Batch>& batch) {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            while (waiting_ < helpers + static_cast<int>(queue_.size())) {
                std::thread([this] { serve(); }).detach();
                ++waiting_;
            }
            for (int h = 0; h < helpers; ++h) queue_.push_back(batch);
        }
        if (helpers == 1)
            wake_.notify_one();
        else
            wake_.notify_all();
    }

   private:
    void serve() {
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return !queue_.empty(); });
            std::shared_ptr<Batch> batch = std::move(queue_.front());
            queue_.pop_front();
            --waiting_;
            lock.unlock();
            batch->help();
            batch.reset();
            lock.lock();
            ++waiting_;
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::shared_ptr<Batch>> queue_;
    int waiting_ = 0;
};

std::atomic<Pool*> current{nullptr};
std::atomic<Lender> lender{nullptr};

// The child of a fork has none of the threads, and locks may be held by them: leave those pools behind.
void forget() { current.store(nullptr), lender.store(nullptr); }

void prepare_for_fork() {
    static const int registered = pthread_atfork(nullptr, nullptr, forget);
    (void)registered;
}

Pool& pool() {
    prepare_for_fork();
    Pool* found = current.load();
    if (!found) {
        Pool* made = new Pool;  // lives as long as the process: its threads wait on it
        if (current.compare_exchange_strong(found, made)) return *made;
        delete made;
    }
    return *found;
}

}  // namespace

void borrow(Lender of) {
    prepare_for_fork();
    lender.store(of);
}

void parallel(int threads, int count, const std::function<void(int)>& work) {
    if (threads <= 1 || count <= 1) {
        for (int part = 0; part < count; ++part) work(part);
        return;
    }
    auto batch = std::make_shared<Batch>();
    batch->work = &work;
    batch->count = count;
    if (Lender lend = lender.load()) {
        // always all threads: runtimes end those that a smaller team leaves over
        lend([](void* data) { static_cast<Batch*>(data)->help(); }, batch.get(), static_cast<unsigned>(threads), 0);
        if (batch->error) std::rethrow_exception(batch->error);
        return;
    }
    pool().run((threads < count ? threads : count) - 1, batch);
    batch->help();
    std::unique_lock<std::mutex> lock(batch->mutex);
    batch->done.wait(lock, [&] { return batch->finished.load() == count; });
    if (batch->error) std::rethrow_exception(batch->error);
}

}  // namespace unrolled
