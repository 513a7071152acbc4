// Vectors of the widest size the instruction set has, by the compilers' own vector types.
#pragma once

#include <cstdint>
#include <cstring>

namespace unrolled {
namespace UNROLLED_ISA {

constexpr int BYTES = UNROLLED_VECTOR_BYTES;

template <class T>
struct Types;
template <>
struct Types<float> {
    typedef std::int32_t integer;
    typedef float vector __attribute__((vector_size(BYTES)));
    typedef std::int32_t integers __attribute__((vector_size(BYTES)));
    static constexpr int lanes = BYTES / 4;
};
template <>
struct Types<double> {
    typedef std::int64_t integer;
    typedef double vector __attribute__((vector_size(BYTES)));
    typedef std::int64_t integers __attribute__((vector_size(BYTES)));
    static constexpr int lanes = BYTES / 8;
};

template <class T>
using Vector = typename Types<T>::vector;
template <class T>
using Integers = typename Types<T>::integers;
template <class T>
constexpr int LANES = Types<T>::lanes;

template <class T>
inline __attribute__((always_inline)) Vector<T> load(const T* p) {
    Vector<T> v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

template <class T>
inline __attribute__((always_inline)) void store(T* p, Vector<T> v) {
    __builtin_memcpy(p, &v, sizeof v);
}

template <class T>
inline __attribute__((always_inline)) Vector<T> spread(T x) {
    return x - Vector<T>{};  // x in every lane: subtracting +0 keeps the sign of zero
}

template <class T>
inline __attribute__((always_inline)) Integers<T> bits(Vector<T> v) {
    return reinterpret_cast<Integers<T>>(v);
}

template <class T>
inline __attribute__((always_inline)) Vector<T> value(Integers<T> v) {
    return reinterpret_cast<Vector<T>>(v);
}

}  // namespace UNROLLED_ISA
}  // namespace unrolled
