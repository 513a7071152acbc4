#include "steps.h"

#include <algorithm>

namespace unrolled {
namespace {

constexpr i64 TILE = 24576;  // elements of all operands of a tile: those used at a time stay in the first-level cache
constexpr i64 TILE_ROWS = 48, TILE_VECTORS = 32;
constexpr i64 SLAB = 1024;  // columns of rows that go through several passes before the next: what crosses passes stays
                            // in the cache

bool external(int kind) {
    return kind == INPUT || kind == EXTRA || kind == PREVIOUS || kind == NEXT || kind == D_OUTPUT || kind == D_INPUT;
}

// The same for each row: takes no room in the cache.
bool fixed(int kind) { return kind == VECTOR || kind == CONSTANT || kind == TALLIED; }

bool repeated(int kind) { return kind == NARROW || kind == CONSTANT || kind == REPEATED; }

// Several sums may go to one view; it is begun and ended once.
bool begins(const std::vector<Sum>& sums, const Sum& sum) {
    auto same = [&](const Sum& other) { return other.view == sum.view; };
    return &*std::find_if(sums.begin(), sums.end(), same) == &sum;
}

// Rows of a tile of `vectors` vectors, `count` operands.
i64 tile_rows(i64 count, i64 vectors, int lanes) {
    i64 rows = TILE / std::max<i64>(1, count * vectors * lanes);
    return std::max<i64>(1, std::min(rows, TILE_ROWS));
}

template <class T>
void add(const Kernels<T>& kernels, T* sum, const Operand<T>& a, const Operand<T>& b, i64 rows, i64 vectors, i64 last) {
    if (b.p)
        kernels.add_products(sum, a, b, rows, vectors, last);
    else
        kernels.add_columns(sum, a, rows, vectors, last);
}

}  // namespace

template <class T>
i64 Steps<T>::room(const Layout<T>& layout) {
    i64 most = 0;
    for (std::size_t p = 0; p < layout.passes.size(); ++p) {
        const Pass& pass = layout.code.passes[p];
        i64 operands = pass.slots + static_cast<i64>(pass.refs.size());
        i64 widest = std::max<i64>(TILE_VECTORS, layout.passes[p].block_vectors);
        most = std::max({most, TILE, operands * layout.kernels.lanes * widest});
    }
    return most;
}

template <class T>
void Steps<T>::run(int stage, const Bound<T>* views, i64 rows, Script<T>* script) const {
    if (script) script->kernels_ = &layout_.kernels;
    const std::vector<Pass>& passes = layout_.code.passes;
    for (std::size_t p = 0; p < passes.size();) {
        std::size_t end = p + 1;
        if (passes[p].stage == stage && passes[p].groups.empty() && !script)
            while (end < passes.size() && passes[end].stage == stage && passes[end].groups.empty()) ++end;
        if (end > p + 1)
            slabs(p, end, views, rows);
        else if (passes[p].stage == stage)
            pass(passes[p], layout_.passes[p], views, rows, script);
        p = end;
    }
}

template <class T>
void Steps<T>::slabs(std::size_t begin, std::size_t end, const Bound<T>* views, i64 rows) const {
    const std::size_t count = layout_.code.views.size();
    Bound<T> moved[MOST_VIEWS];
    std::copy(views, views + count, moved);
    i64 widest = 0;
    for (std::size_t p = begin; p < end; ++p) widest = std::max<i64>(widest, layout_.code.passes[p].width);
    const i64 most = std::max<i64>(1, SLAB / widest), parts = (rows + most - 1) / most;
    for (i64 part = 0; part < parts; ++part) {
        const i64 first = rows * part / parts, last = rows * (part + 1) / parts;
        for (std::size_t v = 0; v < count; ++v) moved[v].p = views[v].p + first * views[v].row;
        for (std::size_t p = begin; p < end; ++p)
            pass(layout_.code.passes[p], layout_.passes[p], moved, last - first, nullptr);
    }
}

template <class T>
void Steps<T>::pass(const Pass& pass, const PassLayout& layout, const Bound<T>* views, i64 rows,
                    Script<T>* script) const {
    const int lanes = layout_.kernels.lanes;
    for (const Sum& sum : pass.sums) {
        if (!begins(pass.sums, sum)) continue;
        if (script) {
            script->entries_.push_back({Script<T>::TOTAL, static_cast<int>(script->totals_.size())});
            script->totals_.push_back({true, views[sum.view].p, {}, {}, rows, 0, 0});
        } else {
            std::memset(views[sum.view].p, 0, rows * lanes * sizeof(T));
        }
    }
    i64 operands = pass.slots;
    for (const Ref& ref : pass.refs) operands += !fixed(layout_.code.views[ref.view].kind);
    // few rows: tiles of several blocks, so that an instruction has enough to do
    std::size_t together = 1;
    const std::size_t low = layout.blocks.size() * part_ / parts_, high = layout.blocks.size() * (part_ + 1) / parts_;
    while (together < high - low && rows * i64(together) < 8 &&
           i64(together + 1) * layout.block_vectors <= TILE_VECTORS)
        ++together;
    const i64 height = tile_rows(operands, i64(together) * layout.block_vectors, lanes);
    const i64 tiles = (rows + height - 1) / height;
    for (std::size_t block = low; block < high; block += together)
        for (i64 t = 0; t < tiles; ++t) {
            i64 first = rows * t / tiles, end = rows * (t + 1) / tiles;
            tile(pass, layout, views, first, end - first, block, std::min(together, high - block),
                 script);
        }
    for (const Sum& sum : pass.sums) {
        if (!begins(pass.sums, sum)) continue;
        if (script) {
            script->entries_.push_back({Script<T>::SPREAD, static_cast<int>(script->totals_.size())});
            script->totals_.push_back({true, views[sum.view].p, {}, {}, rows, 0, 0});
        } else {
            layout_.kernels.spread_sum(views[sum.view].p, rows);
        }
    }
    if (script && parts_ > 1) script->entries_.push_back({Script<T>::MEET, 0});
}

template <class T>
void Steps<T>::tile(const Pass& pass, const PassLayout& layout, const Bound<T>* views, i64 first, i64 rows,
                    std::size_t block, std::size_t blocks, Script<T>* script) const {
    const Kernels<T>& kernels = layout_.kernels;
    const int lanes = kernels.lanes;
    const Block& begin = layout.blocks[block];
    const Block& last = layout.blocks[block + blocks - 1];
    const i64 vectors = (last.first - begin.first) / lanes + last.vectors;
    const i64 width = (vectors - 1) * lanes + last.last, stride = vectors * lanes;
    const bool partial = last.last < lanes && !script;
    Operand<T> operands[2 * MOST_OPERANDS];
    T* room = room_;
    for (int s = 0; s < pass.slots; ++s, room += rows * stride) operands[s] = {room, stride, lanes};
    for (std::size_t r = 0; r < pass.refs.size(); ++r) {
        const Ref& ref = pass.refs[r];
        const Bound<T>& view = views[ref.view];
        const int kind = layout_.code.views[ref.view].kind;
        Operand<T>& operand = operands[pass.slots + r];
        T* p = view.p + first * view.row;
        if (repeated(kind)) {
            operand = {p, view.row, 0};
            continue;
        }
        operand = {p + ref.column + begin.first, view.row, lanes};
        if (!partial || !external(kind)) continue;
        if (layout.read[r])
            for (i64 i = 0; i < rows; ++i) {
                std::memcpy(room + i * stride, operand.p + i * operand.row, width * sizeof(T));
                std::memset(room + i * stride + width, 0, (stride - width) * sizeof(T));
            }
        operand = {room, stride, lanes};
        room += rows * stride;
    }
    for (std::size_t b = block; b < block + blocks; ++b)
        products(pass, layout.blocks[b], views, operands, layout.blocks[b].first - begin.first, first, rows, script);
    if (script) {
        const std::size_t at = script->operands_.size();
        script->operands_.insert(script->operands_.end(), operands, operands + pass.slots + pass.refs.size());
        for (const Instruction& i : pass.code) {
            script->entries_.push_back({Script<T>::APPLY, static_cast<int>(script->applies_.size())});
            script->applies_.push_back({kernels.pointwise[i.op], at, &i, rows, vectors});
        }
        for (const Sum& sum : pass.sums) {
            script->entries_.push_back({Script<T>::TOTAL, static_cast<int>(script->totals_.size())});
            script->totals_.push_back({false, views[sum.view].p + first * lanes, operands[sum.a],
                                       sum.b < 0 ? Operand<T>{} : operands[sum.b], rows, vectors, last.last});
        }
        return;
    }
    for (const Instruction& i : pass.code)
        kernels.pointwise[i.op](operands, i, rows, vectors);
    for (const Sum& sum : pass.sums)
        add(kernels, views[sum.view].p + first * lanes, operands[sum.a], sum.b < 0 ? Operand<T>{} : operands[sum.b], rows,
            vectors, last.last);
    if (!partial) return;
    for (std::size_t r = 0; r < pass.refs.size(); ++r) {
        const Ref& ref = pass.refs[r];
        if (!layout.written[r] || !external(layout_.code.views[ref.view].kind)) continue;
        const Bound<T>& view = views[ref.view];
        for (i64 i = 0; i < rows; ++i)
            std::memcpy(view.p + (first + i) * view.row + ref.column + begin.first,
                        operands[pass.slots + r].p + i * stride, width * sizeof(T));
    }
}

template <class T>
void Steps<T>::products(const Pass& pass, const Block& block, const Bound<T>* views, const Operand<T>* operands, i64 skip,
                        i64 first, i64 rows, Script<T>* script) const {
    const Kernels<T>& kernels = layout_.kernels;
    for (std::size_t g = 0; g < pass.groups.size(); ++g) {
        const Group& group = pass.groups[g];
        for (const PanelCall& call : block.groups[g]) {
            Segment<T> segments[MOST_FACTORS];
            Column<T> columns[MAX_COLUMNS];
            const int count = static_cast<int>(call.factors.size());
            i64 size = 0;
            for (int f = 0; f < count; ++f) {
                const PanelFactor& factor = call.factors[f];
                const Bound<T>& view = views[group.factors[f].view];
                segments[f] = {view.p + first * view.row + group.factors[f].column + factor.first, view.row,
                               panels_ + factor.offset, factor.k, 0};
                size += factor.k * call.count * kernels.lanes;
            }
            for (int c = 0; c < call.count; ++c) {
                const Result& result = group.results[(call.column + c) / block.vectors];
                const i64 vector = (call.column + c) % block.vectors;
                auto at = [&](int operand) {
                    return operands[operand].p + (operands[operand].step ? skip : 0) + vector * operands[operand].step;
                };
                Column<T>& column = columns[c];
                for (int i = 0; i < 2; ++i) {
                    column.init[i] = result.init[i] < 0 ? nullptr : at(result.init[i]);
                    column.init_row[i] = result.init[i] < 0 ? 0 : operands[result.init[i]].row;
                }
                column.out = at(result.out), column.row = operands[result.out].row;
            }
            const i64 parts = (rows + kernels.rows[call.count] - 1) / kernels.rows[call.count];
            for (i64 part = 0; part < parts; ++part) {
                i64 begin = rows * part / parts, end = rows * (part + 1) / parts;
                if (part + 1 == parts)  // the panel is read for the last time: the next one comes
                    for (int f = 0; f < count; ++f) segments[f].ahead = size;
                if (!script) {
                    kernels.product[end - begin][call.count](segments, count, columns, begin);
                    continue;
                }
                script->entries_.push_back({Script<T>::MULTIPLY, static_cast<int>(script->multiplies_.size())});
                script->multiplies_.push_back({kernels.product[end - begin][call.count], count,
                                               static_cast<int>(script->segments_.size()),
                                               static_cast<int>(script->columns_.size()), begin});
            }
            if (script) {
                script->segments_.insert(script->segments_.end(), segments, segments + count);
                script->columns_.insert(script->columns_.end(), columns, columns + call.count);
            }
        }
    }
}

void Barrier::wait() {
    const unsigned round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
        arrived_.store(0, std::memory_order_relaxed);
        round_.store(round + 1, std::memory_order_release);
        return;
    }
    for (int spins = 0; round_.load(std::memory_order_acquire) == round; ++spins) pause(spins);
}

template <class T>
void Script<T>::play(Barrier* barrier) const {
    for (const Entry& entry : entries_) switch (entry.what) {
            case MULTIPLY: {
                const Multiply& m = multiplies_[entry.index];
                m.run(&segments_[m.first_segment], m.segments, &columns_[m.first_column], m.first);
                break;
            }
            case APPLY: {
                const Apply& a = applies_[entry.index];
                a.run(&operands_[a.operands], *a.instruction, a.rows, a.vectors);
                break;
            }
            case TOTAL: {
                const Total& t = totals_[entry.index];
                if (t.begin)
                    std::memset(t.sum, 0, t.rows * kernels_->lanes * sizeof(T));
                else
                    add(*kernels_, t.sum, t.a, t.b, t.rows, t.vectors, t.last);
                break;
            }
            case MEET: barrier->wait(); break;
            case SPREAD: kernels_->spread_sum(totals_[entry.index].sum, totals_[entry.index].rows); break;
        }
}

template class Script<float>;
template class Script<double>;
template class Steps<float>;
template class Steps<double>;

}  // namespace unrolled
