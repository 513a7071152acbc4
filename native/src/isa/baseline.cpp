#define UNROLLED_ISA baseline
#define UNROLLED_VECTOR_BYTES 16
#include "kernels.inl"
