#include "sequence.h"

#include <algorithm>

#include "float_mode.h"
#include "player.h"
#include "pool.h"
#include "steps.h"
#include "team.h"

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

constexpr i64 CHUNK_ROWS = 144;  // rows whose adjoints are gathered before they are multiplied: second-level cache

// So few rows for so many steps: a script is worth writing, and rows are copied to and from memory that does not move.
constexpr i64 PLAYED_ROWS = 8, PLAYED_STEPS = 8;

// Bytes of adjoints that are multiplied with all panels of an operand before the next: they stay in the second-level
// cache, beside the panels.
constexpr i64 STRIP = 128 * 1024;

// Multiplications of a step from which threads share its columns.
constexpr i64 SHARED_WORK = 50000;

// Hands out pieces of one block of memory; measures first (memory null), then gives.
template <class T>
class Arena {
   public:
    explicit Arena(T* memory) : memory_(memory) {}
    T* take(i64 count) {
        T* piece = memory_ ? memory_ + used_ : nullptr;
        used_ += round_up(count, 64 / sizeof(T));
        return piece;
    }
    i64 used() const { return used_; }

   private:
    T* memory_;
    i64 used_ = 0;
};

// Rows of whole vectors, an odd number of cache lines long: rows below one another then fall into different cache sets.
template <class T>
i64 internal_row(i64 width) {
    constexpr i64 line = 64 / sizeof(T);
    return (round_up(width, line) / line | 1) * line;
}

// What all slices read: packed weights, vectors and constants in whole vectors.
template <class T>
struct Shared {
    T* panels;
    T* vectors;    // one row of `vector_row` for each VECTOR view, by view
    T* constants;  // one vector each
    T* zeros;
    i64 zero_row = 0;
    std::vector<i64> vector_at;

    Shared(const Layout<T>& layout, Arena<T>& arena) {
        panels = arena.take(layout.packed);
        constants = arena.take(i64(layout.code.constants.size()) * layout.kernels.lanes);
        i64 total = 0;
        for (const ViewInfo& view : layout.code.views) {
            vector_at.push_back(total);
            if (view.kind == VECTOR) total += internal_row<T>(view.width);
            zero_row = std::max(zero_row, internal_row<T>(view.width));
        }
        vectors = arena.take(total);
        zeros = arena.take(zero_row);
    }

    void fill(const Layout<T>& layout, const Call<T>& call) const {
        layout.pack(call.weights.data(), panels);
        for (std::size_t c = 0; c < layout.code.constants.size(); ++c)
            std::fill_n(constants + c * layout.kernels.lanes, layout.kernels.lanes, static_cast<T>(layout.code.constants[c]));
        std::memset(zeros, 0, zero_row * sizeof(T));
        for (std::size_t v = 0; v < layout.code.views.size(); ++v) {
            const ViewInfo& view = layout.code.views[v];
            if (view.kind != VECTOR) continue;
            T* to = vectors + vector_at[v];
            std::memset(to, 0, internal_row<T>(view.width) * sizeof(T));
            if (call.vectors[view.index]) std::memcpy(to, call.vectors[view.index], view.width * sizeof(T));
        }
    }
};

// Steps of a chunk that have been walked: rows offset .. offset + rows - 1 of the chunk's buffers are those of step t.
struct Walked { i64 t, offset, rows; };

