/* The kernels, written once with GCC/Clang vector extensions and compiled once for each instruction set.
 *
 * The including file defines VL (floats in a vector: no wider than the hardware's, GCC is slow beyond), ROWS(wide)
 * (rows of a register block that is `wide` vectors wide: as many as the registers hold) and KERNELS (name of the
 * table at the end). See plan.h for the layout.
 *
 * Each row of a product is summed over k in ascending order whatever rows stand beside it, and nonlinearities go
 * vector by vector through code that is not inlined: a window's prediction does not depend on its neighbours.
 */
#include <math.h>
#include <string.h>

#include "loss.h"
#include "plan.h"

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

/* ---------------------------------------------------------------------------------------------- nonlinearities -- */

/* e^x with a relative error of 1e-7, for x in [-87, 88]; beyond, the ends' values. NaN stays NaN. */
INLINE vf v_exp(vf x) {
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer, kept in the low bits */
    x = choose(x < -87.0f, splat(-87.0f), choose(x > 88.0f, splat(88.0f), x));
    const vf shifted = x * 1.44269504f + magic;
    const vf n = shifted - magic;
    vf r = x - n * 0.693359375f; /* r = x - n ln 2, ln 2 in two parts (Cody and Waite, 1980) */
    r = r + n * 2.12194440e-4f;
    vf p = r * 1.9875691500e-4f + 1.3981999507e-3f; /* minimax polynomial of Cephes's expf */
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r;
    p = p + 1.0f;
    return p * (vf)(((vu)shifted << 23) + (127u << 23)); /* 2^n, put together from its exponent */
}

INLINE vf sigmoid(vf x) {
    return 1.0f / (1.0f + v_exp(-x));
}

/* tanh as a rational function, a few units in the last place over the whole line (coefficients as in Eigen). */
INLINE vf v_tanh(vf x) {
    x = choose(x < -7.90531110763549805f, splat(-7.90531110763549805f), x);
    x = choose(x > 7.90531110763549805f, splat(7.90531110763549805f), x);
    const vf s = x * x;
    vf p = s * -2.76076847742355e-16f + 2.00018790482477e-13f;
    p = p * s + -8.60467152213735e-11f;
    p = p * s + 5.12229709037114e-08f;
    p = p * s + 1.48572235717979e-05f;
    p = p * s + 6.37261928875436e-04f;
    p = p * s + 4.89352455891786e-03f;
    vf q = s * 1.19825839466702e-06f + 1.18534705686654e-04f;
    q = q * s + 2.26843463243900e-03f;
    q = q * s + 4.89352518554385e-03f;
    return x * p / q;
}

INLINE vf v_abs(vf x) {
    return (vf)((vi)x & 0x7fffffff);
}

INLINE vf squash(vf x, int softsign) {
    return softsign ? x / (1.0f + v_abs(x)) : v_tanh(x);
}

/* The derivative of squash, from its value y: tanh' = 1 - y^2; softsign' = 1 / (1 + |x|)^2 = (1 - |y|)^2. */
INLINE vf slope(vf y, int softsign) {
    const vf rest = 1.0f - v_abs(y);
    return softsign ? rest * rest : 1.0f - y * y;
}

/* ---------------------------------------------------------------------------------------------------- products -- */

/* What a register block is multiplied from: sum over q < outer, k < inner of a[q][k][row] * b[q][k][columns]. */
typedef struct {
    const float *a;
    ptrdiff_t a_line;  /* floats from row to row; transposed: from k to k */
    ptrdiff_t a_outer; /* from q to q */
    ptrdiff_t a_gate;  /* gated: from the operand of one vector of columns to that of the next */
    const float *b;
    ptrdiff_t b_line, b_outer; /* from k to k and from q to q */
    ptrdiff_t outer, inner;
} operands;

INLINE void multiply_add(vf acc[][4], int rows, int first, int wide, int gated, int transposed, const operands *s,
                         ptrdiff_t row) {
    for (ptrdiff_t q = 0; q < s->outer; q++) {
        const float *a = s->a + q * s->a_outer + (transposed ? row : row * s->a_line);
        const float *b = s->b + q * s->b_outer;
        for (ptrdiff_t k = 0; k < s->inner; k++) {
            vf columns[4];
            for (int j = 0; j < wide; j++) columns[j] = load(b + j * VL);
            for (int i = 0; i < rows; i++) {
                const float *ai = transposed ? a + i : a + i * s->a_line;
                for (int j = 0; j < wide; j++) {
                    acc[i][first + j] += (gated ? ai[j * s->a_gate] : *ai) * columns[j];
                }
            }
            a += transposed ? s->a_line : 1;
            b += s->b_line;
        }
    }
}

/* `rows` rows of c = init + s1 (into vectors f1 .. f1 + w1) + s2 (into f2 .. f2 + w2). */
INLINE void block(int rows, int wide, int f1, int w1, int f2, int w2, int gated, int transposed, const float *init,
                  ptrdiff_t init_line, const operands *s1, const operands *s2, ptrdiff_t row, float *c,
                  ptrdiff_t c_line) {
    vf acc[8][4];
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < wide; j++) acc[i][j] = init ? load(init + (row + i) * init_line + j * VL) : (vf){0};
    }
    if (w1 && s1) multiply_add(acc, rows, f1, w1, 0, 0, s1, row);
    multiply_add(acc, rows, f2, w2, gated, transposed, s2, row);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < wide; j++) store(c + (row + i) * c_line + j * VL, acc[i][j]);
    }
}

typedef void product_fn(ptrdiff_t rows, const float *init, ptrdiff_t init_line, const operands *s1,
                        const operands *s2, float *c, ptrdiff_t c_line);

/* A product of any number of rows, by register blocks. init: NULL for zero, c itself to add to it; init_line 0 for one
 * row (a bias) that all rows start from. */
#define REST(n, ...) case n: if (n < ROWS_) block(n, __VA_ARGS__, init, init_line, s1, s2, row, c, c_line); break;
#define PRODUCT(name, wide, ...)                                                                             \
    NOINLINE void name(ptrdiff_t rows, const float *init, ptrdiff_t init_line, const operands *s1,           \
                       const operands *s2, float *c, ptrdiff_t c_line) {                                     \
        enum { ROWS_ = ROWS(wide) };                                                                         \
        ptrdiff_t row = 0;                                                                                   \
        for (; row + ROWS_ <= rows; row += ROWS_) {                                                          \
            block(ROWS_, wide, __VA_ARGS__, init, init_line, s1, s2, row, c, c_line);                        \
        }                                                                                                    \
        switch (rows - row) {                                                                                \
            REST(1, wide, __VA_ARGS__) REST(2, wide, __VA_ARGS__) REST(3, wide, __VA_ARGS__)                 \
            REST(4, wide, __VA_ARGS__) REST(5, wide, __VA_ARGS__)                                            \
        }                                                                                                    \
    }

