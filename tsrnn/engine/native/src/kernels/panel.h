/* One panel of gates: what the nonlinearity of a cell works on, and the functions that a cell is made of. */

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

typedef void panel_fn(const panel *s);

/* The functions of a cell: its products and its nonlinearity, [softsign]. */
typedef struct {
    product_fn *product, *product_gated, *d_recurrent, *d_recurrent_gated;
    panel_fn *forward[2], *backward[2];
} cell_functions;

/* The functions forward and backward of a cell's nonlinearity with tanh and with softsign. */
#define PANELS(name, suffix, ...)                                                                               \
    NOINLINE void name##_forward_tanh##suffix(const panel *s) { name##_forward(s, 0 __VA_ARGS__); }             \
    NOINLINE void name##_forward_softsign##suffix(const panel *s) { name##_forward(s, 1 __VA_ARGS__); }         \
    NOINLINE void name##_backward_tanh##suffix(const panel *s) { name##_backward(s, 0 __VA_ARGS__); }           \
    NOINLINE void name##_backward_softsign##suffix(const panel *s) { name##_backward(s, 1 __VA_ARGS__); }
#define PANEL_FUNCTIONS(name, suffix)                                   \
    {name##_forward_tanh##suffix, name##_forward_softsign##suffix},     \
    {name##_backward_tanh##suffix, name##_backward_softsign##suffix}
