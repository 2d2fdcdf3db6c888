/* Elman's network (1990). A panel holds `wide` vectors of units. */

INLINE void simple_rnn_forward(const panel *s, int softsign, int wide) {
    for (ptrdiff_t row = 0; row < s->rows; row++) {
        for (int j = 0; j < wide; j++) {
            store(s->h + row * s->line + j * VL, squash(load(s->gates + (row * wide + j) * VL), softsign));
        }
    }
}

INLINE void simple_rnn_backward(const panel *s, int softsign, int wide) {
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

PANELS(simple_rnn, _1, , 1) PANELS(simple_rnn, _2, , 2) PANELS(simple_rnn, _3, , 3) PANELS(simple_rnn, _4, , 4)

/* It has one recurrent mask for all of its units: its masked product is the plain one. By the vectors of a panel. */
#define SIMPLE_RNN(wide)                                                \
    {product_##wide, product_##wide, gradient_##wide, gradient_##wide, PANEL_FUNCTIONS(simple_rnn, _##wide)}
static const cell_functions simple_rnn_functions[] = {SIMPLE_RNN(1), SIMPLE_RNN(2), SIMPLE_RNN(3), SIMPLE_RNN(4)};
