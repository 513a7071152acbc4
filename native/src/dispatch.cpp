#include "dispatch.h"

#include <atomic>
#include <cstring>

namespace unrolled {
namespace {

struct Isa {
    const char* name;
    bool (*present)();
    const Kernels<float>& (*f32)();
    const Kernels<double>& (*f64)();
};

// The best first.
const Isa ALL[] = {
#if defined(__x86_64__)
    {"avx512",
     [] {
         return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
     },
     avx512::kernels_f32, avx512::kernels_f64},
    {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, avx2::kernels_f32,
     avx2::kernels_f64},
#endif
    {"baseline", [] { return true; }, baseline::kernels_f32, baseline::kernels_f64},
};

std::atomic<const Isa*> chosen{nullptr};

const Isa& current() {
    const Isa* isa = chosen.load(std::memory_order_relaxed);
    if (!isa) {
        isa = ALL;
        while (!isa->present()) ++isa;
        chosen.store(isa, std::memory_order_relaxed);
    }
    return *isa;
}

}  // namespace

const char* isa() { return current().name; }

bool use_isa(const char* name) {
    for (const Isa& isa : ALL)
        if (std::strcmp(isa.name, name) == 0 && isa.present()) return chosen.store(&isa), true;
    return false;
}

template <>
const Kernels<float>& kernels<float>() {
    return current().f32();
}

template <>
const Kernels<double>& kernels<double>() {
    return current().f64();
}

}  // namespace unrolled
