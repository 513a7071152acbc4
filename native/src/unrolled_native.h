/* The C interface of the native library. It links to nothing but the C++ runtime and threads.

   Every function returns 0, or -1 after which unrolled_error() says why (of this thread's last call). Addresses and
   strides are in `int64` arrays; strides count elements. */
#ifndef UNROLLED_NATIVE_H
#define UNROLLED_NATIVE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define UNROLLED_API __declspec(dllexport)
#else
#define UNROLLED_API __attribute__((visibility("default")))
#endif

enum { UNROLLED_FLOAT32 = 0, UNROLLED_FLOAT64 = 1 };

UNROLLED_API const char* unrolled_error(void);
/* The interface's version, which the binding must know. */
UNROLLED_API int unrolled_version(void);
/* The instruction set in use ("baseline", "avx2", "avx512"); with a name, whether this processor has it (0 or -1). */
UNROLLED_API const char* unrolled_isa(void);
UNROLLED_API int unrolled_use_isa(const char* name);
/* Work on the threads of an OpenMP runtime of this process: its GOMP_parallel, or null for threads of our own. */
UNROLLED_API void unrolled_borrow_threads(void (*parallel)(void (*)(void*), void*, unsigned, unsigned));

typedef struct unrolled_kernel unrolled_kernel;

/* Byte code of one step; see native/src/code.h. Null after an error. */
UNROLLED_API unrolled_kernel* unrolled_compile(int dtype, const int32_t* words, int64_t count, const double* constants,
                                  int64_t constant_count);
UNROLLED_API void unrolled_free(unrolled_kernel*);

/* All steps of all sequences. `numbers` holds, one after another:
     batch, time, reverse, threads, address of lengths (batch; 0: all are `time`);
     for each view: address, row stride, step stride (address 0 for internal views);
     for each part: address of the initial state, address of the final state;
     for each weight: address; for each vector: address. */
UNROLLED_API int unrolled_forward(unrolled_kernel*, const int64_t* numbers, int64_t count);
/* The same, then
     for each part: address of the final state's gradient, address for the initial state's;
     for each weight, then each vector: address for its gradient (0: not wanted). */
UNROLLED_API int unrolled_backward(unrolled_kernel*, const int64_t* numbers, int64_t count);

typedef struct unrolled_stream unrolled_stream;

/* Layers one upon another (kernels of forward code that multiplies x in each step), for `batch` streams. `numbers`
   holds for each layer the address of each weight, then of each vector (0: zeros); they are copied. The kernels must
   outlive the stream. */
UNROLLED_API unrolled_stream* unrolled_stream_make(unrolled_kernel* const* kernels, int64_t layers, int64_t batch,
                                                   const int64_t* numbers, int64_t count);
UNROLLED_API void unrolled_stream_free(unrolled_stream*);
/* Columns of x, of y, and elements of the whole state. */
UNROLLED_API int unrolled_stream_sizes(const unrolled_stream*, int64_t sizes[3]);
/* x (steps, batch, inputs) to y (steps, batch, outputs), both C-contiguous. Allocates nothing. */
UNROLLED_API int unrolled_stream_process(unrolled_stream*, const void* x, void* y, int64_t steps);
UNROLLED_API int unrolled_stream_save(const unrolled_stream*, void* state);
UNROLLED_API int unrolled_stream_load(unrolled_stream*, const void* state);

/* out[i] = op(a[i]) for a pointwise operation of one operand, by its number. */
UNROLLED_API int unrolled_apply(int dtype, int op, const void* a, void* out, int64_t count);

#ifdef __cplusplus
}
#endif
#endif
