/* Counts calls of malloc and its kin, preloaded before the C library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

static long count;
long allocation_count(void) { return count; }

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

void* malloc(size_t n) { return __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED), __libc_malloc(n); }
void* calloc(size_t n, size_t m) { return __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED), __libc_calloc(n, m); }
void* realloc(void* p, size_t n) { return __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED), __libc_realloc(p, n); }
void* aligned_alloc(size_t a, size_t n) { return __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED), __libc_memalign(a, n); }
int posix_memalign(void** p, size_t a, size_t n) {
    __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    return (*p = __libc_memalign(a, n)) == NULL;
}
