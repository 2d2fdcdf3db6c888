/* From the loss back to the gradients of all weights. */

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
    const int from = p->plan->kind->recurrent_from;
    const float *ut = p->packed + cell->ut;
    float *dh = p->work->dh;
    if (p->rate == 0.0f) {
        times_transposed(p, gates, from, ut, cell->padded, 0, cell->wide, dh, add);
        return;
    }
    const int masks = p->plan->kind->masks;
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
            .b = gates_of(p, step) + index * n * gate_wide + p->plan->kind->recurrent_from * VL, .b_line = gate_wide,
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
    if (p->given || step > start_of(p)) backward_recurrent(p, gates_of(p, step), p->plan->kind->flows_past);
    if (p->work->ragged) take_empty_back(p, segment);
}

/* grad += the bias gradients of all steps. */
static void bias_gradient(const pass *p) {
    const ptrdiff_t wide = p->cell->wide * VL, gate_wide = p->cell->gate_wide * VL;
    for (ptrdiff_t index = 0; index < p->cell->panels; index++) {
        const float *sum = p->work->d_bias + index * gate_wide;
        float *grad = p->work->grad + p->cell->b + index * wide;
        for (ptrdiff_t j = 0; j < wide; j++) grad[j] += sum[j];
        if (p->plan->kind->biases == 1) continue;
        grad += p->cell->panels * wide; /* the recurrent biases */
        for (ptrdiff_t j = 0; j < wide; j++) grad[j] += sum[p->plan->kind->recurrent_from * VL + j];
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