// One slice of the batch, rows begin .. end - 1, through all time.
template <class T>
class Slice {
   public:
    Slice(const Layout<T>& layout, const Call<T>& call, const Shared<T>& shared, i64 begin, i64 end, bool backward,
          Arena<T>& arena)
        : layout_(layout), code_(layout.code), call_(call), shared_(shared), begin_(begin), rows_(end - begin),
          backward_(backward), views_(code_.views.size()) {
        const int lanes = layout.kernels.lanes;
        capacity_ = std::max(rows_, CHUNK_ROWS);
        room_ = arena.take(Steps<T>::room(layout));
        for (std::size_t v = 0; v < code_.views.size(); ++v) {
            const ViewInfo& view = code_.views[v];
            i64 row = internal_row<T>(view.width);
            memory_.push_back({nullptr, row});
            Bound<T>& own = memory_.back();
            switch (view.kind) {
                case SCRATCH: own.p = arena.take(rows_ * row); break;
                case NARROW: own = {arena.take(std::max(rows_, capacity_) * lanes), lanes}; break;
                case PROJECTED: case OUTER: own.p = arena.take(capacity_ * row); break;
                case TALLIED: own = {arena.take(row), 0}; break;
                case CARRY: case CARRY_NEXT: own.p = arena.take(rows_ * row); break;
                case PREVIOUS: case NEXT:
                    if (!backward_) own.p = arena.take(rows_ * row);
                    break;
                case INPUT:
                    if (!backward_ && !has(PROLOGUE)) own.p = arena.take(rows_ * row);
                    break;
                case VECTOR: own = {shared.vectors + shared.vector_at[v], 0}; break;
                case CONSTANT: own = {shared.constants + view.index * lanes, 0}; break;
                default: break;
            }
        }
        pair();
        if (backward_) gradients(arena);
    }

    void forward() {
        if (!call_.lengths && rows_ <= PLAYED_ROWS && call_.time >= PLAYED_STEPS) return play();
        Steps<T> steps(layout_, shared_.panels, room_);
        bool prologue = has(PROLOGUE);
        start_forward();
        for (i64 s = 0; s < call_.time;) {
            i64 used = 0;
            std::vector<Walked> chunk;
            for (; s < call_.time; ++s) {
                i64 t = step(s), n = active(t);
                if (used + n > capacity_) break;
                chunk.push_back({t, used, n});
                used += n;
            }
            if (prologue) chunked(steps, PROLOGUE, chunk);
            for (const Walked& w : chunk) forward_step(steps, w);
        }
    }

    void backward() {
        Steps<T> steps(layout_, shared_.panels, room_);
        bool epilogue = has(EPILOGUE);
        i64 alive = 0;
        for (i64 s = call_.time; s-- > 0;) {
            i64 t = step(s), n = active(t);
            if (used_ + n > capacity_) finish_chunk(steps, epilogue);
            for (; alive < n; ++alive) begin_carry(alive);
            if (n < alive && call_.reverse) {
                for (i64 i = n; i < alive; ++i) end_carry(i);
                alive = n;
            }
            backward_step(steps, {t, used_, n});
            chunk_.push_back({t, used_, n});
            used_ += n;
        }
        for (; alive < rows_ && !call_.reverse; ++alive) begin_carry(alive);
        if (call_.reverse) {
            // rows of length 0 never began
            for (i64 i = 0; i < rows_; ++i)
                if (call_.length(begin_ + i) == 0) begin_carry(i), end_carry(i);
            for (i64 i = 0; i < alive; ++i) end_carry(i);
        } else {
            for (i64 i = 0; i < rows_; ++i) end_carry(i);
        }
        finish_chunk(steps, epilogue);
    }

    // Adds this slice's gradients of weights and vectors to the caller's arrays (the first slice writes them).
    void reduce(bool first) const {
        for (std::size_t j = 0; j < code_.jobs.size(); ++j) {
            const Job& job = code_.jobs[j];
            T* to = call_.d_weights[job.weight];
            if (!to) continue;
            to += job.offset;
            bool write = first && fresh(j);
            const i64 wide = round_up(job.out, layout_.kernels.lanes);
            for (i64 i = 0; i < job.out && turned(job); ++i)
                for (i64 k = 0; k < job.in; ++k) add(to + i * job.in + k, sums_[j] + k * wide + i, 1, write);
            for (i64 i = 0; i < job.out && !turned(job); ++i) {
                const T* from = sums_[j] + i * operands_[job_operand_[j]].padded;
                T* row = to + i * job.in;
                add(row, from, job.in, write);
            }
        }
        for (std::size_t j = 0; j < code_.vector_jobs.size(); ++j) {
            const VectorJob& job = code_.vector_jobs[j];
            T* to = call_.d_vectors[job.vector];
            if (!to) continue;
            bool write = first;
            for (std::size_t k = 0; k < j; ++k) write = write && code_.vector_jobs[k].vector != job.vector;
            add(to, column_sums_ + job.column, job.width, write);
        }
        for (std::size_t v = 0; v < memory_.size(); ++v) {
            const ViewInfo& view = code_.views[v];
            if (view.kind == TALLIED && call_.d_vectors[view.index])
                add(call_.d_vectors[view.index], memory_[v].p, view.width, first);
        }
    }

