/* Vectors of 128 bits, which every processor has that the compiler may assume: SSE2 on x86-64, NEON on arm64. */
#define VL 4
#if defined(__aarch64__)
#define ROWS(wide) 6
#else
#define ROWS(wide) ((wide) == 4 ? 3 : (wide) == 3 ? 4 : 6)
#endif
#define ISA_NAME "baseline"
#define KERNELS ts_kernels_base
#include "kernel.h"
