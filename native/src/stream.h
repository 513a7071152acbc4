// Layers one upon another that go through time step by step: `batch` independent streams side by side.
#pragma once

#include "player.h"
#include "sequence.h"

namespace unrolled {

template <class T>
struct StreamLayer {
    const Sequence<T>* sequence;
    std::vector<const T*> weights, vectors;
};

template <class T>
class Stream {
   public:
    using Element = T;

    // The first layer takes `inputs` numbers, the last gives `outputs`. Weights are copied.
    Stream(const std::vector<StreamLayer<T>>& layers, i64 batch);

    i64 inputs() const { return inputs_; }
    i64 outputs() const { return outputs_; }
    i64 state_size() const { return state_size_; }

    // x (steps, batch, inputs) to y (steps, batch, outputs), both contiguous; no memory is allocated.
    void process(const T* x, T* y, i64 steps);
    // All parts of the state of all layers, part after part, (batch, width) each.
    void save(T* state) const;
    void load(const T* state);

   private:
    struct Layer {
        std::vector<T> panels, constants, vectors;
        std::unique_ptr<Player<T>> player;
        std::vector<i64> widths;
        i64 inputs, outputs;
    };

    template <class F>
    void each_part(F&& visit) const;

    i64 batch_, inputs_ = 0, outputs_ = 0, state_size_ = 0;
    std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace unrolled
