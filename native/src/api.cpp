#include "unrolled_native.h"

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <variant>

#include "dispatch.h"
#include "float_mode.h"
#include "pool.h"
#include "sequence.h"
#include "stream.h"

using namespace unrolled;

struct unrolled_kernel {
    std::variant<std::unique_ptr<Sequence<float>>, std::unique_ptr<Sequence<double>>> sequence;
};

struct unrolled_stream {
    std::variant<std::unique_ptr<Stream<float>>, std::unique_ptr<Stream<double>>> stream;
};

namespace {

thread_local std::string last_error;

template <class F>
int guarded(F&& f) {
    try {
        f();
        return 0;
    } catch (const std::bad_alloc&) {
        last_error = "out of memory";
    } catch (const std::exception& error) {
        last_error = error.what();
    }
    return -1;
}

class Numbers {
   public:
    Numbers(const int64_t* at, int64_t count) : at_(at), end_(at + count) {}
    i64 next() {
        if (at_ == end_) throw std::invalid_argument("the call has too few numbers");
        return *at_++;
    }
    template <class T>
    T* address() {
        return reinterpret_cast<T*>(static_cast<std::uintptr_t>(next()));
    }
    void finish() const {
        if (at_ != end_) throw std::invalid_argument("the call has too many numbers");
    }

   private:
    const int64_t *at_, *end_;
};

template <class T>
Call<T> read_call(const Code& code, const int64_t* numbers, int64_t count, bool backward) {
    Numbers in(numbers, count);
    Call<T> call{};
    call.batch = in.next(), call.time = in.next(), call.reverse = in.next() != 0;
    call.threads = static_cast<int>(std::min<i64>(std::max<i64>(in.next(), 1), 256));
    call.lengths = in.address<const i64>();
    if (call.batch < 0 || call.time < 0) throw std::invalid_argument("a negative size");
    for (i64 b = 0; call.lengths && b < call.batch; ++b)
        if (call.lengths[b] < 0 || call.lengths[b] > call.time || (b && call.lengths[b] > call.lengths[b - 1]))
            throw std::invalid_argument("lengths must descend and lie within 0 .. time");
    for (const ViewInfo& view : code.views) {
        Array<T> array;
        array.p = in.address<T>(), array.row = in.next(), array.step = in.next();
        bool needed = view.kind == INPUT || view.kind == EXTRA || view.kind == SAVED || view.kind == REPEATED ||
                      view.kind == D_OUTPUT || view.kind == D_INPUT ||
                      (backward && (view.kind == PREVIOUS || view.kind == NEXT));
        if (needed && !array.p && call.batch && call.time) throw std::invalid_argument("an array is missing");
        call.arrays.push_back(array);
    }
    for (int p = 0; p < code.parts; ++p) {
        call.initial.push_back(in.address<const T>());
        call.final.push_back(in.address<T>());
    }
    for (std::size_t w = 0; w < code.weights.size(); ++w) {
        call.weights.push_back(in.address<const T>());
        if (!call.weights.back()) throw std::invalid_argument("a weight is missing");
    }
    for (std::size_t v = 0; v < code.vectors.size(); ++v) call.vectors.push_back(in.address<const T>());
    if (backward) {
        for (int p = 0; p < code.parts; ++p) {
            call.d_final.push_back(in.address<const T>());
            call.d_initial.push_back(in.address<T>());
        }
        for (std::size_t w = 0; w < code.weights.size(); ++w) call.d_weights.push_back(in.address<T>());
        for (std::size_t v = 0; v < code.vectors.size(); ++v) call.d_vectors.push_back(in.address<T>());
    }
    in.finish();
    return call;
}

template <class T>
std::unique_ptr<Sequence<T>> compile(Code code) {
    return std::make_unique<Sequence<T>>(std::move(code), kernels<T>());
}

template <class T>
std::unique_ptr<Stream<T>> make_stream(unrolled_kernel* const* kernels, i64 count, i64 batch, Numbers& in) {
    std::vector<StreamLayer<T>> layers;
    for (i64 k = 0; k < count; ++k) {
        auto* sequence = std::get_if<std::unique_ptr<Sequence<T>>>(&kernels[k]->sequence);
        if (!sequence) throw std::invalid_argument("layers of one stream must have one dtype");
        StreamLayer<T> layer{sequence->get(), {}, {}};
        for (std::size_t w = 0; w < (*sequence)->code().weights.size(); ++w) layer.weights.push_back(in.address<const T>());
        for (std::size_t v = 0; v < (*sequence)->code().vectors.size(); ++v) layer.vectors.push_back(in.address<const T>());
        layers.push_back(std::move(layer));
    }
    in.finish();
    return std::make_unique<Stream<T>>(layers, batch);
}

template <class T>
void apply(int op, const void* a, void* out, i64 count) {
    const Kernels<T>& k = kernels<T>();
    if (op < 0 || op >= ADD || count < 0 || count % k.lanes) throw std::invalid_argument("operation or count");
    FlushDenormals flush;
    const Operand<T> operands[] = {{static_cast<T*>(out), k.lanes, k.lanes},
                                   {const_cast<T*>(static_cast<const T*>(a)), k.lanes, k.lanes}};
    k.pointwise[op](operands, {op, 0, 1, 1, 1}, count / k.lanes, 1);
}

}  // namespace