/*                      wide f1 w1 f2 w2 gated transposed */
PRODUCT(product_1,         1, 0, 1, 0, 1, 0, 0)
PRODUCT(product_2,         2, 0, 2, 0, 2, 0, 0)
PRODUCT(product_3,         3, 0, 3, 0, 3, 0, 0)
PRODUCT(product_4,         4, 0, 4, 0, 4, 0, 0)
PRODUCT(product_4_gated,   4, 0, 4, 0, 4, 1, 0)
PRODUCT(product_gru,       4, 0, 3, 1, 3, 0, 0)
PRODUCT(product_gru_gated, 4, 0, 3, 1, 3, 1, 0)
PRODUCT(gradient_1,        1, 0, 0, 0, 1, 0, 1)
PRODUCT(gradient_2,        2, 0, 0, 0, 2, 0, 1)
PRODUCT(gradient_3,        3, 0, 0, 0, 3, 0, 1)
PRODUCT(gradient_4,        4, 0, 0, 0, 4, 0, 1)
PRODUCT(gradient_3_gated,  3, 0, 0, 0, 3, 1, 1)
PRODUCT(gradient_4_gated,  4, 0, 0, 0, 4, 1, 1)

static product_fn *const PRODUCTS[] = {NULL, product_1, product_2, product_3, product_4};
static product_fn *const GRADIENTS[] = {NULL, gradient_1, gradient_2, gradient_3, gradient_4};

/* The transpose of a packed matrix (rows x columns, panels `full` wide), packed in panels of four vectors. */
static void transpose(const float *m, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t full, float *out, int *item,
                      int part, int parts) {
    for (ptrdiff_t start = 0; start < rows; start += 4 * VL) {
        if ((*item)++ % parts != part) continue;
        const ptrdiff_t out_wide = min_of(4 * VL, rows - start);
        for (ptrdiff_t p = 0; p < columns; p += full) {
            const ptrdiff_t wide = min_of(full, columns - p);
            const float *from = m + p * rows + start * wide;
            float *to = out + start * columns + p * out_wide;
            for (ptrdiff_t u = 0; u < out_wide; u++) {
                for (ptrdiff_t c = 0; c < wide; c++) to[c * out_wide + u] = from[u * wide + c];
            }
        }
    }
}

static void pack_bias(const ts_plan *plan, const ts_cell *cell, const float *theta, float *packed) {
    const ptrdiff_t wide = cell->wide * VL, gate_wide = cell->gate_wide * VL;
    for (ptrdiff_t p = 0; p < cell->panels; p++) {
        const float *b = theta + cell->b + p * wide;
        float *bias = packed + cell->bias + p * gate_wide;
        memcpy(bias, b, (size_t)wide * sizeof *b);
        if (plan->config.cell != TS_GRU) continue;
        const float *recurrent = b + cell->panels * wide; /* [z r h] beside [h z r]: z and r add up */
        for (ptrdiff_t j = 0; j < 2 * VL; j++) bias[VL + j] += recurrent[j];
        memcpy(bias + 3 * VL, recurrent + 2 * VL, VL * sizeof *bias);
    }
}

static void pack(const ts_plan *plan, const float *theta, float *packed, int part, int parts) {
    int item = 0;
    for (int layer = 0; layer < plan->config.n_layers; layer++) {
        for (int direction = 0; direction < plan->config.directions; direction++) {
            const ts_cell *cell = &plan->cells[layer][direction];
            const ptrdiff_t full = cell->wide * VL, columns = cell->panels * full;
            if (item++ % parts == part) pack_bias(plan, cell, theta, packed);
            if (!plan->config.batch_size) continue;
            transpose(theta + cell->u, cell->padded, columns, full, packed + cell->ut, &item, part, parts);
            if (!layer) continue;
            transpose(theta + cell->w, cell->inputs, columns, full, packed + cell->wt, &item, part, parts);
        }
    }
    if (!plan->config.batch_size) return;
    transpose(theta + plan->head, plan->top, plan->outputs, 4 * VL, packed + plan->head_t, &item, part, parts);
}

/* ------------------------------------------------------------------------------------------------------- cells -- */

/* One panel of gates, for all rows of a pass. h, c and dh, dc point at the panel's units; `line` floats from row to
 * row. Backward overwrites the gates with the gradients of their sums, adds these over the rows to d_bias, and leaves
 * in dh what flows to the state before past the recurrent product. */
typedef struct {
    ptrdiff_t rows, line;
    float *gates;
    const float *h_before;
    float *h;
    const float *c_before;
    float *c, *dh, *dc, *d_bias;
} panel;

INLINE void lstm_forward(const panel *s, int softsign) {
    for (ptrdiff_t row = 0; row < s->rows; row++) {
        float *z = s->gates + row * 4 * VL;
        const vf i = sigmoid(load(z)), f = sigmoid(load(z + VL));
        const vf g = squash(load(z + 2 * VL), softsign), o = sigmoid(load(z + 3 * VL));
        const vf c = f * load(s->c_before + row * s->line) + i * g; /* c' = f c + i g */
        store(s->c + row * s->line, c);
        store(s->h + row * s->line, o * squash(c, softsign)); /* h' = o tanh(c') */
        store(z, i);
        store(z + VL, f);
        store(z + 2 * VL, g);
        store(z + 3 * VL, o);
    }
}

INLINE void lstm_backward(const panel *s, int softsign) {
    vf sum[4] = {{0}};
    for (ptrdiff_t row = 0; row < s->rows; row++) {
        float *z = s->gates + row * 4 * VL;
        const vf i = load(z), f = load(z + VL), g = load(z + 2 * VL), o = load(z + 3 * VL);
        const vf t = squash(load(s->c + row * s->line), softsign), dh = load(s->dh + row * s->line);
        const vf dc = load(s->dc + row * s->line) + dh * o * slope(t, softsign); /* dc' += dh' o tanh'(c') */
        const vf d[4] = {
            dc * g * i * (1.0f - i),                                   /* c' = f c + i g */
            dc * load(s->c_before + row * s->line) * f * (1.0f - f),
            dc * i * slope(g, softsign),
            dh * t * o * (1.0f - o),                                   /* h' = o tanh(c') */
        };
        store(s->dc + row * s->line, dc * f);
        for (int j = 0; j < 4; j++) {
            store(z + j * VL, d[j]);
            sum[j] += d[j];
        }
    }
    for (int j = 0; j < 4; j++) store(s->d_bias + j * VL, load(s->d_bias + j * VL) + sum[j]);
}

INLINE void gru_forward(const panel *s, int softsign) {
    for (ptrdiff_t row = 0; row < s->rows; row++) {
        float *g = s->gates + row * 4 * VL; /* [xh z r rh] */
        const vf z = sigmoid(load(g + VL)), r = sigmoid(load(g + 2 * VL));
        const vf candidate = squash(load(g) + r * load(g + 3 * VL), softsign);
        const vf h = load(s->h_before + row * s->line);
        store(s->h + row * s->line, z * h + (1.0f - z) * candidate); /* h' = z h + (1 - z) n */
        store(g, candidate);
        store(g + VL, z);
        store(g + 2 * VL, r);
    }
}