   private:
    static void add(T* to, const T* from, i64 count, bool write) {
        for (i64 k = 0; k < count; ++k) to[k] = write ? from[k] : to[k] + from[k];
    }

    struct Gathered { int view, column, width; i64 padded; T* rows; };  // operands of jobs, in panels

    i64 step(i64 s) const { return call_.reverse ? call_.time - 1 - s : s; }
    i64 before(i64 t) const { return call_.reverse ? t + 1 : t - 1; }

    // Rows of the slice that have a step t.
    i64 active(i64 t) const {
        if (!call_.lengths) return rows_;
        const i64* lengths = call_.lengths + begin_;
        return std::partition_point(lengths, lengths + rows_, [t](i64 length) { return length > t; }) - lengths;
    }

    bool has(int stage) const {
        for (const Pass& pass : code_.passes)
            if (pass.stage == stage) return true;
        return false;
    }

    // The view of the other side of the same part: PREVIOUS and NEXT, CARRY and CARRY_NEXT.
    void pair() {
        for (std::size_t v = 0; v < code_.views.size(); ++v) {
            int other = -1;
            for (std::size_t w = 0; w < code_.views.size(); ++w) {
                int a = code_.views[v].kind, b = code_.views[w].kind;
                bool fits = (a == PREVIOUS && b == NEXT) || (a == NEXT && b == PREVIOUS) || (a == CARRY && b == CARRY_NEXT) ||
                            (a == CARRY_NEXT && b == CARRY);
                if (fits && code_.views[v].index == code_.views[w].index) other = static_cast<int>(w);
            }
            pair_.push_back(other);
        }
    }

    void bind(const Walked& w) {
        for (std::size_t v = 0; v < views_.size(); ++v) {
            const Array<T>& array = call_.arrays[v];
            switch (code_.views[v].kind) {
                case INPUT: case EXTRA: case SAVED: case REPEATED: case D_OUTPUT: case D_INPUT: case NEXT:
                    views_[v] = at(array, w.t);
                    break;
                case PROJECTED: case OUTER:
                    views_[v] = {memory_[v].p + w.offset * memory_[v].row, memory_[v].row};
                    break;
                default: views_[v] = memory_[v];
            }
        }
    }

    Bound<T> at(const Array<T>& array, i64 t) const {
        return array.p ? Bound<T>{array.p + begin_ * array.row + t * array.step, array.row} : Bound<T>{nullptr, 0};
    }

    // Forward, products read x and the state again and again, from rows that lie together: those of the caller may be
    // whole pages apart, and then fall into the same few cache sets.
    void bind_near(const Walked& w) {
        bind(w);
        for (std::size_t v = 0; v < views_.size(); ++v) {
            const ViewInfo& view = code_.views[v];
            if (view.kind == INPUT && memory_[v].p) copy(views_[v], memory_[v], w.rows, view.width);
            if ((view.kind == INPUT && memory_[v].p) || view.kind == PREVIOUS || view.kind == NEXT) views_[v] = memory_[v];
        }
    }

    static void copy(const Bound<T>& from, const Bound<T>& to, i64 rows, i64 width) {
        for (i64 i = 0; i < rows; ++i) std::memcpy(to.p + i * to.row, from.p + i * from.row, width * sizeof(T));
    }

    // Backward, the old state of rows that had a step before t lies in the history; of the others in the initial state.
    void bind_previous(i64 t, bool started) {
        for (std::size_t v = 0; v < views_.size(); ++v) {
            if (code_.views[v].kind != PREVIOUS || !call_.arrays[v].p) continue;
            const Array<T>& array = call_.arrays[v];
            const T* initial = call_.initial[code_.views[v].index];
            if (started)
                views_[v] = at(array, before(t));
            else if (initial)
                views_[v] = {const_cast<T*>(initial) + begin_ * code_.views[v].width, code_.views[v].width};
            else
                views_[v] = {shared_.zeros, 0};
        }
    }

