/* One direction of one layer in one pass: its arrays, and where those of a step lie. */

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
        .plan = plan, .cell = cell, .functions = FUNCTIONS[plan->config.cell] + (plan->kind->vectors ? 0 : cell->wide - 1), .tape = &work->tape[layer][direction],
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
    const int masks = p->plan->kind->masks;
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