INLINE void gru_backward(const panel *s, int softsign) {
    vf sum[4] = {{0}};
    for (ptrdiff_t row = 0; row < s->rows; row++) {
        float *g = s->gates + row * 4 * VL; /* [n z r rh] */
        const vf candidate = load(g), z = load(g + VL), r = load(g + 2 * VL), rh = load(g + 3 * VL);
        const vf dh = load(s->dh + row * s->line), h = load(s->h_before + row * s->line);
        const vf dn = dh * (1.0f - z) * slope(candidate, softsign); /* h' = z h + (1 - z) n, n = tanh(xh + r rh) */
        const vf d[4] = {dn, dh * (h - candidate) * z * (1.0f - z), dn * rh * r * (1.0f - r), dn * r};
        store(s->dh + row * s->line, dh * z);
        for (int j = 0; j < 4; j++) {
            store(g + j * VL, d[j]);
            sum[j] += d[j];
        }
    }
    for (int j = 0; j < 4; j++) store(s->d_bias + j * VL, load(s->d_bias + j * VL) + sum[j]);
}

INLINE void elman_forward(const panel *s, int softsign, int wide) {
    for (ptrdiff_t row = 0; row < s->rows; row++) {
        for (int j = 0; j < wide; j++) {
            store(s->h + row * s->line + j * VL, squash(load(s->gates + (row * wide + j) * VL), softsign));
        }
    }
}

INLINE void elman_backward(const panel *s, int softsign, int wide) {
    for (int j = 0; j < wide; j++) {
        vf sum = {0};
        for (ptrdiff_t row = 0; row < s->rows; row++) {
            const ptrdiff_t at = row * s->line + j * VL;
            const vf d = load(s->dh + at) * slope(load(s->h + at), softsign); /* h' = tanh(a) */
            store(s->gates + (row * wide + j) * VL, d);
            sum += d;
        }
        store(s->d_bias + j * VL, load(s->d_bias + j * VL) + sum);
    }
}

typedef void panel_fn(const panel *s);

NOINLINE void lstm_forward_tanh(const panel *s) { lstm_forward(s, 0); }
NOINLINE void lstm_forward_softsign(const panel *s) { lstm_forward(s, 1); }
NOINLINE void lstm_backward_tanh(const panel *s) { lstm_backward(s, 0); }
NOINLINE void lstm_backward_softsign(const panel *s) { lstm_backward(s, 1); }
NOINLINE void gru_forward_tanh(const panel *s) { gru_forward(s, 0); }
NOINLINE void gru_forward_softsign(const panel *s) { gru_forward(s, 1); }
NOINLINE void gru_backward_tanh(const panel *s) { gru_backward(s, 0); }
NOINLINE void gru_backward_softsign(const panel *s) { gru_backward(s, 1); }
#define ELMAN(wide)                                                                            \
    NOINLINE void elman_forward_tanh_##wide(const panel *s) { elman_forward(s, 0, wide); }     \
    NOINLINE void elman_forward_softsign_##wide(const panel *s) { elman_forward(s, 1, wide); } \
    NOINLINE void elman_backward_tanh_##wide(const panel *s) { elman_backward(s, 0, wide); }   \
    NOINLINE void elman_backward_softsign_##wide(const panel *s) { elman_backward(s, 1, wide); }
ELMAN(1) ELMAN(2) ELMAN(3) ELMAN(4)

/* The functions of a cell: its products and its nonlinearity, [softsign]. */
typedef struct {
    product_fn *product, *product_gated, *d_recurrent, *d_recurrent_gated;
    panel_fn *forward[2], *backward[2];
    int recurrent_from; /* vector of the gates where those with a recurrent product begin */
} cell_functions;