    // Rows of step t whose sequence had a step before it.
    i64 started(i64 t) const {
        i64 b = before(t);
        return b < 0 || b >= call_.time ? 0 : std::min(active(t), active(b));
    }

    template <class F>
    void in_groups(const Walked& w, F&& run) {
        i64 old = started(w.t);
        if (old > 0) bind_previous(w.t, true), run(0, old);
        if (old < w.rows) bind_previous(w.t, false), run(old, w.rows - old);
    }

    void run_rows(Steps<T>& steps, int stage, i64 first, i64 rows) {
        if (first)
            for (Bound<T>& view : views_) view.p += first * view.row;
        steps.run(stage, views_.data(), rows);
        if (first)
            for (Bound<T>& view : views_) view.p -= first * view.row;
    }

    void start_forward() {
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

    void forward_step(Steps<T>& steps, const Walked& w) {
        bind_near(w);
        steps.run(STEP, views_.data(), w.rows);
        for (std::size_t v = 0; v < views_.size(); ++v) {
            if (code_.views[v].kind != NEXT) continue;
            i64 width = code_.views[v].width;
            T* final = call_.final[code_.views[v].index];
            i64 next = call_.reverse ? w.t - 1 : w.t + 1;
            i64 go_on = next < 0 || next >= call_.time ? 0 : std::min(w.rows, active(next));
            for (i64 i = go_on; final && i < w.rows; ++i)
                std::memcpy(final + (begin_ + i) * width, views_[v].p + i * views_[v].row, width * sizeof(T));
            if (call_.arrays[v].p) copy(memory_[v], at(call_.arrays[v], w.t), w.rows, width);
            if (call_.lengths && w.rows < rows_)  // rows that stand still, or begin later, keep what they have
                for (i64 i = w.rows; i < rows_; ++i)
                    std::memcpy(memory_[v].p + i * memory_[v].row, memory_[pair_[v]].p + i * memory_[v].row, width * sizeof(T));
            std::swap(memory_[v].p, memory_[pair_[v]].p);
        }
    }

    void play() {
        std::vector<T*> vectors;
        for (const Bound<T>& memory : memory_) vectors.push_back(memory.p);
        const int threads = sharing();
        Player<T> player(layout_, shared_.panels, vectors, shared_.constants, rows_, threads);
        if (threads == 1) {
            play(player, [&] { player.step(); });
            return;
        }
        Team team(threads);
        parallel(threads, threads, [&](int thread) {
            FlushDenormals flush;
            auto together = [&](Barrier* barrier) { player.play(thread, barrier); };
            if (thread > 0) return team.follow(together);
            play(player, [&] { team.lead([&] { player.play_alone(); }, together), player.turn(); });
            team.finish();
        });
    }

    // How many threads share the columns of a step: more than one when the batch is one slice and a step long enough to
    // be worth meeting. Sums over columns are not shared.
    int sharing() const {
        const bool sums = std::any_of(code_.passes.begin(), code_.passes.end(), [](const Pass& pass) { return !pass.sums.empty(); });
        if (sums || rows_ != call_.batch || layout_.packed * rows_ < SHARED_WORK || !Team::welcome()) return 1;
        return static_cast<int>(std::min<i64>(call_.threads, layout_.packed * rows_ / (SHARED_WORK / 2)));
    }

    template <class Step>
    void play(Player<T>& player, Step&& play_step) {
        std::vector<Bound<T>> inside[2];
        auto look = [&](int parity) {
            for (const ViewInfo& view : code_.views) inside[parity].push_back(player.view(view.kind, view.index));
        };
        look(0);
        for (std::size_t v = 0; v < views_.size(); ++v) {
            const ViewInfo& view = code_.views[v];
            if (view.kind != PREVIOUS) continue;
            const T* initial = call_.initial[view.index];
            if (initial) copy(initial + begin_ * view.width, view.width, inside[0][v].p, inside[0][v].row, view.width);
        }
        Steps<T> steps(layout_, shared_.panels, room_);
        const bool prologue = has(PROLOGUE);
        int parity = 0;
        for (i64 s = 0; s < call_.time;) {
            std::vector<Walked> chunk;
            for (i64 used = 0; s < call_.time && used + rows_ <= capacity_; ++s, used += rows_) chunk.push_back({step(s), used, rows_});
            if (prologue) chunked(steps, PROLOGUE, chunk);
            for (const Walked& w : chunk) {
                bind(w);
                for (std::size_t v = 0; v < views_.size(); ++v) {
                    int kind = code_.views[v].kind;
                    if ((kind == INPUT && !prologue) || kind == EXTRA || kind == PROJECTED)
                        copy(views_[v].p, views_[v].row, inside[parity][v].p, inside[parity][v].row, code_.views[v].width);
                }
                play_step();
                for (std::size_t v = 0; v < views_.size(); ++v) {
                    int kind = code_.views[v].kind;
                    if (kind == SAVED || (kind == NEXT && call_.arrays[v].p))
                        copy(inside[parity][v].p, inside[parity][v].row, views_[v].p, views_[v].row, code_.views[v].width);
                }
                parity = !parity;
                if (inside[parity].empty()) look(parity);
            }
        }
        for (std::size_t v = 0; v < views_.size(); ++v) {
            const ViewInfo& view = code_.views[v];
            T* final = view.kind == PREVIOUS ? call_.final[view.index] : nullptr;
            if (final) copy(inside[parity][v].p, inside[parity][v].row, final + begin_ * view.width, view.width, view.width);
        }
    }

    void copy(const T* from, i64 from_row, T* to, i64 to_row, i64 width) const {
        for (i64 i = 0; i < rows_; ++i) std::memcpy(to + i * to_row, from + i * from_row, width * sizeof(T));
    }

    // A stage over the rows of a chunk at once: step by step, or, when steps are many and rows few, row by row.
    void chunked(Steps<T>& steps, int stage, const std::vector<Walked>& chunk) {
        if (chunk.empty()) return;
        const i64 n = chunk.front().rows, count = static_cast<i64>(chunk.size());
        if (n >= count || chunk.back().rows != n || n == 0) {
            for (const Walked& w : chunk) bind(w), run_rows(steps, stage, 0, w.rows);
            return;
        }
        const i64 sign = count > 1 ? chunk[1].t - chunk[0].t : 1;
        bind(chunk.front());
        for (std::size_t v = 0; v < views_.size(); ++v) {
            int kind = code_.views[v].kind;
            if (kind == INPUT || kind == D_INPUT) views_[v].row = sign * call_.arrays[v].step;
            if (kind == PROJECTED || kind == OUTER) views_[v].row *= n;
        }
        for (i64 i = 0; i < n; ++i) {
            steps.run(stage, views_.data(), count);
            for (std::size_t v = 0; v < views_.size(); ++v) {
                int kind = code_.views[v].kind;
                if (kind == INPUT || kind == D_INPUT) views_[v].p += call_.arrays[v].row;
                if (kind == PROJECTED || kind == OUTER) views_[v].p += memory_[v].row;
            }
        }
    }

    // ---- backward

    void gradients(Arena<T>& arena) {
        const i64 lanes = layout_.kernels.lanes, panel = layout_.kernels.outer_columns * lanes;
        for (const Job& job : code_.jobs) {
            std::size_t o = 0;
            while (o < operands_.size() && !(operands_[o].view == job.view && operands_[o].column == job.operand_column &&
                                             operands_[o].width == job.in))
                ++o;
            if (o == operands_.size()) {
                i64 padded = round_up(job.in, lanes);
                operands_.push_back({job.view, job.operand_column, job.in, padded, arena.take(capacity_ * round_up(padded, panel))});
            }
            job_operand_.push_back(o);
            sum_sizes_.push_back(turned(job) ? job.in * round_up(job.out, lanes)
                                             : round_up(job.out, layout_.kernels.outer_rows) * operands_[o].padded);
            sums_.push_back(arena.take(sum_sizes_.back()));
        }
        outer_ = -1;
        for (std::size_t v = 0; v < code_.views.size(); ++v)
            if (code_.views[v].kind == OUTER) outer_ = static_cast<int>(v);
        if (outer_ >= 0) column_sums_ = arena.take(memory_[outer_].row);
    }

   public:
    void clear() {
        for (std::size_t j = 0; j < sums_.size(); ++j) std::memset(sums_[j], 0, sum_sizes_[j] * sizeof(T));
        for (const Gathered& o : operands_)
            std::memset(o.rows, 0, capacity_ * round_up(o.padded, layout_.kernels.outer_columns * layout_.kernels.lanes) * sizeof(T));
        for (std::size_t v = 0; v < memory_.size(); ++v)
            if (code_.views[v].kind == TALLIED)
                std::memset(memory_[v].p, 0, internal_row<T>(code_.views[v].width) * sizeof(T));
        if (outer_ < 0) return;
        std::memset(column_sums_, 0, memory_[outer_].row * sizeof(T));
        std::memset(memory_[outer_].p, 0, capacity_ * memory_[outer_].row * sizeof(T));
    }

   private:
    void begin_carry(i64 i) {
        for (std::size_t v = 0; v < views_.size(); ++v) {
            if (code_.views[v].kind != CARRY) continue;
            i64 width = code_.views[v].width;
            const T* from = call_.d_final[code_.views[v].index];
            T* to = memory_[v].p + i * memory_[v].row;
            if (from)
                std::memcpy(to, from + (begin_ + i) * width, width * sizeof(T));
            else
                std::memset(to, 0, width * sizeof(T));
        }
    }

    void end_carry(i64 i) {
        for (std::size_t v = 0; v < views_.size(); ++v) {
            if (code_.views[v].kind != CARRY) continue;
            i64 width = code_.views[v].width;
            if (T* to = call_.d_initial[code_.views[v].index])
                std::memcpy(to + (begin_ + i) * width, memory_[v].p + i * memory_[v].row, width * sizeof(T));
        }
    }

    void backward_step(Steps<T>& steps, const Walked& w) {
        bind(w);
        in_groups(w, [&](i64 first, i64 rows) { run_rows(steps, STEP, first, rows); });
        for (std::size_t v = 0; v < views_.size(); ++v)
            if (code_.views[v].kind == CARRY && pair_[v] >= 0) std::swap(memory_[v].p, memory_[pair_[v]].p);
    }

    void finish_chunk(Steps<T>& steps, bool epilogue) {
        if (epilogue) chunked(steps, EPILOGUE, chunk_);
        if (used_) {
            for (const Walked& w : chunk_) gather(w);
            for (std::size_t j = 0; j < code_.jobs.size(); ++j)
                if (call_.d_weights[code_.jobs[j].weight]) multiply(j);
            if (outer_ >= 0)
                layout_.kernels.column_sums(column_sums_, memory_[outer_].p, memory_[outer_].row, used_,
                                            round_up(code_.views[outer_].width, layout_.kernels.lanes));
        }
        chunk_.clear();
        used_ = 0;
    }

    // Copies the operands of a step's rows into panels of `outer_columns` vectors.
    void gather(const Walked& w) {
        const i64 panel = layout_.kernels.outer_columns * layout_.kernels.lanes;
        bind(w);
        in_groups(w, [&](i64 first, i64 rows) {
            for (const Gathered& o : operands_) {
                const Bound<T>& view = views_[o.view];
                for (i64 i = first; i < first + rows; ++i) {
                    const T* from = view.p + i * view.row + o.column;
                    for (i64 c = 0; c < o.width; c += panel)
                        std::memcpy(o.rows + c * capacity_ + (w.offset + i) * panel, from + c,
                                    std::min<i64>(panel, o.width - c) * sizeof(T));
                }
            }
        });
    }

    // Few columns would leave most of a vector empty: such a gradient is computed transposed.
    bool turned(const Job& job) const { return 2 * job.in <= layout_.kernels.lanes; }

    void multiply(std::size_t j) {
        const Kernels<T>& kernels = layout_.kernels;
        const Job& job = code_.jobs[j];
        const Gathered& o = operands_[job_operand_[j]];
        const i64 panel = kernels.outer_columns * kernels.lanes;
        const Bound<T>& outer = memory_[outer_];
        if (turned(job)) {
            const i64 wide = round_up(job.out, kernels.lanes);
            for (i64 c = 0; c < wide; c += panel)
                for (i64 i = 0; i < job.in; i += kernels.outer_rows)
                    kernels.outer[std::min<i64>(kernels.outer_rows, job.in - i)][std::min(panel, wide - c) / kernels.lanes](
                        o.rows + i, panel, outer.p + job.column + c, outer.row, sums_[j] + i * wide + c, wide, used_);
            return;
        }
        const i64 strip = std::max<i64>(1, STRIP / (capacity_ * sizeof(T)) / kernels.outer_rows) * kernels.outer_rows;
        for (i64 first = 0; first < job.out; first += strip)
            for (i64 c = 0; c < o.padded; c += panel) {
                int vectors = static_cast<int>(std::min(panel, o.padded - c) / kernels.lanes);
                for (i64 i = first; i < std::min<i64>(job.out, first + strip); i += kernels.outer_rows)
                    kernels.outer[std::min<i64>(kernels.outer_rows, job.out - i)][vectors](
                        outer.p + job.column + i, outer.row, o.rows + c * capacity_, panel, sums_[j] + i * o.padded + c,
                        o.padded, used_);
            }
    }

    bool fresh(std::size_t j) const {
        for (std::size_t k = 0; k < j; ++k)
            if (code_.jobs[k].weight == code_.jobs[j].weight && code_.jobs[k].offset == code_.jobs[j].offset) return false;
        return true;
    }

    const Layout<T>& layout_;
    const Code& code_;
    const Call<T>& call_;
    const Shared<T>& shared_;
    i64 begin_, rows_, capacity_ = 0;
    bool backward_;
    std::vector<Bound<T>> views_, memory_;
    std::vector<int> pair_;
    T* room_ = nullptr;
    std::vector<Gathered> operands_;
    std::vector<std::size_t> job_operand_;
    std::vector<T*> sums_;
    std::vector<i64> sum_sizes_;
    T* column_sums_ = nullptr;
    int outer_ = -1;
    std::vector<Walked> chunk_;
    i64 used_ = 0;
};

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

template <class T>
void run(const Layout<T>& layout, const Call<T>& call, Store& store, bool backward) {
    std::vector<i64> bounds = slices(call);
    const int count = static_cast<int>(bounds.size()) - 1;
    auto build = [&](Arena<T>& arena, std::vector<Slice<T>>& made, Shared<T>& shared) {
        for (int s = 0; s < count; ++s)
            made.emplace_back(layout, call, shared, bounds[s], bounds[s + 1], backward, arena);
    };
    i64 size;
    {
        Arena<T> measure(nullptr);
        Shared<T> shared(layout, measure);
        std::vector<Slice<T>> made;
        build(measure, made, shared);
        size = measure.used();
    }
    Store::Block block = store.take(size * sizeof(T));
    Arena<T> arena(block.aligned<T>());
    Shared<T> shared(layout, arena);
    shared.fill(layout, call);
    std::vector<Slice<T>> made;
    build(arena, made, shared);
    parallel(call.threads, count, [&](int s) {
        FlushDenormals flush;
        if (backward) made[s].clear(), made[s].backward();
        else made[s].forward();
    });
    if (backward)
        for (int s = 0; s < count; ++s) made[s].reduce(s == 0);
    store.give(std::move(block));
}

}  // namespace

template <class T>
void Sequence<T>::forward(const Call<T>& call) {
    if (call.batch > 0) run(layout_, call, store_, false);
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
    if (call.batch > 0) run(layout_, call, store_, true);
}

template class Sequence<float>;
template class Sequence<double>;

}  // namespace unrolled
