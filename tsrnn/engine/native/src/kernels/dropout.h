/* Dropout masks that are drawn again instead of being kept. */

/* The finaliser of SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t scramble(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* What a row of a mask is drawn by: the step's seed, the layer and direction, the segment, and the place in the batch.
 * The same on any number of threads, and drawn again in the backward pass instead of being kept. */
static uint64_t row_key(uint64_t seed, int64_t stream, int64_t segment, int64_t slot) {
    const uint64_t key = scramble(seed + 0x9E3779B97F4A7C15u * (uint64_t)(stream + 1));
    return scramble(key ^ ((uint64_t)segment << 32 ^ (uint64_t)slot));
}

/* A 32-bit finaliser of low bias (Wellons, 2018), as vector code. */
INLINE vu scramble_vector(vu x) {
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    return x ^ (x >> 16);
}

/* to[j] = keep_j * from[j] / (1 - rate) for n units. */
NOINLINE void drop(float *to, const float *from, ptrdiff_t n, uint64_t key, float rate) {
    const int32_t threshold = (int32_t)(rate * 16777216.0f);
    const vf scale = splat(1.0f / (1.0f - rate));
    vu unit;
    for (int lane = 0; lane < VL; lane++) unit[lane] = (uint32_t)lane;
    for (ptrdiff_t j = 0; j < n; j += VL) {
        const vu first = scramble_vector((unit + (uint32_t)j) * 0x9E3779B1u + (uint32_t)key);
        const vi uniform = (vi)(scramble_vector(first ^ (uint32_t)(key >> 32)) >> 8); /* 24 bits, as a float has */
        store(to + j, (vf)((vi)(load(from + j) * scale) & (uniform >= threshold)));
    }
}
