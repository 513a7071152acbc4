#define UNROLLED_ISA avx2
#define UNROLLED_VECTOR_BYTES 32
#include "kernels.inl"
