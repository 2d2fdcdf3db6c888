/* Products of matrices by register blocks. See plan.h for how matrices lie. */

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
PRODUCT(gradient_1,        1, 0, 0, 0, 1, 0, 1)
PRODUCT(gradient_2,        2, 0, 0, 0, 2, 0, 1)
PRODUCT(gradient_3,        3, 0, 0, 0, 3, 0, 1)
PRODUCT(gradient_4,        4, 0, 0, 0, 4, 0, 1)
PRODUCT(gradient_3_gated,  3, 0, 0, 0, 3, 1, 1)
PRODUCT(gradient_4_gated,  4, 0, 0, 0, 4, 1, 1)

static product_fn *const PRODUCTS[] = {NULL, product_1, product_2, product_3, product_4};
static product_fn *const GRADIENTS[] = {NULL, gradient_1, gradient_2, gradient_3, gradient_4};
