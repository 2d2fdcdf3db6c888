/* Gated recurrent unit (Cho et al., 2014), the reset gate after the product. Gates [xh z r rh]: W and U each cover three
 * of the four vectors. */

/*                      wide f1 w1 f2 w2 gated transposed */
PRODUCT(product_gru,       4, 0, 3, 1, 3, 0, 0)
PRODUCT(product_gru_gated, 4, 0, 3, 1, 3, 1, 0)

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

PANELS(gru, )

static const cell_functions gru_functions[] = {
    {product_gru, product_gru_gated, gradient_3, gradient_3_gated, PANEL_FUNCTIONS(gru, )},
};
