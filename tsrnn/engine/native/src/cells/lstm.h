/* Long short-term memory (Hochreiter and Schmidhuber, 1997). Gates [i f c o]. */

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

PANELS(lstm, )

static const cell_functions lstm_functions[] = {
    {product_4, product_4_gated, gradient_4, gradient_4_gated, PANEL_FUNCTIONS(lstm, )},
};
