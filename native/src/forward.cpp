#include "forward.h"

#include "float_mode.h"
#include "pool.h"
#include "team.h"

namespace unrolled {
namespace {

// So few rows for so many steps: a script is worth writing, and rows are copied to and from memory that does not move.
constexpr i64 PLAYED_ROWS = 8, PLAYED_STEPS = 8;

// Multiplications of a step from which threads share its columns.
constexpr i64 SHARED_WORK = 50000;

}  // namespace

template <class T>
Forward<T>::Forward(const Layout<T>& layout, const Call<T>& call, const Shared<T>& shared, i64 begin, i64 end,
                    Arena<T>& arena)
    : Slice<T>(layout, call, shared, begin, end, arena), prologue_(this->has(PROLOGUE)) {
    for (std::size_t v = 0; v < memory_.size(); ++v) {
        const int kind = code_.views[v].kind;
        if (kind == PREVIOUS || kind == NEXT || (kind == INPUT && !prologue_))
            memory_[v].p = arena.take(rows_ * memory_[v].row);
    }
}

template <class T>
void Forward<T>::run() {
    if (!call_.lengths && rows_ <= PLAYED_ROWS && call_.time >= PLAYED_STEPS) return play();
    start();
    for (i64 s = 0; s < call_.time;) {
        i64 used = 0;
        std::vector<Walked> chunk;
        for (; s < call_.time; ++s) {
            i64 t = this->step(s), n = this->active(t);
            if (used + n > capacity_) break;
            chunk.push_back({t, used, n});
            used += n;
        }
        if (prologue_) this->run_chunk(PROLOGUE, chunk);
        for (const Walked& w : chunk) one_step(w);
    }
}

template <class T>
void Forward<T>::start() {
    for (std::size_t v = 0; v < views_.size(); ++v) {
        if (code_.views[v].kind != PREVIOUS) continue;
        int part = code_.views[v].index;
        i64 width = code_.views[v].width;
        for (i64 i = 0; i < rows_; ++i) {
            const T* initial = call_.initial[part] ? call_.initial[part] + (begin_ + i) * width : shared_.zeros;
            std::memcpy(memory_[v].p + i * memory_[v].row, initial, width * sizeof(T));
            if (call_.final[part] && call_.length(begin_ + i) == 0)
                std::memcpy(call_.final[part] + (begin_ + i) * width, initial, width * sizeof(T));
        }
    }
}

// Products read x and the state again and again, from rows that lie together: those of the caller may be whole pages
// apart, and then fall into the same few cache sets.
template <class T>
void Forward<T>::bind_near(const Walked& w) {
    this->bind(w);
    for (std::size_t v = 0; v < views_.size(); ++v) {
        const ViewInfo& view = code_.views[v];
        const bool input = view.kind == INPUT && memory_[v].p;
        if (input) copy_rows(views_[v], memory_[v], w.rows, view.width);
        if (input || view.kind == PREVIOUS || view.kind == NEXT) views_[v] = memory_[v];
    }
}

template <class T>
void Forward<T>::one_step(const Walked& w) {
    bind_near(w);
    steps_.run(STEP, views_.data(), w.rows);
    for (std::size_t v = 0; v < views_.size(); ++v)
        if (code_.views[v].kind == NEXT) end_step(w, v);
}

// The new state of a part goes to the caller, and becomes the old one.
template <class T>
void Forward<T>::end_step(const Walked& w, std::size_t v) {
    const i64 width = code_.views[v].width;
    const Bound<T>&next = memory_[v], &previous = memory_[pair_[v]];
    if (T* final = call_.final[code_.views[v].index]) {
        const i64 t = call_.reverse ? w.t - 1 : w.t + 1;
        const i64 go_on = t < 0 || t >= call_.time ? 0 : std::min(w.rows, this->active(t));
        for (i64 i = go_on; i < w.rows; ++i)
            std::memcpy(final + (begin_ + i) * width, next.p + i * next.row, width * sizeof(T));
    }
    if (call_.arrays[v].p) copy_rows(next, this->at(call_.arrays[v], w.t), w.rows, width);
    for (i64 i = w.rows; i < rows_; ++i)  // rows that stand still, or begin later, keep what they have
        std::memcpy(next.p + i * next.row, previous.p + i * previous.row, width * sizeof(T));
    std::swap(memory_[v].p, memory_[pair_[v]].p);
}

template <class T>
void Forward<T>::play() {
    std::vector<T*> vectors;
    for (const Bound<T>& memory : memory_) vectors.push_back(memory.p);
    const int threads = sharing();
    Player<T> player(layout_, shared_.panels, vectors, shared_.constants, rows_, threads);
    if (threads == 1) {
        play_all(player, [&] { player.step(); });
        return;
    }
    Team team(threads);
    parallel(threads, threads, [&](int thread) {
        FlushDenormals flush;
        auto together = [&](Barrier* barrier) { player.play(thread, barrier); };
        if (thread > 0) return team.follow(together);
        play_all(player, [&] { team.lead([&] { player.play_alone(); }, together), player.turn(); });
        team.finish();
    });
}

template <class T>
template <class Step>
void Forward<T>::play_all(Player<T>& player, Step&& play_step) {
    std::vector<Bound<T>> inside[2];
    auto look = [&](int parity) {
        for (const ViewInfo& view : code_.views) inside[parity].push_back(player.view(view.kind, view.index));
    };
    look(0);
    for (std::size_t v = 0; v < views_.size(); ++v) {
        const ViewInfo& view = code_.views[v];
        const T* initial = view.kind == PREVIOUS ? call_.initial[view.index] : nullptr;
        if (initial) copy_rows(this->at(initial, view.width), inside[0][v], rows_, view.width);
    }
    int parity = 0;
    for (i64 s = 0; s < call_.time;) {
        std::vector<Walked> chunk;
        for (i64 used = 0; s < call_.time && used + rows_ <= capacity_; ++s, used += rows_)
            chunk.push_back({this->step(s), used, rows_});
        if (prologue_) this->run_chunk(PROLOGUE, chunk);
        for (const Walked& w : chunk) {
            this->bind(w);
            for (std::size_t v = 0; v < views_.size(); ++v) {
                int kind = code_.views[v].kind;
                if ((kind == INPUT && !prologue_) || kind == EXTRA || kind == PROJECTED)
                    copy_rows(views_[v], inside[parity][v], rows_, code_.views[v].width);
            }
            play_step();
            for (std::size_t v = 0; v < views_.size(); ++v) {
                int kind = code_.views[v].kind;
                if (kind == SAVED || (kind == NEXT && call_.arrays[v].p))
                    copy_rows(inside[parity][v], views_[v], rows_, code_.views[v].width);
            }
            parity = !parity;
            if (inside[parity].empty()) look(parity);
        }
    }
    for (std::size_t v = 0; v < views_.size(); ++v) {
        const ViewInfo& view = code_.views[v];
        T* final = view.kind == PREVIOUS ? call_.final[view.index] : nullptr;
        if (final) copy_rows(inside[parity][v], this->at(final, view.width), rows_, view.width);
    }
}

// How many threads share the columns of a step: more than one when the batch is one slice and a step long enough to be
// worth meeting. Sums over columns are not shared.
template <class T>
int Forward<T>::sharing() const {
    const bool sums =
        std::any_of(code_.passes.begin(), code_.passes.end(), [](const Pass& pass) { return !pass.sums.empty(); });
    const i64 work = layout_.packed * rows_;
    if (sums || rows_ != call_.batch || work < SHARED_WORK || !Team::welcome()) return 1;
    return static_cast<int>(std::min<i64>(call_.threads, work / (SHARED_WORK / 2)));
}

template class Forward<float>;
template class Forward<double>;

}  // namespace unrolled
