/* Vectors of VL floats, loaded from any address and stored to any. */

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline, unused))

typedef float vf __attribute__((vector_size(4 * VL)));
typedef int32_t vi __attribute__((vector_size(4 * VL)));
typedef uint32_t vu __attribute__((vector_size(4 * VL)));
typedef float vf_memory __attribute__((vector_size(4 * VL), aligned(4), may_alias));

INLINE vf load(const float *p) {
    return *(const vf_memory *)p;
}

INLINE void store(float *p, vf x) {
    *(vf_memory *)p = x;
}

INLINE vf splat(float x) {
    return x - (vf){0};
}

INLINE vf choose(vi mask, vf yes, vf no) {
    return (vf)(((vi)yes & mask) | ((vi)no & ~mask));
}

INLINE ptrdiff_t min_of(ptrdiff_t a, ptrdiff_t b) {
    return a < b ? a : b;
}
