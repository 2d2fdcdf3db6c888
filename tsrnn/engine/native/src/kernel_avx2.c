/* Vectors of 256 bits with fused multiply-add. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define VL 8
#define ROWS(wide) ((wide) == 4 ? 3 : (wide) == 3 ? 4 : 6)
#define ISA_NAME "avx2"
#define KERNELS ts_kernels_avx2
#include "kernel.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int ts_kernels_avx2_needs_x86;
#endif
