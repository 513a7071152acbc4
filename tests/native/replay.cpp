// Plays a tape (tests/native/tape.py) on a library: replay LIBRARY TAPE OUT. Stands alone, so that it runs wherever the
// library does, Python or not.
//
// The tape is int64 numbers: buffers (count; of each its bytes and its content, padded to 8), then events (count; of
// each its kind, its count of numbers and the numbers). An address is written as its buffer + 1 and an offset, any
// other number as 0 and itself. OUT gets the contents of all buffers after the last event.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "../../native/src/unrolled_native.h"

namespace {

using Numbers = std::vector<int64_t>;

enum Event : int64_t { COMPILE, FORWARD, BACKWARD, STREAM, APPLY };

[[noreturn]] void fail(const char* why) {
    std::fprintf(stderr, "%s\n", why);
    std::exit(1);
}

void* opened = nullptr;

void* symbol(const char* name) {
    if (void* found = dlsym(opened, name)) return found;
    fail(dlerror());
}
#define CALL(name) reinterpret_cast<decltype(&name)>(symbol(#name))

void check(int result) {
    if (result) fail(CALL(unrolled_error)());
}

class Tape {
   public:
    explicit Tape(const char* path) {
        std::ifstream file(path, std::ios::binary);
        std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        numbers_.resize(bytes.size() / 8);
        std::memcpy(numbers_.data(), bytes.data(), numbers_.size() * 8);
        for (int64_t left = next(); left > 0; --left) {
            sizes_.push_back(next());
            int64_t words = (sizes_.back() + 7) / 8;
            buffers_.emplace_back(numbers_.begin() + at_, numbers_.begin() + at_ + words);
            at_ += words;
        }
    }

    int64_t next() {
        if (at_ >= numbers_.size()) fail("the tape ends early");
        return numbers_[at_++];
    }

    int64_t resolved() {
        int64_t buffer = next(), number = next();
        return buffer ? reinterpret_cast<int64_t>(reinterpret_cast<char*>(buffers_.at(buffer - 1).data()) + number)
                      : number;
    }

    void write(const char* path) const {
        std::ofstream file(path, std::ios::binary);
        for (std::size_t b = 0; b < buffers_.size(); ++b)
            file.write(reinterpret_cast<const char*>(buffers_[b].data()), sizes_[b]);
        if (!file.flush()) fail("the results cannot be written");
    }

   private:
    Numbers numbers_, sizes_;
    std::vector<Numbers> buffers_;
    std::size_t at_ = 0;
};

// numbers: dtype, words' address and count, constants' address and count
unrolled_kernel* compile(const Numbers& n) {
    auto* made = CALL(unrolled_compile)(int(n[0]), reinterpret_cast<const int32_t*>(n[1]), n[2],
                                        reinterpret_cast<const double*>(n[3]), n[4]);
    if (!made) fail(CALL(unrolled_error)());
    return made;
}

// numbers: batch, steps, x, y, count of kernels, kernels, addresses of their parameters
void stream(const Numbers& n, const std::vector<unrolled_kernel*>& kernels) {
    std::vector<unrolled_kernel*> layers;
    for (int64_t k = 0; k < n[4]; ++k) layers.push_back(kernels.at(n[5 + k]));
    auto* made = CALL(unrolled_stream_make)(layers.data(), n[4], n[0], n.data() + 5 + n[4], int64_t(n.size()) - 5 - n[4]);
    if (!made) fail(CALL(unrolled_error)());
    check(CALL(unrolled_stream_process)(made, reinterpret_cast<const void*>(n[2]), reinterpret_cast<void*>(n[3]), n[1]));
    CALL(unrolled_stream_free)(made);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 4) fail("usage: replay LIBRARY TAPE OUT");
    opened = dlopen(arguments[1], RTLD_NOW);
    if (!opened) fail(dlerror());
    Tape tape(arguments[2]);
    std::vector<unrolled_kernel*> kernels;
    for (int64_t left = tape.next(); left > 0; --left) {
        int64_t event = tape.next();
        Numbers n(tape.next());
        for (int64_t& number : n) number = tape.resolved();
        switch (event) {
            case COMPILE: kernels.push_back(compile(n)); break;
            case FORWARD: check(CALL(unrolled_forward)(kernels.at(n[0]), n.data() + 1, int64_t(n.size()) - 1)); break;
            case BACKWARD: check(CALL(unrolled_backward)(kernels.at(n[0]), n.data() + 1, int64_t(n.size()) - 1)); break;
            case STREAM: stream(n, kernels); break;
            case APPLY:
                check(CALL(unrolled_apply)(int(n[0]), int(n[1]), reinterpret_cast<const void*>(n[2]),
                                           reinterpret_cast<void*>(n[3]), n[4]));
                break;
            default: fail("an unknown event");
        }
    }
    for (unrolled_kernel* kernel : kernels) CALL(unrolled_free)(kernel);
    tape.write(arguments[3]);
    std::puts(CALL(unrolled_isa)());
}
