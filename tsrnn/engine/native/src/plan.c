/* Where everything lies: parameters, packed copies, and the memory of a pass. Sizes are added up with overflow checks;
 * a network too large for the machine's address space is refused, not miscounted. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64
#define SLICE_BYTES (16 << 20) /* memory for the tape of one pass: it should stay in the cache that cores share */
#define MAX_SLICE_ROWS 32
#define PREDICT_ROWS 32

void *ts_align(void *memory) {
    return (void *)(((uintptr_t)memory + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

/* A running total of floats that remembers whether it has overflowed. */
typedef struct {
    ptrdiff_t total;
    int overflow;
} counter;

static ptrdiff_t product(counter *count, ptrdiff_t a, ptrdiff_t b) {
    ptrdiff_t result = 0;
    count->overflow |= __builtin_mul_overflow(a, b, &result);
    return count->overflow ? 0 : result;
}

/* Reserve a * b * c floats, starting on a cache line; return their offset. */
static ptrdiff_t reserve(counter *count, ptrdiff_t a, ptrdiff_t b, ptrdiff_t c) {
    const ptrdiff_t line = ALIGNMENT / sizeof(float);
    ptrdiff_t start = count->total;
    ptrdiff_t size = product(count, product(count, a, b), c);
    count->overflow |= __builtin_add_overflow(start, size, &count->total);
    count->overflow |= __builtin_add_overflow(count->total, line - 1, &count->total);
    count->overflow |= count->total > PTRDIFF_MAX / (ptrdiff_t)sizeof(float);
    if (count->overflow) count->total = 0;
    count->total -= count->total % line;
    return start;
}

static ptrdiff_t round_up(ptrdiff_t value, ptrdiff_t step) {
    return (value + step - 1) / step * step;
}

/* Vectors in a panel of one gate, for `blocks` of them: as many as the registers hold, with little padding. */
static ptrdiff_t vectors_of_units(ptrdiff_t blocks) {
    if (blocks <= 4) return blocks;
    return round_up(blocks, 4) <= round_up(blocks, 3) ? 4 : 3;
}

static void plan_cell(ts_plan *plan, ts_cell *cell, int layer, ptrdiff_t inputs, counter *theta, counter *packed) {
    const ptrdiff_t vl = plan->vl, units = plan->config.units[layer], blocks = round_up(units, vl) / vl;
    const ts_kind *kind = plan->kind;
    cell->units = units;
    cell->inputs = inputs;
    cell->wide = kind->vectors ? kind->gates : vectors_of_units(blocks);
    cell->gate_wide = kind->vectors ? kind->vectors : cell->wide;
    cell->panels = kind->vectors ? blocks : round_up(blocks, cell->wide) / cell->wide;
    cell->padded = (kind->vectors ? blocks : cell->panels * cell->wide) * vl;
    const ptrdiff_t columns = cell->panels * cell->wide * vl;
    cell->w = reserve(theta, inputs, columns, 1);
    cell->u = reserve(theta, cell->padded, columns, 1);
    cell->b = reserve(theta, columns, kind->biases, 1);
    plan->kernels[plan->n_kernels++] = (ts_range){cell->w, cell->b};
    cell->bias = reserve(packed, cell->panels, cell->gate_wide * vl, 1);
    if (plan->config.batch_size) {
        cell->ut = reserve(packed, columns, cell->padded, 1);
        cell->wt = reserve(packed, layer ? columns : 0, inputs, 1); /* nobody asks for the gradient of the data */
    }
    if (cell->padded > plan->widest) plan->widest = cell->padded;
    cell->initial = plan->n_states;
    cell->carried = plan->n_carried;
    if (plan->config.n_static || plan->config.carried) plan->n_states += kind->states * cell->padded;
    if (plan->config.carried) plan->n_carried += kind->states * units;
}

/* Column of unit `unit` of Keras's gate `gate` in a packed K x N matrix: its panel, and the place within a row. */
static void locate(const ts_plan *plan, const ts_cell *cell, int gate, ptrdiff_t unit, int recurrent, ptrdiff_t *panel,
                   ptrdiff_t *column) {
    const ptrdiff_t vl = plan->vl;
    if (!plan->kind->vectors) {
        *panel = unit / (cell->wide * vl);
        *column = unit % (cell->wide * vl);
        return;
    }
    const int vector = recurrent ? plan->kind->recurrent[gate] : plan->kind->input[gate];
    *panel = unit / vl;
    *column = vector * vl + unit % vl;
}

/* Place rows x (gates * units) of Keras's layout. `row_of` maps a row of a kernel to a row of the packed matrix. */
static ptrdiff_t place_kernel(ts_plan *plan, const ts_cell *cell, ptrdiff_t next, ptrdiff_t start, ptrdiff_t rows,
                              ptrdiff_t packed_rows, ptrdiff_t part, ptrdiff_t padded_part, int recurrent) {
    for (ptrdiff_t row = 0; row < rows; row++) {
        /* inputs from two directions lie in two padded parts, one after the other */
        const ptrdiff_t packed_row = row / part * padded_part + row % part;
        for (int gate = 0; gate < plan->kind->gates; gate++) {
            for (ptrdiff_t unit = 0; unit < cell->units; unit++) {
                ptrdiff_t panel, column;
                locate(plan, cell, gate, unit, recurrent, &panel, &column);
                const ptrdiff_t width = cell->wide * plan->vl;
                plan->place[next++] = (int32_t)(start + (panel * packed_rows + packed_row) * width + column);
            }
        }
    }
    return next;
}

static ptrdiff_t place_cell(ts_plan *plan, const ts_cell *cell, const ts_cell *below, ptrdiff_t next) {
    const ptrdiff_t directions = plan->config.directions;
    const ptrdiff_t part = below ? below->units : cell->inputs, padded_part = below ? below->padded : cell->inputs;
    const ptrdiff_t inputs = below ? directions * part : part;
    next = place_kernel(plan, cell, next, cell->w, inputs, cell->inputs, part, padded_part, 0);
    next = place_kernel(plan, cell, next, cell->u, cell->units, cell->padded, cell->units, cell->padded, 1);
    next = place_kernel(plan, cell, next, cell->b, 1, 1, 1, 1, 0);
    if (plan->kind->biases == 2) {
        const ptrdiff_t second = cell->b + cell->panels * cell->wide * plan->vl;
        next = place_kernel(plan, cell, next, second, 1, 1, 1, 1, 1);
    }
    return next;
}

/* Place in a packed rows x columns matrix, in panels of four vectors. */
static int32_t in_panels(const ts_plan *plan, ptrdiff_t start, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t row,
                         ptrdiff_t column) {
    const ptrdiff_t full = 4 * plan->vl, panel = column / full * full;
    const ptrdiff_t width = columns - panel < full ? columns - panel : full;
    return (int32_t)(start + panel * rows + row * width + column - panel);
}

static void place_head(ts_plan *plan, const ts_cell *last, ptrdiff_t next) {
    const ptrdiff_t n_outputs = plan->config.n_outputs;
    for (ptrdiff_t row = 0; row < plan->config.directions * last->units; row++) {
        const ptrdiff_t packed_row = row / last->units * last->padded + row % last->units;
        for (ptrdiff_t output = 0; output < n_outputs; output++) {
            plan->place[next++] = in_panels(plan, plan->head, plan->top, plan->outputs, packed_row, output);
        }
    }
    for (ptrdiff_t output = 0; output < n_outputs; output++) {
        plan->place[next++] = (int32_t)(plan->head_bias + output);
    }
}

/* Place one row of the initial states' kernel, or, with row -1, their bias. */
static ptrdiff_t place_states(ts_plan *plan, ptrdiff_t row, ptrdiff_t next) {
    for (int i = 0; i < plan->config.n_layers * plan->config.directions; i++) {
        const ts_cell *cell = &plan->cells[i / plan->config.directions][i % plan->config.directions];
        for (ptrdiff_t unit = 0; unit < plan->kind->states * cell->units; unit++) {
            const ptrdiff_t column = cell->initial + unit / cell->units * cell->padded + unit % cell->units;
            plan->place[next++] = row < 0 ? (int32_t)(plan->state_bias + column)
                : in_panels(plan, plan->state, plan->config.n_static, plan->n_states, row, column);
        }
    }
    return next;
}

static ptrdiff_t count_parameters(const ts_config *config, ptrdiff_t inputs) {
    const ts_kind *kind = &ts_kinds[config->cell];
    ptrdiff_t total = 0;
    for (int layer = 0; layer < config->n_layers; layer++) {
        const ptrdiff_t units = config->units[layer];
        total += config->directions * (inputs + units + kind->biases) * kind->gates * units;
        if (config->n_static) total += config->directions * (config->n_static + 1) * kind->states * units;
        inputs = config->directions * units;
    }
    return total + (inputs + 1) * (ptrdiff_t)config->n_outputs;
}

static ptrdiff_t tape_floats(const ts_plan *plan, counter *count) {
    ptrdiff_t total = 0;
    for (int layer = 0; layer < plan->config.n_layers; layer++) {
        const ts_cell *cell = &plan->cells[layer][0];
        const ptrdiff_t row = cell->panels * cell->gate_wide * plan->vl + 2 * cell->padded;
        total += plan->config.directions * row + 2 * cell->inputs;
    }
    if (plan->config.sequence) total += 2 * (plan->top + plan->outputs);
    return product(count, total, plan->n_segments);
}

/* Keep the lists of channels: those with an indicator, the static ones and, if not all of them are, those that are read
 * at each step. */
static int copy_channels(ts_plan *plan) {
    ts_config *config = &plan->config;
    const ptrdiff_t n_indicators = config->n_indicators, n_static = config->n_static;
    const ptrdiff_t listed = plan->n_inputs < plan->n_channels ? plan->n_channels : 0;
    plan->indicators = malloc((size_t)(n_indicators + n_static + listed + 1) * sizeof *plan->indicators);
    if (!plan->indicators) return TS_NO_MEMORY;
    plan->statics = plan->indicators + n_indicators;
    if (n_indicators) memcpy(plan->indicators, config->indicators, (size_t)n_indicators * sizeof *plan->indicators);
    if (n_static) memcpy(plan->statics, config->statics, (size_t)n_static * sizeof *plan->statics);
    config->indicators = plan->indicators;
    config->statics = plan->statics;
    if (!listed) return TS_OK;
    plan->inputs = plan->statics + n_static;
    for (ptrdiff_t i = 0; i < listed; i++) plan->inputs[i] = (int32_t)i;
    for (ptrdiff_t i = 0; i < n_static; i++) plan->inputs[plan->statics[i]] = -1;
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < listed; i++) {
        if (plan->inputs[i] >= 0) plan->inputs[n++] = plan->inputs[i];
    }
    return TS_OK;
}

int ts_plan_make(ts_plan *plan, const ts_config *config, ptrdiff_t vl) {
    counter theta = {0, 0}, packed = {0, 0};
    memset(plan, 0, sizeof *plan);
    plan->config = *config;
    plan->kind = &ts_kinds[config->cell];
    plan->vl = vl;
    plan->n_segments = (config->n_steps + config->segment - 1) / config->segment;
    plan->padding = plan->n_segments * config->segment - config->n_steps;
    plan->n_channels = config->n_features + config->n_indicators;
    plan->n_inputs = plan->n_channels - (config->static_unread ? config->n_static : 0);
    plan->n_heads = config->sequence ? plan->n_segments : 1;
    const ptrdiff_t first_inputs = product(&theta, plan->n_inputs, config->segment);
    ptrdiff_t inputs = first_inputs;
    for (int layer = 0; layer < config->n_layers; layer++) {
        for (int direction = 0; direction < config->directions; direction++) {
            plan_cell(plan, &plan->cells[layer][direction], layer, inputs, &theta, &packed);
        }
        inputs = config->directions * plan->cells[layer][0].padded;
    }
    plan->top = inputs;
    plan->outputs = round_up(config->n_outputs, vl);
    plan->head = reserve(&theta, plan->top, plan->outputs, 1);
    plan->head_bias = reserve(&theta, plan->outputs, 1, 1);
    plan->kernels[plan->n_kernels++] = (ts_range){plan->head, plan->head_bias};
    plan->state = reserve(&theta, config->n_static, plan->n_states, 1);
    plan->state_bias = reserve(&theta, config->n_static ? plan->n_states : 0, 1, 1);
    plan->kernels[plan->n_kernels++] = (ts_range){plan->state, plan->state_bias};
    plan->head_t = reserve(&packed, config->batch_size ? plan->outputs : 0, plan->top, 1);
    plan->n_internal = theta.total;
    plan->n_packed = packed.total;
    const ptrdiff_t tape = tape_floats(plan, &theta);
    if (theta.overflow || packed.overflow || theta.total > INT32_MAX) return TS_TOO_LARGE;
    plan->n_parameters = count_parameters(config, first_inputs);
    const ptrdiff_t fitting = SLICE_BYTES / (ptrdiff_t)sizeof(float) / tape;
    plan->slice_rows = fitting < 1 ? 1 : fitting > MAX_SLICE_ROWS ? MAX_SLICE_ROWS : fitting;
    plan->predict_rows = PREDICT_ROWS;

    plan->place = malloc((size_t)plan->n_parameters * sizeof *plan->place);
    if (!plan->place || copy_channels(plan) != TS_OK) {
        ts_plan_free(plan);
        return TS_NO_MEMORY;
    }
    ptrdiff_t next = 0;
    for (ptrdiff_t row = 0; config->n_static && row <= config->n_static; row++) {
        next = place_states(plan, row < config->n_static ? row : -1, next);
    }
    for (int layer = 0; layer < config->n_layers; layer++) {
        for (int direction = 0; direction < config->directions; direction++) {
            const ts_cell *below = layer ? &plan->cells[layer - 1][0] : NULL;
            next = place_cell(plan, &plan->cells[layer][direction], below, next);
        }
    }
    place_head(plan, &plan->cells[config->n_layers - 1][0], next);
    return TS_OK;
}

void ts_plan_free(ts_plan *plan) {
    free(plan->place);
    free(plan->indicators);
    plan->place = NULL;
    plan->indicators = NULL;
}

/* Lay the arrays of a pass out in one piece of memory. Called twice: without memory to count, then to set pointers. */
static void lay_out(ts_work *work, const ts_plan *plan, counter *count, char *memory) {
#define TAKE(pointer, a, b, c) do { \
        const ptrdiff_t offset_ = reserve(count, a, b, c); \
        if (memory) (pointer) = (void *)(memory + offset_ * (ptrdiff_t)sizeof(float)); \
    } while (0)
    const ts_config *config = &plan->config;
    const ptrdiff_t rows = work->capacity, steps = plan->n_segments, vl = plan->vl;
    const int training = work->training, masks = plan->kind->masks;
    ptrdiff_t biases = 0;
    for (int layer = 0; layer < config->n_layers; layer++) {
        const int last = layer == config->n_layers - 1;
        const ts_cell *cell = &plan->cells[layer][0];
        const ptrdiff_t gates = cell->panels * cell->gate_wide * vl;
        TAKE(work->input[layer], steps, rows, cell->inputs);
        if (training && layer) TAKE(work->d_input[layer], steps, rows, cell->inputs);
        for (int direction = 0; direction < config->directions; direction++) {
            ts_tape *tape = &work->tape[layer][direction];
            TAKE(tape->h, training || !last || config->sequence ? steps + 1 : 2, rows, cell->padded);
            if (plan->kind->states == 2) TAKE(tape->c, training ? steps + 1 : 2, rows, cell->padded);
            TAKE(tape->gates, training ? steps : 1, rows, gates);
            if (training && config->recurrent_dropout > 0) TAKE(tape->mask, masks, rows, cell->padded);
        }
        if (gates > biases) biases = gates;
    }
    TAKE(work->state, plan->n_heads, rows, plan->top);
    TAKE(work->y, plan->n_heads, rows, plan->outputs);
    TAKE(work->channels, plan->n_channels, 1, 1);
    TAKE(work->statics, rows, config->n_static, 1);
    TAKE(work->initial, rows, plan->n_states, 1);
    TAKE(work->window, rows, sizeof *work->window / sizeof(float), 1);
    TAKE(work->slot, rows, sizeof *work->slot / sizeof(float), 1);
    TAKE(work->first, rows, 1, 1);
    if (!training) return;
    TAKE(work->d_state, plan->n_heads, rows, plan->top);
    TAKE(work->dy, plan->n_heads, rows, plan->outputs);
    TAKE(work->d_initial, rows, plan->n_states, 1);
    TAKE(work->dh, rows, plan->widest, 1);
    TAKE(work->dc, rows, plan->widest, 1);
    TAKE(work->kept_h, rows, plan->widest, 1);
    TAKE(work->kept_c, rows, plan->widest, 1);
    TAKE(work->d_bias, biases, 1, 1);
    TAKE(work->grad, plan->n_internal, 1, 1);
    if (config->recurrent_dropout > 0) {
        TAKE(work->masked, masks, rows, plan->widest);
        TAKE(work->product, rows, plan->widest, 1);
    }
#undef TAKE
}

int ts_work_make(ts_work *work, const ts_plan *plan, ptrdiff_t rows, int training) {
    counter count = {0, 0};
    memset(work, 0, sizeof *work);
    work->capacity = rows;
    work->training = training;
    lay_out(work, plan, &count, NULL);
    if (count.overflow) return TS_NO_MEMORY;
    work->memory = calloc((size_t)count.total * sizeof(float) + ALIGNMENT, 1);
    if (!work->memory) return TS_NO_MEMORY;
    count.total = 0;
    lay_out(work, plan, &count, ts_align(work->memory));
    return TS_OK;
}

void ts_work_free(ts_work *work) {
    free(work->memory);
    work->memory = NULL;
}
