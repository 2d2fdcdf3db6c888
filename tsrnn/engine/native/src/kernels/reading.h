/* Windows as they are read from the series into the input of the first layer. */

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
