/* From windows to outputs. */

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
    const int masks = p->plan->kind->masks;
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
            if (plan->kind->states == 2) memcpy(to + cell->padded, from + cell->carried + cell->units, bytes);
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
