#include "sequence.h"

#include <utility>

#include "backward.h"
#include "float_mode.h"
#include "forward.h"
#include "pool.h"

namespace unrolled {

Store::Block Store::take(std::size_t bytes) {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        for (Block& block : blocks_)
            if (block.size >= bytes) {
                Block found = std::move(block);
                block = std::move(blocks_.back());
                blocks_.pop_back();
                return found;
            }
    }
    Block made;
    made.memory.reset(new char[bytes + 64]);
    made.size = bytes;
    return made;
}

void Store::give(Block block) {
    constexpr std::size_t KEPT = 8;
    std::lock_guard<std::mutex> lock(mutex_);
    if (blocks_.size() < KEPT) blocks_.push_back(std::move(block));
}

namespace {

// Slices of about equal work.
template <class T>
std::vector<i64> slices(const Call<T>& call) {
    int count = static_cast<int>(std::max<i64>(1, std::min<i64>(call.threads, call.batch)));
    std::vector<i64> bounds{0};
    if (!call.lengths) {
        for (int s = 1; s <= count; ++s) bounds.push_back(call.batch * s / count);
        return bounds;
    }
    i64 total = 0, sum = 0;
    for (i64 b = 0; b < call.batch; ++b) total += call.lengths[b];
    for (i64 b = 0; b < call.batch && static_cast<int>(bounds.size()) < count; ++b) {
        sum += call.lengths[b];
        if (sum * count >= total * static_cast<i64>(bounds.size())) bounds.push_back(b + 1);
    }
    if (bounds.back() < call.batch) bounds.push_back(call.batch);
    return bounds;
}

// What all slices of a call read, and they themselves, over memory of an arena.
template <class Way, class T>
struct Slices {
    Shared<T> shared;
    std::vector<Way> each;

    Slices(const Layout<T>& layout, const Call<T>& call, const std::vector<i64>& bounds, Arena<T>& arena)
        : shared(layout, arena) {
        each.reserve(bounds.size());
        for (std::size_t s = 1; s < bounds.size(); ++s)
            each.emplace_back(layout, call, shared, bounds[s - 1], bounds[s], arena);
    }
    Slices(const Slices&) = delete;  // the slices refer to `shared`
};

// All slices through time; `finish` is called with each in turn when all are through.
template <class Way, class T, class Finish>
void run(const Layout<T>& layout, const Call<T>& call, Store& store, Finish&& finish) {
    const std::vector<i64> bounds = slices(call);
    Arena<T> measure(nullptr);
    Slices<Way, T>(layout, call, bounds, measure);
    Store::Block block = store.take(measure.used() * sizeof(T));
    Arena<T> arena(block.aligned<T>());
    Slices<Way, T> slices(layout, call, bounds, arena);
    slices.shared.fill(layout, call);
    parallel(call.threads, static_cast<int>(slices.each.size()), [&](int s) {
        FlushDenormals flush;
        slices.each[s].run();
    });
    for (const Way& slice : slices.each) finish(slice);
    store.give(std::move(block));
}

}  // namespace

template <class T>
void Sequence<T>::forward(const Call<T>& call) {
    if (call.batch > 0) run<Forward<T>>(layout(call.batch), call, store_, [](const Forward<T>&) {});
}

template <class T>
void Sequence<T>::backward(const Call<T>& call) {
    auto has_job = [&](int weight) {
        return std::any_of(code_.jobs.begin(), code_.jobs.end(), [&](const Job& job) { return job.weight == weight; });
    };
    auto has_vector_job = [&](int vector) {
        return std::any_of(code_.vector_jobs.begin(), code_.vector_jobs.end(),
                           [&](const VectorJob& job) { return job.vector == vector; }) ||
               std::any_of(code_.views.begin(), code_.views.end(),
                           [&](const ViewInfo& view) { return view.kind == TALLIED && view.index == vector; });
    };
    for (std::size_t w = 0; w < code_.weights.size(); ++w) {
        const WeightInfo& info = code_.weights[w];
        if (call.d_weights[w] && (call.batch == 0 || !has_job(static_cast<int>(w))))
            std::memset(call.d_weights[w], 0, sizeof(T) * info.out * info.in / info.heads);
    }
    for (std::size_t v = 0; v < code_.vectors.size(); ++v)
        if (call.d_vectors[v] && (call.batch == 0 || !has_vector_job(static_cast<int>(v))))
            std::memset(call.d_vectors[v], 0, sizeof(T) * code_.vectors[v]);
    bool first = true;
    auto deliver = [&](const Backward<T>& slice) { slice.deliver(std::exchange(first, false)); };
    if (call.batch > 0) run<Backward<T>>(layout(call.batch), call, store_, deliver);
}

template class Sequence<float>;
template class Sequence<double>;

}  // namespace unrolled
