/* Vectors of 512 bits. */
#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,prefer-vector-width=512")
#endif
#define VL 16
#define ROWS(wide) 6
#define ISA_NAME "avx512"
#define KERNELS ts_kernels_avx512
#include "kernel.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int ts_kernels_avx512_needs_x86;
#endif
