// tanh, sigmoid, exp, log and their kin on vectors. Errors are within 3 units in the last place of float32 (checked
// over every float by tests/native); NaN goes through, infinities give the limits, denormals count as zero.
#pragma once

#include "vector.h"

namespace unrolled {
namespace UNROLLED_ISA {

#define INLINE inline __attribute__((always_inline))

template <class T>
struct Format;
template <>
struct Format<float> {
    static constexpr int mantissa = 23, bias = 127, exp_terms = 7, log_terms = 6;
    static constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
    static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    static constexpr float tanh_one = 9.1f;           // beyond it tanh is 1
    static constexpr float low = -104.0f, high = 89.0f, sigmoid_low = 87.5f;
};
template <>
struct Format<double> {
    static constexpr int mantissa = 52, bias = 1023, exp_terms = 13, log_terms = 13;
    static constexpr double magic = 6755399441055744.0;
    static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    static constexpr double tanh_one = 19.5;
    static constexpr double low = -746.0, high = 710.0, sigmoid_low = 708.0;
};

// 2^n for whole n within the exponents of normal numbers
template <class T>
INLINE Vector<T> power_of_two(Integers<T> n) {
    return value<T>((n + Format<T>::bias) << Format<T>::mantissa);
}

// e^r - 1 = sum r^k / k!, |r| <= ln(2) / 2
template <class T>
INLINE Vector<T> series(Vector<T> r) {
    Vector<T> sum = spread<T>(0);
    T factorials[Format<T>::exp_terms + 1];
    factorials[0] = 1;
    for (int k = 1; k <= Format<T>::exp_terms; ++k) factorials[k] = factorials[k - 1] * k;
#pragma GCC unroll 16
    for (int k = Format<T>::exp_terms; k >= 2; --k) sum = sum * r + T(1) / factorials[k];
    return r + r * r * sum;
}

// y = n ln 2 + r; n must fit the exponent of T. NaN stays in r.
template <class T>
struct Reduced {
    Integers<T> n;
    Vector<T> r;
};
template <class T>
INLINE Reduced<T> reduce(Vector<T> y) {
    using F = Format<T>;
    Vector<T> shifted = y * T(1.44269504088896340736) + F::magic;
    Vector<T> whole = shifted - F::magic;
    Vector<T> r = (y - whole * F::ln2_high) - whole * F::ln2_low;
    return {bits<T>(shifted) - bits<T>(spread<T>(F::magic)), r};
}

template <class T>
INLINE Vector<T> v_abs(Vector<T> x) {
    return value<T>(bits<T>(x) & ~bits<T>(spread<T>(T(-0.0))));
}

template <class T>
INLINE Vector<T> v_tanh(Vector<T> x) {
    Vector<T> a = v_abs<T>(x);
    a = a > Format<T>::tanh_one ? spread<T>(Format<T>::tanh_one) : a;
    Reduced<T> e = reduce<T>(a + a);
    Vector<T> scale = power_of_two<T>(e.n);
    Vector<T> m = series<T>(e.r) * scale + (scale - 1);  // e^2a - 1, without cancellation near 0
    Vector<T> t = m / (m + 2);
    Integers<T> sign = bits<T>(x) & bits<T>(spread<T>(T(-0.0)));
    return value<T>(bits<T>(t) | sign);
}

template <class T>
INLINE Vector<T> v_sigmoid(Vector<T> x) {
    constexpr T low = Format<T>::sigmoid_low;
    Vector<T> y = -x;
    y = y > low ? spread<T>(low) : y;
    y = y < -low ? spread<T>(-low) : y;
    Reduced<T> e = reduce<T>(y);
    Vector<T> scale = power_of_two<T>(e.n);
    Vector<T> s = T(1) / (series<T>(e.r) * scale + (scale + 1));
    return x < -low ? spread<T>(0) : s;
}

template <class T>
INLINE Vector<T> v_exp(Vector<T> x) {
    Vector<T> y = x > Format<T>::high ? spread<T>(Format<T>::high) : x;
    y = y < Format<T>::low ? spread<T>(Format<T>::low) : y;
    Reduced<T> e = reduce<T>(y);
    Integers<T> half = e.n >> 1;  // two steps: 2^n itself may be beyond the exponents
    return (series<T>(e.r) + 1) * power_of_two<T>(half) * power_of_two<T>(e.n - half);
}

template <class T>
INLINE Vector<T> v_log(Vector<T> x) {
    using F = Format<T>;
    Integers<T> b = bits<T>(x);
    Integers<T> n = (b >> F::mantissa) - F::bias;
    Integers<T> fraction = ((Integers<T>{} + 1) << F::mantissa) - 1;
    Vector<T> m = value<T>((b & fraction) | bits<T>(spread<T>(1)));  // 1 <= m < 2
    Integers<T> large = m > T(1.41421356237309504880);
    m = large ? m * T(0.5) : m;
    n = n - large;  // a true mask is -1
    Vector<T> s = (m - 1) / (m + 1), q = s * s, sum = spread<T>(0);
#pragma GCC unroll 16
    for (int k = F::log_terms; k >= 1; --k) sum = sum * q + T(2) / (2 * k + 1);
    Vector<T> e = __builtin_convertvector(n, Vector<T>);
    Vector<T> result = e * F::ln2_high + (s * 2 + (s * q * sum + e * F::ln2_low));
    result = x == spread<T>(T(__builtin_inf())) ? x : result;
    result = x == 0 ? spread<T>(T(-__builtin_inf())) : result;
    return x >= 0 ? result : spread<T>(T(__builtin_nan("")));
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|)
template <class T>
INLINE Vector<T> v_softplus(Vector<T> x) {
    Vector<T> u = v_exp<T>(-v_abs<T>(x));
    Vector<T> w = u + 1;
    Vector<T> log1p = v_log<T>(w) - ((w - 1) - u) / w;  // the second term is what rounding 1 + u lost
    return (x < 0 ? spread<T>(0) : x) + log1p;
}

template <class T>
INLINE Vector<T> v_sqrt(Vector<T> x) {
    Vector<T> out;
    for (int lane = 0; lane < LANES<T>; ++lane)
        out[lane] = sizeof(T) == 4 ? T(__builtin_sqrtf(float(x[lane]))) : T(__builtin_sqrt(double(x[lane])));
    return out;
}

}  // namespace UNROLLED_ISA
}  // namespace unrolled