extern "C" {

const char* unrolled_error(void) { return last_error.c_str(); }

int unrolled_version(void) { return 4; }

const char* unrolled_isa(void) { return isa(); }

int unrolled_use_isa(const char* name) {
    if (use_isa(name)) return 0;
    last_error = std::string("this processor has no ") + name;
    return -1;
}

void unrolled_borrow_threads(void (*parallel)(void (*)(void*), void*, unsigned, unsigned)) { borrow(parallel); }

unrolled_kernel* unrolled_compile(int dtype, const int32_t* words, int64_t count, const double* constants,
                                  int64_t constant_count) {
    unrolled_kernel* made = nullptr;
    int failed = guarded([&] {
        Code code = decode(words, count, constants, constant_count);
        auto kernel = std::make_unique<unrolled_kernel>();
        if (dtype == UNROLLED_FLOAT32)
            kernel->sequence = compile<float>(std::move(code));
        else if (dtype == UNROLLED_FLOAT64)
            kernel->sequence = compile<double>(std::move(code));
        else
            throw std::invalid_argument("unknown dtype");
        made = kernel.release();
    });
    return failed ? nullptr : made;
}

void unrolled_free(unrolled_kernel* kernel) { delete kernel; }

int unrolled_forward(unrolled_kernel* kernel, const int64_t* numbers, int64_t count) {
    return guarded([&] {
        std::visit(
            [&](auto& sequence) {
                using T = typename std::decay_t<decltype(*sequence)>::Element;
                sequence->forward(read_call<T>(sequence->code(), numbers, count, false));
            },
            kernel->sequence);
    });
}

int unrolled_backward(unrolled_kernel* kernel, const int64_t* numbers, int64_t count) {
    return guarded([&] {
        std::visit(
            [&](auto& sequence) {
                using T = typename std::decay_t<decltype(*sequence)>::Element;
                sequence->backward(read_call<T>(sequence->code(), numbers, count, true));
            },
            kernel->sequence);
    });
}

unrolled_stream* unrolled_stream_make(unrolled_kernel* const* kernels, int64_t layers, int64_t batch,
                                      const int64_t* numbers, int64_t count) {
    unrolled_stream* made = nullptr;
    int failed = guarded([&] {
        if (layers < 1) throw std::invalid_argument("a stream needs layers");
        Numbers in(numbers, count);
        auto stream = std::make_unique<unrolled_stream>();
        if (kernels[0]->sequence.index() == 0)
            stream->stream = make_stream<float>(kernels, layers, batch, in);
        else
            stream->stream = make_stream<double>(kernels, layers, batch, in);
        made = stream.release();
    });
    return failed ? nullptr : made;
}

void unrolled_stream_free(unrolled_stream* stream) { delete stream; }

int unrolled_stream_sizes(const unrolled_stream* stream, int64_t sizes[3]) {
    std::visit([&](auto& s) { sizes[0] = s->inputs(), sizes[1] = s->outputs(), sizes[2] = s->state_size(); }, stream->stream);
    return 0;
}

int unrolled_stream_process(unrolled_stream* stream, const void* x, void* y, int64_t steps) {
    std::visit(
        [&](auto& s) {
            using T = typename std::decay_t<decltype(*s)>::Element;
            s->process(static_cast<const T*>(x), static_cast<T*>(y), steps);
        },
        stream->stream);
    return 0;
}

int unrolled_stream_save(const unrolled_stream* stream, void* state) {
    std::visit([&](auto& s) { s->save(static_cast<typename std::decay_t<decltype(*s)>::Element*>(state)); }, stream->stream);
    return 0;
}

int unrolled_stream_load(unrolled_stream* stream, const void* state) {
    std::visit([&](auto& s) { s->load(static_cast<const typename std::decay_t<decltype(*s)>::Element*>(state)); },
               stream->stream);
    return 0;
}

int unrolled_apply(int dtype, int op, const void* a, void* out, int64_t count) {
    return guarded([&] {
        if (dtype == UNROLLED_FLOAT32)
            apply<float>(op, a, out, count);
        else
            apply<double>(op, a, out, count);
    });
}

}  // extern "C"
