#include "stream.h"

#include <stdexcept>

#include "float_mode.h"

namespace unrolled {
namespace {

constexpr i64 ALIGN = 64;

template <class T>
T* aligned(std::vector<T>& room) {
    return reinterpret_cast<T*>((reinterpret_cast<std::uintptr_t>(room.data()) + ALIGN - 1) / ALIGN * ALIGN);
}

}  // namespace

template <class T>
Stream<T>::Stream(const std::vector<StreamLayer<T>>& layers, i64 batch) : batch_(batch) {
    if (batch < 1 || layers.empty()) throw std::invalid_argument("a stream needs rows and layers");
    const i64 slack = ALIGN / sizeof(T);
    for (const StreamLayer<T>& given : layers) {
        const Layout<T>& layout = given.sequence->layout(batch);
        const Code& code = layout.code;
        auto layer = std::make_unique<Layer>();
        const int lanes = layout.kernels.lanes;
        layer->panels.resize(layout.packed + slack);
        layout.pack(given.weights.data(), aligned(layer->panels));
        layer->constants.resize(code.constants.size() * lanes + slack);
        for (std::size_t c = 0; c < code.constants.size(); ++c)
            for (int lane = 0; lane < lanes; ++lane) aligned(layer->constants)[c * lanes + lane] = static_cast<T>(code.constants[c]);
        i64 total = 0;
        for (const ViewInfo& view : code.views)
            if (view.kind == VECTOR) total += round_up(view.width, 16);
        layer->vectors.resize(total + slack);
        std::vector<T*> vectors;
        T* at = aligned(layer->vectors);
        layer->widths.assign(code.parts, 0);
        layer->inputs = layer->outputs = 0;
        for (const ViewInfo& view : code.views) {
            vectors.push_back(view.kind == VECTOR ? at : nullptr);
            if (view.kind == VECTOR) {
                if (given.vectors[view.index]) std::memcpy(at, given.vectors[view.index], view.width * sizeof(T));
                at += round_up(view.width, 16);
            }
            if (view.kind == PREVIOUS) layer->widths[view.index] = view.width;
            if (view.kind == INPUT) layer->inputs = view.width;
            if (view.kind == NEXT && view.index == 0) layer->outputs = view.width;
            if (view.kind == EXTRA || view.kind == PROJECTED) throw std::invalid_argument("this code cannot stream");
        }
        layer->player = std::make_unique<Player<T>>(layout, aligned(layer->panels), vectors, aligned(layer->constants), batch);
        for (i64 width : layer->widths) state_size_ += batch * width;
        if (!layers_.empty() && layers_.back()->outputs != layer->inputs)
            throw std::invalid_argument("a layer does not take what the one before it gives");
        layers_.push_back(std::move(layer));
    }
    inputs_ = layers_.front()->inputs, outputs_ = layers_.back()->outputs;
}

template <class T>
void Stream<T>::process(const T* x, T* y, i64 steps) {
    FlushDenormals flush;
    for (i64 t = 0; t < steps; ++t) {
        Bound<T> from{const_cast<T*>(x) + t * batch_ * inputs_, inputs_};
        for (const std::unique_ptr<Layer>& layer : layers_) {
            Bound<T> input = layer->player->input();
            copy_rows(from, input, batch_, layer->inputs);
            Bound<T> output = layer->player->output();
            layer->player->step();
            from = output;
        }
        copy_rows(from, {y + t * batch_ * outputs_, outputs_}, batch_, outputs_);
    }
}

template <class T>
template <class F>
void Stream<T>::each_part(F&& visit) const {
    for (const std::unique_ptr<Layer>& layer : layers_)
        for (std::size_t part = 0; part < layer->widths.size(); ++part)
            if (layer->widths[part] > 0)  // a head has no state
                visit(layer->player->view(PREVIOUS, static_cast<int>(part)), layer->widths[part]);
}

template <class T>
void Stream<T>::save(T* state) const {
    each_part([&](const Bound<T>& view, i64 width) {
        copy_rows(view, {state, width}, batch_, width);
        state += batch_ * width;
    });
}

template <class T>
void Stream<T>::load(const T* state) {
    each_part([&](const Bound<T>& view, i64 width) {
        copy_rows({const_cast<T*>(state), width}, view, batch_, width);
        state += batch_ * width;
    });
}

template class Stream<float>;
template class Stream<double>;

}  // namespace unrolled
