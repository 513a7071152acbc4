#define UNROLLED_ISA avx512
#define UNROLLED_VECTOR_BYTES 64
#include "kernels.inl"
