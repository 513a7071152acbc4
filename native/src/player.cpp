#include "player.h"

#include <algorithm>
#include <new>

namespace unrolled {

template <class T>
Player<T>::Player(const Layout<T>& layout, const T* panels, const std::vector<T*>& vectors, T* constants, i64 rows,
                  int threads)
    : layout_(layout) {
    const int lanes = layout.kernels.lanes;
    const std::vector<ViewInfo>& infos = layout.code.views;
    i64 total = 0;
    std::vector<i64> at;
    for (const ViewInfo& info : infos) {
        at.push_back(total);
        if (info.kind != VECTOR && info.kind != CONSTANT) total += rows * round_up(info.width, 16);
    }
    const i64 room = total;
    const i64 each = round_up(Steps<T>::room(layout), 64);
    total += each * threads;
    memory_.reset(static_cast<T*>(::operator new[](total * sizeof(T), std::align_val_t(64))));
    std::fill_n(memory_.get(), total, T(0));
    for (std::size_t v = 0; v < infos.size(); ++v) {
        Bound<T> view{memory_.get() + at[v], round_up(infos[v].width, 16)};
        if (infos[v].kind == NARROW) view.row = lanes;
        if (infos[v].kind == VECTOR) view = {vectors[v], 0};
        if (infos[v].kind == CONSTANT) view = {constants + infos[v].index * lanes, 0};
        views_[0].push_back(view);
    }
    views_[1] = views_[0];
    for (std::size_t v = 0; v < infos.size(); ++v)
        for (std::size_t w = 0; w < infos.size(); ++w)
            if (infos[v].kind == PREVIOUS && infos[w].kind == NEXT && infos[v].index == infos[w].index)
                std::swap(views_[1][v], views_[1][w]);
    for (int parity : {0, 1}) {
        scripts_[parity].resize(threads > 1 ? threads + 1 : 1);
        for (int thread = 0; thread < threads; ++thread) {
            Steps<T> steps(layout, panels, memory_.get() + room + thread * each);
            steps.record(STEP, views_[parity].data(), rows, scripts_[parity][thread], thread, threads);
        }
        if (threads > 1) {
            Steps<T> alone(layout, panels, memory_.get() + room);
            alone.record(STEP, views_[parity].data(), rows, scripts_[parity].back());
        }
        parity_ = parity;
        output_[parity] = view(NEXT, 0);
    }
    parity_ = 0;
    input_ = view(INPUT, 0);
}

template <class T>
Bound<T> Player<T>::view(int kind, int index) const {
    for (std::size_t v = 0; v < layout_.code.views.size(); ++v)
        if (layout_.code.views[v].kind == kind && layout_.code.views[v].index == index) return views_[parity_][v];
    return {nullptr, 0};
}

template class Player<float>;
template class Player<double>;

}  // namespace unrolled
