/* The packed copies of weights that a step needs: transposed matrices, and the biases of the gates. */

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
        if (plan->kind->biases == 1) continue;
        /* A second bias is that of the recurrent product; where the products add up, so do the biases. */
        const float *recurrent = b + cell->panels * wide;
        const ptrdiff_t from = plan->kind->recurrent_from * VL, both = wide - from;
        for (ptrdiff_t j = 0; j < both; j++) bias[from + j] += recurrent[j];
        memcpy(bias + wide, recurrent + both, (size_t)(gate_wide - wide) * sizeof *bias);
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