static const cell_functions LSTM = {
    product_4, product_4_gated, gradient_4, gradient_4_gated,
    {lstm_forward_tanh, lstm_forward_softsign}, {lstm_backward_tanh, lstm_backward_softsign}, 0,
};
static const cell_functions GRU = {
    product_gru, product_gru_gated, gradient_3, gradient_3_gated,
    {gru_forward_tanh, gru_forward_softsign}, {gru_backward_tanh, gru_backward_softsign}, 1,
};
/* An Elman cell has one recurrent mask for all of its units: its masked product is the plain one. */
#define ELMAN_FUNCTIONS(wide)                                                   \
    {product_##wide, product_##wide, gradient_##wide, gradient_##wide,          \
     {elman_forward_tanh_##wide, elman_forward_softsign_##wide},                \
     {elman_backward_tanh_##wide, elman_backward_softsign_##wide}, 0}
static const cell_functions SIMPLE_RNN[] = {
    ELMAN_FUNCTIONS(1), ELMAN_FUNCTIONS(2), ELMAN_FUNCTIONS(3), ELMAN_FUNCTIONS(4),
};

static const cell_functions *functions_of(const ts_plan *plan, const ts_cell *cell) {
    switch (plan->config.cell) {
        case TS_LSTM: return &LSTM;
        case TS_GRU: return &GRU;
        default: return &SIMPLE_RNN[cell->wide - 1];
    }
}

/* ----------------------------------------------------------------------------------------------------- dropout -- */

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

/* ----------------------------------------------------------------------------------------------------- windows -- */

/* The channels of one step of a window: its features less the offset and scaled, and the indicators of missing ones. */
static void read_step(const ts_plan *plan, const ts_data *data, int64_t window, ptrdiff_t at, float *x) {
    const ptrdiff_t n_features = plan->config.n_features, own = (ptrdiff_t)window * n_features;
    for (ptrdiff_t j = 0; j < n_features; j++) {
        if (!data->offset) {
            x[j] = data->series32[at + j];
        } else {
            const double value = data->series64[at + j] - data->offset[own + j];
            x[j] = (float)(data->scale ? value / data->scale[own + j] : value);
        }
    }
    for (ptrdiff_t j = 0; j < plan->config.n_indicators; j++) {
        const float value = x[plan->indicators[j]];
        x[n_features + j] = value != value;
    }
    if (plan->config.n_indicators) {
        for (ptrdiff_t j = 0; j < n_features; j++) x[j] = x[j] != x[j] ? data->means[j] : x[j];
    }
}

/* One window into row `row` of the first layer's input (n_segments, n, segment * inputs), and its static channels. */
static void read_window(const ts_plan *plan, const ts_data *data, ts_work *work, ptrdiff_t row) {
    const ptrdiff_t segment = plan->config.segment, n_inputs = plan->n_inputs, n_static = plan->config.n_static;
    const int64_t window = work->window[row];
    const int64_t start = data->starts[window], lead = data->lead[window];
    const ptrdiff_t first_step = (ptrdiff_t)work->begin * segment;
    float *channels = work->channels;
    for (ptrdiff_t padded = first_step; padded < plan->n_segments * segment; padded++) {
        const int64_t step = padded - plan->padding;
        float *x = work->input[0] + ((padded / segment) * work->n + row) * segment * n_inputs
                   + padded % segment * n_inputs;
        if (step < lead) { /* empty, or before a first partial segment */
            memset(x, 0, (size_t)n_inputs * sizeof *x);
            continue;
        }
        if (!plan->inputs) channels = x; /* all of them */
        read_step(plan, data, window, (start + step < 0 ? 0 : start + step) * plan->config.n_features, channels);
        for (ptrdiff_t j = 0; plan->inputs && j < n_inputs; j++) x[j] = channels[plan->inputs[j]];
    }
    for (ptrdiff_t j = 0; j < n_static; j++) { /* as they are at the last step */
        work->statics[row * n_static + j] = lead < plan->config.n_steps ? channels[plan->statics[j]] : 0.0f;
    }
}

static void read_windows(const ts_plan *plan, const ts_data *data, ts_work *work) {
    work->begin = plan->n_segments;
    for (ptrdiff_t row = 0; row < work->n; row++) {
        /* a segment counts from the first value in it on */
        const int64_t lead = data->lead[work->window[row]];
        work->first[row] = lead ? (int32_t)((lead + plan->padding) / plan->config.segment) : 0;
        work->begin = min_of(work->begin, work->first[row]);
    }
    work->ragged = 0;
    for (ptrdiff_t row = 0; row < work->n; row++) {
        work->ragged |= work->first[row] != work->begin;
        read_window(plan, data, work, row);
    }
}

/* ----------------------------------------------------------------------------------------------------- forward -- */

/* One direction of one layer in one pass: its arrays, and where the arrays of a step are. */
typedef struct {
    const ts_plan *plan;
    const ts_cell *cell;
    const cell_functions *functions;
    const ts_tape *tape;
    ts_work *work;
    const float *theta, *packed;
    int layer, direction;
    int last, whole;        /* the last layer; whether its state after each step is passed on, or only the last one */
    int keep_h, keep;
    int given;              /* whether the first state is given: else it is zero, and there is nothing to multiply */
    ptrdiff_t gates, state; /* floats of the gates and of the state of one step */
    float rate;             /* recurrent dropout, 0 in prediction */
} pass;

static pass make_pass(const ts_plan *plan, const float *theta, const float *packed, ts_work *work, int layer,
                      int direction) {
    const ts_cell *cell = &plan->cells[layer][direction];
    const int last = layer == plan->config.n_layers - 1, whole = !last || plan->config.sequence;
    return (pass){
        .plan = plan, .cell = cell, .functions = functions_of(plan, cell), .tape = &work->tape[layer][direction],
        .work = work, .theta = theta, .packed = packed, .layer = layer, .direction = direction, .last = last,
        .whole = whole, .keep_h = work->training || whole, .keep = work->training, .given = plan->n_states > 0,
        .gates = cell->panels * work->n * cell->gate_wide * VL, .state = work->n * cell->padded,
        .rate = work->training ? plan->config.recurrent_dropout : 0.0f,
    };
}

static float *h_of(const pass *p, ptrdiff_t step) {
    return p->tape->h + (p->keep_h ? step : step & 1) * p->state;
}

static float *c_of(const pass *p, ptrdiff_t step) {
    return p->tape->c ? p->tape->c + (p->keep ? step : step & 1) * p->state : NULL;
}

static float *gates_of(const pass *p, ptrdiff_t step) {
    return p->tape->gates + (p->keep ? step * p->gates : 0);
}

/* The segment that is read at a step. */
static ptrdiff_t segment_of(const pass *p, ptrdiff_t step) {
    return p->direction ? p->plan->n_segments - 1 - step : step;
}

/* Steps start..stop-1 are computed: segments that are empty in all windows come first, backwards last. */
static ptrdiff_t start_of(const pass *p) {
    return p->direction ? 0 : p->work->begin;
}

static ptrdiff_t stop_of(const pass *p) {
    return p->direction ? p->plan->n_segments - p->work->begin : p->plan->n_segments;
}

static panel panel_of(const pass *p, ptrdiff_t step, ptrdiff_t index) {
    const ts_work *work = p->work;
    const ptrdiff_t unit = index * (p->cell->padded / p->cell->panels);
    const ptrdiff_t gate_wide = p->cell->gate_wide * VL;
    float *c = c_of(p, step);
    return (panel){
        .rows = work->n, .line = p->cell->padded, .gates = gates_of(p, step) + index * work->n * gate_wide,
        .h_before = h_of(p, step) + unit, .h = h_of(p, step + 1) + unit,
        .c_before = c ? c + unit : NULL, .c = c ? c_of(p, step + 1) + unit : NULL,
        .dh = work->dh ? work->dh + unit : NULL, .dc = work->dc ? work->dc + unit : NULL,
        .d_bias = work->d_bias ? work->d_bias + index * gate_wide : NULL,
    };
}

/* The state before a step as its recurrent products see it: (masks, rows, padded) under recurrent dropout. */
static const float *masked_state(const pass *p, ptrdiff_t step) {
    const float *h = h_of(p, step);
    if (p->rate == 0.0f) return h;
    const int masks = ts_n_masks(&p->plan->config);
    for (int gate = 0; gate < masks; gate++) {
        const float *mask = p->tape->mask + gate * p->state;
        float *to = p->work->masked + gate * p->state;
        for (ptrdiff_t j = 0; j < p->state; j++) to[j] = h[j] * mask[j];
    }
    return p->work->masked;
}

/* Rows whose segment is empty keep their state. */
static void hold_empty(const pass *p, ptrdiff_t step) {
    const ptrdiff_t segment = segment_of(p, step), line = p->cell->padded;
    const size_t bytes = (size_t)line * sizeof(float);
    for (ptrdiff_t row = 0; row < p->work->n; row++) {
        if (segment >= p->work->first[row]) continue;
        memcpy(h_of(p, step + 1) + row * line, h_of(p, step) + row * line, bytes);
        if (p->tape->c) memcpy(c_of(p, step + 1) + row * line, c_of(p, step) + row * line, bytes);
    }
}

static void forward_step(const pass *p, ptrdiff_t step) {
    const ts_cell *cell = p->cell;
    const ptrdiff_t n = p->work->n, wide = cell->wide * VL, gate_wide = cell->gate_wide * VL;
    const float *x = p->work->input[p->layer] + segment_of(p, step) * n * cell->inputs;
    const int started = p->given || step > start_of(p);
    const float *h = started ? masked_state(p, step) : h_of(p, step);
    product_fn *product = p->rate == 0.0f ? p->functions->product : p->functions->product_gated;
    for (ptrdiff_t index = 0; index < cell->panels; index++) {
        const operands input = {
            .a = x, .a_line = cell->inputs, .b = p->theta + cell->w + index * cell->inputs * wide, .b_line = wide,
            .outer = 1, .inner = cell->inputs,
        };
        const operands recurrent = {
            .a = h, .a_line = cell->padded, .a_gate = p->state,
            .b = p->theta + cell->u + index * cell->padded * wide, .b_line = wide, .outer = started,
            .inner = cell->units,
        };
        const panel s = panel_of(p, step, index);
        product(n, p->packed + cell->bias + index * gate_wide, 0, &input, &recurrent, s.gates, gate_wide);
        p->functions->forward[p->plan->config.activation == TS_SOFTSIGN](&s);
    }
    if (p->work->ragged) hold_empty(p, step);
}

static void draw_recurrent_masks(const pass *p, uint64_t seed) {
    if (p->rate == 0.0f) return;
    const int masks = ts_n_masks(&p->plan->config);
    for (ptrdiff_t j = 0; j < masks * p->state; j++) p->tape->mask[j] = 1.0f;
    for (int gate = 0; gate < masks; gate++) {
        const int64_t stream = ((p->layer * 2 + p->direction) * 4 + gate) * 2 + 1;
        for (ptrdiff_t row = 0; row < p->work->n; row++) {
            float *mask = p->tape->mask + gate * p->state + row * p->cell->padded;
            drop(mask, mask, p->cell->padded, row_key(seed, stream, 0, p->work->slot[row]), p->rate);
        }
    }
}

/* initial = statics S + s; zero where a window is empty, as there is nothing to begin. */
static void forward_states(const ts_plan *plan, const float *theta, ts_work *work) {
    const ptrdiff_t n_static = plan->config.n_static, n_states = plan->n_states;
    for (ptrdiff_t start = 0; start < n_states; start += 4 * VL) {
        const ptrdiff_t wide = min_of(4 * VL, n_states - start);
        const operands s = {
            .a = work->statics, .a_line = n_static, .b = theta + plan->state + start * n_static, .b_line = wide,
            .outer = 1, .inner = n_static,
        };
        PRODUCTS[wide / VL](work->n, theta + plan->state_bias + start, 0, NULL, &s, work->initial + start, n_states);
    }
    for (ptrdiff_t row = 0; row < work->n; row++) {
        if (work->first[row] < plan->n_segments) continue;
        memset(work->initial + row * n_states, 0, (size_t)n_states * sizeof(float));
    }
}

/* The rows of carried states that windows start from, without their padding, which stays zero; and back, after the last
 * step of a direction. */
static void read_carried(const ts_plan *plan, const ts_data *data, ts_work *work) {
    memset(work->initial, 0, (size_t)(work->n * plan->n_states) * sizeof(float));
    for (ptrdiff_t row = 0; row < work->n; row++) {
        const float *from = data->states + data->carry[work->window[row]] * plan->n_carried;
        for (int layer = 0; layer < plan->config.n_layers; layer++) {
            const ts_cell *cell = &plan->cells[layer][0];
            const size_t bytes = (size_t)cell->units * sizeof(float);
            float *to = work->initial + row * plan->n_states + cell->initial;
            memcpy(to, from + cell->carried, bytes);
            if (plan->config.cell == TS_LSTM) memcpy(to + cell->padded, from + cell->carried + cell->units, bytes);
        }
    }
}

static void write_carried(const pass *p, const ts_data *data) {
    const ptrdiff_t line = p->cell->padded, last = stop_of(p);
    const size_t bytes = (size_t)p->cell->units * sizeof(float);
    for (ptrdiff_t row = 0; row < p->work->n; row++) {
        float *to = data->states + data->carry[p->work->window[row]] * p->plan->n_carried + p->cell->carried;
        memcpy(to, h_of(p, last) + row * line, bytes);
        if (p->tape->c) memcpy(to + p->cell->units, c_of(p, last) + row * line, bytes);
    }
}

/* A direction's part of the initial states, or of their gradients, to rows of its own; and back. */
static void take_initial(const pass *p, ptrdiff_t column, float *to) {
    const ptrdiff_t line = p->cell->padded;
    for (ptrdiff_t row = 0; row < p->work->n; row++) {
        memcpy(to + row * line, p->work->initial + row * p->plan->n_states + column, (size_t)line * sizeof *to);
    }
}

static void give_initial(const pass *p, ptrdiff_t column, const float *from) {
    const ptrdiff_t line = p->cell->padded;
    for (ptrdiff_t row = 0; row < p->work->n; row++) {
        memcpy(p->work->d_initial + row * p->plan->n_states + column, from + row * line, (size_t)line * sizeof *from);
    }
}

static void forward_direction(const pass *p) {
    const ptrdiff_t start = start_of(p), stop = stop_of(p);
    const size_t bytes = (size_t)p->state * sizeof(float);
    if (p->given) {
        take_initial(p, p->cell->initial, h_of(p, start));
        if (p->tape->c) take_initial(p, p->cell->initial + p->cell->padded, c_of(p, start));
    } else {
        memset(h_of(p, start), 0, bytes);
        if (p->tape->c) memset(c_of(p, start), 0, bytes);
    }
    for (ptrdiff_t step = start; step < stop; step++) forward_step(p, step);
}

/* Dropout of a layer's output: stream of its masks. */
static uint64_t output_key(const pass *p, uint64_t seed, ptrdiff_t segment, ptrdiff_t row) {
    return row_key(seed, (p->layer * 2 + p->direction) * 2, segment, p->work->slot[row]);
}

/* Segments first..n_segments-1 have their state passed on. */
static ptrdiff_t first_output(const pass *p) {
    return p->whole ? p->work->begin : p->plan->n_segments - 1;
}

/* Where the states of a segment, or the gradients of these, lie for whom they are passed on to: the next layer, or the
 * head. This direction's columns, in rows of `line` floats. */
static float *output_of(const pass *p, ptrdiff_t segment, float *const *input, float *state, ptrdiff_t *line) {
    *line = p->last ? p->plan->top : p->plan->cells[p->layer + 1][0].inputs;
    float *base = p->last ? state : input[p->layer + 1];
    return base + (p->whole ? segment * p->work->n * *line : 0) + p->direction * p->cell->padded;
}

/* A direction's states, dropped out, become its columns of the next layer's input, or of what the head reads. */
static void pass_on(const pass *p, float rate, uint64_t seed) {
    const ptrdiff_t n = p->work->n, line = p->cell->padded;
    for (ptrdiff_t segment = first_output(p); segment < p->plan->n_segments; segment++) {
        const ptrdiff_t step = p->whole ? segment_of(p, segment) + 1 : stop_of(p); /* segment_of is its own inverse */
        const float *h = h_of(p, step);
        ptrdiff_t to_line;
        float *to = output_of(p, segment, p->work->input, p->work->state, &to_line);
        for (ptrdiff_t row = 0; row < n; row++) {
            if (rate > 0.0f) {
                drop(to + row * to_line, h + row * line, line, output_key(p, seed, segment, row), rate);
            } else {
                memcpy(to + row * to_line, h + row * line, (size_t)line * sizeof *h);
            }
        }
    }
}

/* The rows of states that the head reads, in all, and the first of them: segments empty in all windows are left out. */
static ptrdiff_t head_rows(const ts_plan *plan, const ts_work *work, ptrdiff_t *first) {
    *first = plan->config.sequence ? work->begin * work->n : 0;
    return plan->n_heads * work->n - *first;
}

/* y = state D + d */
static void forward_head(const ts_plan *plan, const float *theta, ts_work *work) {
    ptrdiff_t first;
    const ptrdiff_t rows = head_rows(plan, work, &first);
    for (ptrdiff_t start = 0; start < plan->outputs; start += 4 * VL) {
        const ptrdiff_t wide = min_of(4 * VL, plan->outputs - start);
        const operands s = {
            .a = work->state + first * plan->top, .a_line = plan->top, .b = theta + plan->head + start * plan->top,
            .b_line = wide, .outer = 1, .inner = plan->top,
        };
        float *y = work->y + first * plan->outputs + start;
        PRODUCTS[wide / VL](rows, theta + plan->head_bias + start, 0, NULL, &s, y, plan->outputs);
    }
}

static void forward(const ts_plan *plan, const float *theta, const float *packed, const ts_data *data, ts_work *work,
                    float rate, uint64_t seed) {
    read_windows(plan, data, work);
    if (plan->config.carried) {
        read_carried(plan, data, work);
    } else if (plan->n_states) {
        forward_states(plan, theta, work);
    }
    for (int layer = 0; layer < plan->config.n_layers; layer++) {
        for (int direction = 0; direction < plan->config.directions; direction++) {
            const pass p = make_pass(plan, theta, packed, work, layer, direction);
            draw_recurrent_masks(&p, seed);
            forward_direction(&p);
            if (plan->config.carried) write_carried(&p, data);
            pass_on(&p, rate, seed);
        }
    }
    forward_head(plan, theta, work);
}

static void infer(const ts_plan *plan, const float *theta, const float *packed, const ts_data *data, ts_work *work) {
    forward(plan, theta, packed, data, work, 0.0f, 0);
}

/* ---------------------------------------------------------------------------------------------------- backward -- */

/* work->loss += sum_ik w_ik loss_ik; dy = its derivative / total weight. No loss where the target is NaN. */
static void backward_loss(const ts_plan *plan, const ts_data *data, const ts_step *step, ts_work *work) {
    const ts_config *config = &plan->config;
    const ptrdiff_t n_targets = config->n_targets, n_outputs = config->n_outputs, rows = plan->n_heads * work->n;
    memset(work->dy, 0, (size_t)(rows * plan->outputs) * sizeof *work->dy);
    for (ptrdiff_t row = 0; row < rows; row++) {
        const int64_t window = work->window[row % work->n];
        const float *y = data->y + (window * plan->n_heads + row / work->n) * n_targets;
        const float *raw = work->y + row * plan->outputs;
        float *dy = work->dy + row * plan->outputs;
        const float weight = data->weight[window];
        for (ptrdiff_t k = 0; k < n_targets; k++) {
            if (y[k] != y[k]) continue;
            work->loss += (double)weight * ts_loss(config, raw + k, y[k], dy + k);
            for (ptrdiff_t i = k; i < n_outputs; i += n_targets) dy[i] *= weight * step->d_scale;
        }
    }
}

static void backward_head(const ts_plan *plan, const float *packed, ts_work *work) {
    const ptrdiff_t outputs = plan->outputs, top = plan->top;
    ptrdiff_t first;
    const ptrdiff_t rows = head_rows(plan, work, &first);
    const float *state = work->state + first * top, *dy = work->dy + first * outputs;
    float *d_state = work->d_state + first * top;
    for (ptrdiff_t start = 0; start < outputs; start += 4 * VL) { /* dD += state' dy */
        const ptrdiff_t wide = min_of(4 * VL, outputs - start);
        const operands s = {
            .a = state, .a_line = top, .b = dy + start, .b_line = outputs, .outer = 1, .inner = rows,
        };
        float *grad = work->grad + plan->head + start * top;
        GRADIENTS[wide / VL](top, grad, wide, NULL, &s, grad, wide);
    }
    for (ptrdiff_t row = 0; row < rows; row++) { /* dd += sum of dy */
        for (ptrdiff_t k = 0; k < outputs; k++) work->grad[plan->head_bias + k] += dy[row * outputs + k];
    }
    for (ptrdiff_t start = 0; start < top; start += 4 * VL) { /* dstate = dy D' */
        const ptrdiff_t wide = min_of(4 * VL, top - start);
        const operands s = {
            .a = dy, .a_line = outputs, .b = packed + plan->head_t + start * outputs, .b_line = wide,
            .outer = 1, .inner = outputs,
        };
        PRODUCTS[wide / VL](rows, NULL, 0, NULL, &s, d_state + start, top);
    }
}

/* dS += statics' d_initial, ds += sum of d_initial */
static void backward_states(const ts_plan *plan, ts_work *work) {
    const ptrdiff_t n_static = plan->config.n_static, n_states = plan->n_states;
    for (ptrdiff_t row = 0; row < work->n; row++) {
        float *d = work->d_initial + row * n_states;
        if (work->first[row] == plan->n_segments) memset(d, 0, (size_t)n_states * sizeof *d);
        for (ptrdiff_t j = 0; j < n_states; j++) work->grad[plan->state_bias + j] += d[j];
    }
    for (ptrdiff_t start = 0; start < n_states; start += 4 * VL) {
        const ptrdiff_t wide = min_of(4 * VL, n_states - start);
        const operands s = {
            .a = work->statics, .a_line = n_static, .b = work->d_initial + start, .b_line = n_states,
            .outer = 1, .inner = work->n,
        };
        float *grad = work->grad + plan->state + start * n_static;
        GRADIENTS[wide / VL](n_static, grad, wide, NULL, &s, grad, wide);
    }
}

/* to (+)= gates M', M' packed with `columns` columns: of the vectors from..from+used of each panel of gates, which are
 * the rows first..first+used of each panel of M'. */
static void times_transposed(const pass *p, const float *gates, int from, const float *m, ptrdiff_t columns, int first,
                             ptrdiff_t used, float *to, int add) {
    const ts_cell *cell = p->cell;
    const ptrdiff_t n = p->work->n, gate_wide = cell->gate_wide * VL, rows = cell->panels * cell->wide * VL;
    for (ptrdiff_t start = 0; start < columns; start += 4 * VL) {
        const ptrdiff_t wide = min_of(4 * VL, columns - start);
        const operands s = {
            .a = gates + from * VL, .a_line = gate_wide, .a_outer = n * gate_wide,
            .b = m + start * rows + first * VL * wide, .b_line = wide, .b_outer = cell->wide * VL * wide,
            .outer = cell->panels, .inner = used * VL,
        };
        PRODUCTS[wide / VL](n, add ? to + start : NULL, columns, NULL, &s, to + start, columns);
    }
}

/* dh (+)= what flows back through the recurrent product of a step. */
static void backward_recurrent(const pass *p, const float *gates, int add) {
    const ts_cell *cell = p->cell;
    const int from = p->functions->recurrent_from;
    const float *ut = p->packed + cell->ut;
    float *dh = p->work->dh;
    if (p->rate == 0.0f) {
        times_transposed(p, gates, from, ut, cell->padded, 0, cell->wide, dh, add);
        return;
    }
    const int masks = ts_n_masks(&p->plan->config);
    for (int gate = 0; gate < masks; gate++) { /* dh += m_gate * (d_gate U_gate') */
        const ptrdiff_t used = masks == 1 ? cell->wide : 1;
        const float *mask = p->tape->mask + gate * p->state, *product = p->work->product;
        times_transposed(p, gates, from + gate, ut, cell->padded, gate, used, p->work->product, 0);
        for (ptrdiff_t j = 0; j < p->state; j++) dh[j] = (add || gate ? dh[j] : 0.0f) + mask[j] * product[j];
    }
}

/* dU += h' d_gates over steps step..step+count-1. */
static void recurrent_gradient(const pass *p, ptrdiff_t step, ptrdiff_t count) {
    const ts_cell *cell = p->cell;
    const ptrdiff_t n = p->work->n, wide = cell->wide * VL, gate_wide = cell->gate_wide * VL;
    const float *h = masked_state(p, step);
    product_fn *gradient = p->rate == 0.0f ? p->functions->d_recurrent : p->functions->d_recurrent_gated;
    for (ptrdiff_t index = 0; index < cell->panels; index++) {
        const operands s = {
            .a = h, .a_line = cell->padded, .a_outer = p->state, .a_gate = p->state,
            .b = gates_of(p, step) + index * n * gate_wide + p->functions->recurrent_from * VL, .b_line = gate_wide,
            .b_outer = p->gates, .outer = count, .inner = n,
        };
        float *grad = p->work->grad + cell->u + index * cell->padded * wide;
        gradient(cell->units, grad, wide, NULL, &s, grad, wide);
    }
}

/* dW += x' d_gates over steps step..step+count-1. */
static void input_gradient(const pass *p, ptrdiff_t step, ptrdiff_t count) {
    const ts_cell *cell = p->cell;
    const ptrdiff_t n = p->work->n, wide = cell->wide * VL, gate_wide = cell->gate_wide * VL;
    const ptrdiff_t inputs = n * cell->inputs;
    for (ptrdiff_t index = 0; index < cell->panels; index++) {
        const operands s = {
            .a = p->work->input[p->layer] + segment_of(p, step) * inputs, .a_line = cell->inputs,
            .a_outer = p->direction ? -inputs : inputs,
            .b = gates_of(p, step) + index * n * gate_wide, .b_line = gate_wide, .b_outer = p->gates,
            .outer = count, .inner = n,
        };
        float *grad = p->work->grad + cell->w + index * cell->inputs * wide;
        GRADIENTS[cell->wide](cell->inputs, grad, wide, NULL, &s, grad, wide);
    }
}

/* The gradients of the weights over a block of steps: one product over many rows instead of many over few. */
static void weight_gradients(const pass *p, ptrdiff_t step, ptrdiff_t stop) {
    input_gradient(p, step, stop - step);
    const ptrdiff_t from = p->given || step > start_of(p) ? step : step + 1;
    if (p->rate == 0.0f) {
        if (stop > from) recurrent_gradient(p, from, stop - from);
    } else {
        for (ptrdiff_t s = from; s < stop; s++) recurrent_gradient(p, s, 1);
    }
    if (!p->layer) return;
    for (ptrdiff_t s = step; s < stop; s++) { /* dx = d_gates W' */
        float *to = p->work->d_input[p->layer] + segment_of(p, s) * p->work->n * p->cell->inputs;
        times_transposed(p, gates_of(p, s), 0, p->packed + p->cell->wt, p->cell->inputs, 0, p->cell->wide, to,
                         p->direction);
    }
}

/* Before a step's backward pass: set the gradients of rows that keep their state aside; zero ones give zero. */
static void set_empty_aside(const pass *p, ptrdiff_t segment) {
    ts_work *work = p->work;
    const ptrdiff_t line = p->cell->padded;
    const size_t bytes = (size_t)line * sizeof(float);
    for (ptrdiff_t row = 0; row < work->n; row++) {
        if (segment >= work->first[row]) continue;
        memcpy(work->kept_h + row * line, work->dh + row * line, bytes);
        memcpy(work->kept_c + row * line, work->dc + row * line, bytes);
        memset(work->dh + row * line, 0, bytes);
        memset(work->dc + row * line, 0, bytes);
    }
}

static void take_empty_back(const pass *p, ptrdiff_t segment) {
    ts_work *work = p->work;
    const ptrdiff_t line = p->cell->padded;
    const size_t bytes = (size_t)line * sizeof(float);
    for (ptrdiff_t row = 0; row < work->n; row++) {
        if (segment >= work->first[row]) continue;
        memcpy(work->dh + row * line, work->kept_h + row * line, bytes);
        memcpy(work->dc + row * line, work->kept_c + row * line, bytes);
    }
}

/* dh += the gradient of a segment's output, which the layer above or the head has left. */
static void add_output_gradient(const pass *p, ptrdiff_t segment) {
    const ptrdiff_t line = p->cell->padded;
    ptrdiff_t from_line;
    const float *from = output_of(p, segment, p->work->d_input, p->work->d_state, &from_line);
    for (ptrdiff_t row = 0; row < p->work->n; row++) {
        for (ptrdiff_t j = 0; j < line; j++) p->work->dh[row * line + j] += from[row * from_line + j];
    }
}

static void backward_step(const pass *p, ptrdiff_t step) {
    const ptrdiff_t segment = segment_of(p, step);
    if (p->whole) add_output_gradient(p, segment);
    if (p->work->ragged) set_empty_aside(p, segment);
    for (ptrdiff_t index = 0; index < p->cell->panels; index++) {
        const panel s = panel_of(p, step, index);
        p->functions->backward[p->plan->config.activation == TS_SOFTSIGN](&s);
    }
    /* only GRU's state also flows past the product, h' = z h + ... */
    if (p->given || step > start_of(p)) backward_recurrent(p, gates_of(p, step), p->plan->config.cell == TS_GRU);
    if (p->work->ragged) take_empty_back(p, segment);
}

/* grad += the bias gradients of all steps. */
static void bias_gradient(const pass *p) {
    const ptrdiff_t wide = p->cell->wide * VL, gate_wide = p->cell->gate_wide * VL;
    for (ptrdiff_t index = 0; index < p->cell->panels; index++) {
        const float *sum = p->work->d_bias + index * gate_wide;
        float *grad = p->work->grad + p->cell->b + index * wide;
        for (ptrdiff_t j = 0; j < wide; j++) grad[j] += sum[j];
        if (p->plan->config.cell != TS_GRU) continue;
        grad += p->cell->panels * wide; /* the recurrent biases: [z r h] */
        for (ptrdiff_t j = 0; j < wide; j++) grad[j] += sum[VL + j];
    }
}

static void backward_direction(const pass *p) {
    enum { BLOCK_ROWS = 96 }; /* rows of one weight-gradient product: a panel of their gates fits into the L1 cache */
    ts_work *work = p->work;
    const ptrdiff_t n = work->n, line = p->cell->padded, start = start_of(p), stop = stop_of(p);
    const ptrdiff_t steps = n < BLOCK_ROWS ? BLOCK_ROWS / n : 1;
    memset(work->dh, 0, (size_t)p->state * sizeof(float));
    if (!p->whole) add_output_gradient(p, p->plan->n_segments - 1);
    memset(work->dc, 0, (size_t)p->state * sizeof(float));
    memset(work->d_bias, 0, (size_t)(p->cell->panels * p->cell->gate_wide * VL) * sizeof(float));
    ptrdiff_t done = stop;
    for (ptrdiff_t step = stop - 1; step >= start; step--) {
        backward_step(p, step);
        if (done - step < steps && step > start) continue;
        weight_gradients(p, step, done);
        done = step;
    }
    bias_gradient(p);
    if (!p->given) return;
    give_initial(p, p->cell->initial, work->dh);
    if (p->tape->c) give_initial(p, p->cell->initial + line, work->dc);
}

/* The gradient of a layer's output goes through the same dropout masks as the output did. */
static void drop_gradient(const pass *p, float rate, uint64_t seed) {
    if (rate == 0.0f) return;
    for (ptrdiff_t segment = first_output(p); segment < p->plan->n_segments; segment++) {
        ptrdiff_t line;
        float *d = output_of(p, segment, p->work->d_input, p->work->d_state, &line);
        for (ptrdiff_t row = 0; row < p->work->n; row++) {
            drop(d + row * line, d + row * line, p->cell->padded, output_key(p, seed, segment, row), rate);
        }
    }
}

static void learn(const ts_plan *plan, const float *theta, const float *packed, const ts_data *data,
                  const ts_step *step, ts_work *work) {
    const float rate = step->numbers.dropout;
    forward(plan, theta, packed, data, work, rate, step->seed);
    backward_loss(plan, data, step, work);
    backward_head(plan, packed, work);
    for (int layer = plan->config.n_layers - 1; layer >= 0; layer--) {
        for (int direction = 0; direction < plan->config.directions; direction++) {
            const pass p = make_pass(plan, theta, packed, work, layer, direction);
            drop_gradient(&p, rate, step->seed);
            backward_direction(&p);
        }
    }
    if (plan->config.n_static) backward_states(plan, work); /* no gradient goes to what is carried */
}

/* -------------------------------------------------------------------------------------------------- optimisers -- */

static double sum_of_squares(const float *x, ptrdiff_t n) {
    double sums[8] = {0}; /* eight sums in a fixed order: the compiler may use vectors without changing the result */
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int j = 0; j < 8; j++) sums[j] += (double)x[i + j] * (double)x[i + j];
    }
    for (; i < n; i++) sums[0] += (double)x[i] * (double)x[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

static double gather(const ts_plan *plan, const float *theta, float *const *grad, int lanes,
                     const ts_numbers *numbers, ptrdiff_t start, ptrdiff_t stop) {
    float *total = grad[0];
    for (int lane = 1; lane < lanes; lane++) {
        const float *other = grad[lane];
        for (ptrdiff_t i = start; i < stop; i++) total[i] += other[i];
    }
    const float l1 = numbers->l1, l2 = 2.0f * numbers->l2;
    for (int k = 0; k < plan->n_kernels && (l1 != 0.0f || l2 != 0.0f); k++) {
        const ptrdiff_t from = plan->kernels[k].start > start ? plan->kernels[k].start : start;
        const ptrdiff_t to = min_of(plan->kernels[k].stop, stop);
        for (ptrdiff_t i = from; i < to; i++) { /* l1 sum |w| + l2 sum w^2 */
            const float sign = (float)((theta[i] > 0.0f) - (theta[i] < 0.0f));
            total[i] += l1 * sign + l2 * theta[i];
        }
    }
    return numbers->clipnorm < INFINITY ? sum_of_squares(total + start, stop - start) : 0.0;
}

/* The formulas and the constants are Keras's. */
static void update(const ts_plan *plan, float *theta_, float *const *moments, const float *grad_,
                   const ts_update *update, ptrdiff_t start, ptrdiff_t stop) {
    const ts_config *config = &plan->config;
    const float rate = update->numbers.learning_rate, clip = update->clip, alpha = update->alpha;
    const float momentum = config->momentum, epsilon = 1e-7f;
    /* apart from the gradient (Loshchilov and Hutter, 2019), and as in Keras of every weight, biases included */
    const float decay = config->optimizer == TS_ADAMW ? rate * update->numbers.weight_decay : 0.0f;
    float *restrict theta = theta_, *restrict m = moments[0], *restrict v = moments[1];
    const float *restrict grad = grad_;
    switch (config->optimizer) {
        case TS_ADAM: /* m += (g - m)(1 - b1), v += (g^2 - v)(1 - b2), w -= decay w + alpha m / (sqrt(v) + eps) */
        case TS_ADAMW:
            for (ptrdiff_t i = start; i < stop; i++) {
                const float g = grad[i] * clip;
                m[i] += (g - m[i]) * 0.1f;
                v[i] += (g * g - v[i]) * 0.001f;
                theta[i] -= decay * theta[i] + m[i] * alpha / (sqrtf(v[i]) + epsilon);
            }
            return;
        case TS_RMSPROP: /* v = 0.9 v + 0.1 g^2, w -= rate g / sqrt(v + eps) */
            for (ptrdiff_t i = start; i < stop; i++) {
                const float g = grad[i] * clip;
                m[i] = 0.9f * m[i] + 0.1f * (g * g);
                theta[i] -= rate * g / sqrtf(m[i] + epsilon);
            }
            return;
        case TS_ADAGRAD: /* a += g^2, w -= rate g / sqrt(a + eps) */
            for (ptrdiff_t i = start; i < stop; i++) {
                const float g = grad[i] * clip;
                m[i] += g * g;
                theta[i] -= rate * g / sqrtf(m[i] + epsilon);
            }
            return;
        default: /* SGD */
            if (momentum == 0.0f) {
                for (ptrdiff_t i = start; i < stop; i++) theta[i] -= grad[i] * clip * rate;
                return;
            }
            for (ptrdiff_t i = start; i < stop; i++) { /* m = mu m - rate g; w += m, or mu m - rate g (Nesterov) */
                const float g = grad[i] * clip * rate;
                m[i] = m[i] * momentum - g;
                theta[i] += config->nesterov ? m[i] * momentum - g : m[i];
            }
    }
}

const ts_kernels KERNELS = {ISA_NAME, VL, pack, learn, infer, gather, update};
