/* Choice of the instruction set, the loop over training steps, and the threads.
 *
 * A batch is split into TS_LANES lanes, each with a gradient of its own, and a lane into slices whose tape fits into
 * the cache. Threads only share out lanes, so that every sum is the same on one thread as on two.
 */
#include "engine.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plan.h"

#if defined(_WIN32)
#define TS_THREADS 0
#else
#define TS_THREADS 1
#include <pthread.h>
#include <sched.h>
#endif

struct ts_network {
    const ts_kernels *kernels;
    ts_plan plan;
    void *memory;
    float *theta, *moments[TS_MAX_MOMENTS], *packed;
    int n_moments, is_packed;
    int64_t iterations;
    uint64_t seed, drawn;
    ts_work lanes[TS_LANES];
    int has_lanes;
};

/* --------------------------------------------------------------------------------------------- instruction sets -- */

static const ts_kernels *const KERNELS[] = {
#if defined(__x86_64__)
    &ts_kernels_avx512,
    &ts_kernels_avx2,
#endif
    &ts_kernels_base,
};
enum { N_KERNELS = sizeof KERNELS / sizeof *KERNELS };

const char *ts_isa_name(int n) {
    return n >= 0 && n < N_KERNELS ? KERNELS[n]->name : NULL;
}

#define NAME_OF_CELL(name) #name,
static const char *const CELL_NAMES[] = {TS_CELLS(NAME_OF_CELL)};

const char *ts_cell_name(int n) {
    return n >= 0 && n < TS_N_CELLS ? CELL_NAMES[n] : NULL;
}

int ts_isa_supported(int n) {
    if (n < 0 || n >= N_KERNELS) return 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (KERNELS[n]->vl == 8) return avx2;
    if (KERNELS[n]->vl == 16) {
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
               && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    }
#endif
    return 1;
}

/* ----------------------------------------------------------------------------------------------------- networks -- */

static int count_moments(const ts_config *config) {
    if (!config->batch_size) return 0;
    if (config->optimizer == TS_ADAM || config->optimizer == TS_ADAMW) return 2;
    return config->optimizer != TS_SGD || config->momentum != 0.0f;
}

int ts_create(const ts_config *config, int isa, ts_network **result) {
    ts_network *network = calloc(1, sizeof *network);
    if (!network) return TS_NO_MEMORY;
    network->kernels = KERNELS[isa];
    int status = ts_plan_make(&network->plan, config, network->kernels->vl);
    if (status != TS_OK) {
        free(network);
        return status;
    }
    network->n_moments = count_moments(config);
    const size_t size = (size_t)network->plan.n_internal, packed = (size_t)network->plan.n_packed;
    const size_t floats = size * (size_t)(1 + network->n_moments) + packed;
    network->memory = calloc(floats * sizeof(float) + 64, 1); /* padding must be zero, and stays so */
    if (!network->memory) {
        ts_destroy(network);
        return TS_NO_MEMORY;
    }
    network->theta = ts_align(network->memory);
    for (int i = 0; i < network->n_moments; i++) network->moments[i] = network->theta + size * (size_t)(i + 1);
    network->packed = network->theta + size * (size_t)(network->n_moments + 1);
    *result = network;
    return TS_OK;
}

void ts_destroy(ts_network *network) {
    if (!network) return;
    for (int lane = 0; lane < TS_LANES; lane++) ts_work_free(&network->lanes[lane]);
    ts_plan_free(&network->plan);
    free(network->memory);
    free(network);
}

int64_t ts_n_parameters(const ts_network *network) {
    return network->plan.n_parameters;
}

int64_t ts_n_carried(const ts_network *network) {
    return network->plan.n_carried;
}

int ts_n_moments(const ts_network *network) {
    return network->n_moments;
}

int64_t ts_iterations(const ts_network *network) {
    return network->iterations;
}

void ts_set(ts_network *network, int which, const float *values) {
    float *to = which < 0 ? network->theta : network->moments[which];
    memset(to, 0, (size_t)network->plan.n_internal * sizeof *to); /* the padding too: NaN may have spread into it */
    for (ptrdiff_t i = 0; i < network->plan.n_parameters; i++) to[network->plan.place[i]] = values[i];
    if (which < 0) network->is_packed = 0;
}

void ts_get(const ts_network *network, int which, float *values) {
    const float *from = which < 0 ? network->theta : network->moments[which];
    for (ptrdiff_t i = 0; i < network->plan.n_parameters; i++) values[i] = from[network->plan.place[i]];
}

void ts_set_clock(ts_network *network, int64_t iterations, uint64_t seed, uint64_t drawn) {
    network->iterations = iterations;
    network->seed = seed;
    network->drawn = drawn;
}

/* ------------------------------------------------------------------------------------------------------ threads -- */

/* A team runs one function on several threads, the caller's among them, with barriers inside. */
typedef struct team team;
typedef void team_fn(team *group, int member, void *context);

struct team {
    team_fn *run;
    void *context;
    int size;
    atomic_int started, waiting, round;
};

#if TS_THREADS
static void wait_a_little(int *spins) {
    if (++*spins > 2000) sched_yield(); /* the other core may be busy with somebody else's work */
}

static void barrier(team *group) {
    if (group->size == 1) return;
    const int round = atomic_load(&group->round);
    if (atomic_fetch_add(&group->waiting, 1) == group->size - 1) {
        atomic_store(&group->waiting, 0);
        atomic_fetch_add(&group->round, 1);
        return;
    }
    for (int spins = 0; atomic_load_explicit(&group->round, memory_order_acquire) == round;) wait_a_little(&spins);
}

typedef struct {
    team *group;
    int member;
    pthread_t thread;
} member;

static void *member_main(void *argument) {
    member *self = argument;
    for (int spins = 0; !atomic_load_explicit(&self->group->started, memory_order_acquire);) wait_a_little(&spins);
    self->group->run(self->group, self->member, self->group->context);
    return NULL;
}

/* Run on up to `size` threads: fewer if the system grants fewer, with the same result. */
static void run_team(team_fn *run, void *context, int size) {
    team group = {.run = run, .context = context, .size = 1};
    member members[TS_MAX_THREADS];
    while (group.size < size && group.size < TS_MAX_THREADS) {
        member *next = &members[group.size];
        *next = (member){.group = &group, .member = group.size};
        if (pthread_create(&next->thread, NULL, member_main, next) != 0) break;
        group.size++;
    }
    atomic_store_explicit(&group.started, 1, memory_order_release);
    run(&group, 0, context);
    for (int i = 1; i < group.size; i++) pthread_join(members[i].thread, NULL);
}
#else
static void barrier(team *group) {
    (void)group;
}

static void run_team(team_fn *run, void *context, int size) {
    team group = {.run = run, .context = context, .size = 1};
    (void)size;
    run(&group, 0, context);
}
#endif

/* ----------------------------------------------------------------------------------------------------- training -- */

typedef struct {
    ts_network *network;
    const ts_data *data;
    const int32_t *order;
    int64_t n_batches;
    ts_numbers numbers;
    int64_t *window, *slot; /* (batch_size,): the rows of the present batch that are not -1, and their places in it */
    int64_t n_rows;
    double total;           /* weight of the present batch */
    double squares[TS_LANES];
    double loss_sum, weight_sum;
    ts_step step;
    int status;
    ts_interrupt *interrupt;
    void *context;
    double asked;           /* when `interrupt` was last called, in seconds */
    atomic_int interrupted;
} training;

/* Read the rows of a batch, once: `order` may be changed by others meanwhile. */
static void begin_batch(training *t, int64_t batch) {
    const ts_config *config = &t->network->plan.config;
    t->n_rows = 0;
    t->total = 0;
    for (int64_t slot = 0; slot < config->batch_size; slot++) {
        const int64_t window = t->order[batch * config->batch_size + slot];
        if (window < 0) continue;
        if (window >= t->data->n_windows) {
            t->status = TS_BAD_ROW;
            return;
        }
        t->window[t->n_rows] = window;
        t->slot[t->n_rows++] = slot;
        const int64_t n_targets = t->network->plan.n_heads * config->n_targets;
        const float *y = t->data->y + window * n_targets;
        int64_t known = 0;
        for (int64_t k = 0; k < n_targets; k++) known += y[k] == y[k];
        t->total += (double)t->data->weight[window] * (double)known;
    }
    t->step.numbers = t->numbers;
    t->step.d_scale = t->total != 0 ? (float)(1 / t->total) : 0.0f;
    t->step.seed = t->network->seed + 0xD1342543DE82EF95u * ++t->network->drawn;
}

static double seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Whether to abandon the step. Asking may mean to wait for Python's lock: not more often than is worth it. */
static int is_interrupted(training *t, int me) {
    const double interval = 0.1;
    if (me == 0 && t->interrupt) {
        const double now = seconds();
        if (now - t->asked > interval || now < t->asked) {
            t->asked = now;
            if (t->interrupt(t->context)) atomic_store(&t->interrupted, 1);
        }
    }
    return atomic_load(&t->interrupted);
}

/* Forward and backward over the rows start..stop-1 of the batch, in slices of about equal size. */
static void learn_lane(training *t, int me, ts_work *work, int64_t start, int64_t stop) {
    ts_network *network = t->network;
    memset(work->grad, 0, (size_t)network->plan.n_internal * sizeof *work->grad);
    work->loss = 0;
    const int64_t n = stop - start, slices = (n + work->capacity - 1) / work->capacity;
    for (int64_t slice = 0; slice < slices && !is_interrupted(t, me); slice++) {
        const int64_t first = start + n * slice / slices, last = start + n * (slice + 1) / slices;
        work->n = last - first;
        memcpy(work->window, t->window + first, (size_t)work->n * sizeof *work->window);
        memcpy(work->slot, t->slot + first, (size_t)work->n * sizeof *work->slot);
        network->kernels->learn(&network->plan, network->theta, network->packed, t->data, &t->step, work);
    }
}

static ts_update make_update(const training *t) {
    ts_update update = {.numbers = t->numbers, .clip = 1.0f};
    double squares = 0;
    for (int part = 0; part < TS_LANES; part++) squares += t->squares[part];
    const float norm = (float)sqrt(squares);
    /* g min(1, clipnorm / |g|); with an infinite norm infinite gradients become NaN and show in the loss */
    if (norm > t->numbers.clipnorm) update.clip = t->numbers.clipnorm / norm;
    const double steps = (double)t->network->iterations + 1; /* Adam, end of section 2 (Kingma and Ba, 2015) */
    update.alpha = (float)(t->numbers.learning_rate * sqrt(1 - pow(0.999, steps)) / (1 - pow(0.9, steps)));
    return update;
}

static void train_member(team *group, int me, void *context) {
    training *t = context;
    ts_network *network = t->network;
    const ts_kernels *kernels = network->kernels;
    const ptrdiff_t size = network->plan.n_internal;
    float *grads[TS_LANES];
    for (int lane = 0; lane < TS_LANES; lane++) grads[lane] = network->lanes[lane].grad;
    for (int64_t batch = 0; batch < t->n_batches; batch++) {
        if (me == 0) begin_batch(t, batch);
        kernels->pack(&network->plan, network->theta, network->packed, me, group->size);
        barrier(group);
        if (t->status != TS_OK) return;
        for (int lane = me; lane < TS_LANES; lane += group->size) {
            const int64_t start = t->n_rows * lane / TS_LANES, stop = t->n_rows * (lane + 1) / TS_LANES;
            learn_lane(t, me, &network->lanes[lane], start, stop);
        }
        barrier(group);
        if (atomic_load(&t->interrupted)) return;
        for (int part = me; part < TS_LANES; part += group->size) {
            t->squares[part] = kernels->gather(&network->plan, network->theta, grads, TS_LANES, &t->numbers,
                                               size * part / TS_LANES, size * (part + 1) / TS_LANES);
        }
        barrier(group);
        const ts_update update = make_update(t);
        for (int part = me; part < TS_LANES; part += group->size) {
            kernels->update(&network->plan, network->theta, network->moments, grads[0], &update,
                            size * part / TS_LANES, size * (part + 1) / TS_LANES);
        }
        barrier(group);
        if (me != 0) continue;
        for (int lane = 0; lane < TS_LANES; lane++) t->loss_sum += network->lanes[lane].loss;
        t->weight_sum += t->total;
        network->iterations++;
    }
}

static int make_lanes(ts_network *network) {
    if (network->has_lanes) return TS_OK;
    const int64_t rows = (network->plan.config.batch_size + TS_LANES - 1) / TS_LANES;
    const ptrdiff_t capacity = rows < network->plan.slice_rows ? (ptrdiff_t)rows : network->plan.slice_rows;
    for (int lane = 0; lane < TS_LANES; lane++) {
        const int status = ts_work_make(&network->lanes[lane], &network->plan, capacity, 1);
        if (status == TS_OK) continue;
        while (lane >= 0) ts_work_free(&network->lanes[lane--]);
        return status;
    }
    network->has_lanes = 1;
    return TS_OK;
}

int ts_train(ts_network *network, const ts_data *data, const int32_t *order, int64_t n_batches,
             const ts_numbers *numbers, int n_threads, ts_interrupt *interrupt, void *context, double *loss,
             double *weight) {
    const size_t batch_size = (size_t)network->plan.config.batch_size;
    training t = {
        .network = network, .data = data, .order = order, .n_batches = n_batches, .numbers = *numbers,
        .interrupt = interrupt, .context = context, .asked = seconds(), .loss_sum = *loss, .weight_sum = *weight,
    };
    t.status = make_lanes(network);
    t.window = malloc(2 * batch_size * sizeof *t.window);
    if (!t.window || t.status != TS_OK) {
        free(t.window);
        return TS_NO_MEMORY;
    }
    t.slot = t.window + batch_size;
    run_team(train_member, &t, n_threads < TS_LANES ? n_threads : TS_LANES);
    network->is_packed = 0;
    free(t.window);
    *loss = t.loss_sum;
    *weight = t.weight_sum;
    return atomic_load(&t.interrupted) ? TS_INTERRUPTED : t.status;
}

/* --------------------------------------------------------------------------------------------------- prediction -- */

typedef struct {
    ts_network *network;
    const ts_data *data;
    int64_t start, stop;
    float *out;
    ts_work *works;
} prediction;

/* A window's outputs, from segment-major to its own row; NaN where there was nothing to read. */
static void copy_outputs(const ts_plan *plan, const ts_work *work, ptrdiff_t row, float *out) {
    const ptrdiff_t n_outputs = plan->config.n_outputs;
    for (ptrdiff_t head = 0; head < plan->n_heads; head++, out += n_outputs) {
        if (plan->config.sequence && head < work->first[row]) {
            for (ptrdiff_t k = 0; k < n_outputs; k++) out[k] = NAN;
        } else {
            memcpy(out, work->y + (head * work->n + row) * plan->outputs, (size_t)n_outputs * sizeof *out);
        }
    }
}

static void predict_member(team *group, int me, void *context) {
    prediction *p = context;
    const ts_plan *plan = &p->network->plan;
    const int64_t n_values = plan->n_heads * plan->config.n_outputs;
    ts_work *work = &p->works[me];
    for (int64_t first = p->start + me * work->capacity; first < p->stop; first += group->size * work->capacity) {
        work->n = p->stop - first < work->capacity ? (ptrdiff_t)(p->stop - first) : work->capacity;
        for (ptrdiff_t row = 0; row < work->n; row++) work->window[row] = first + row;
        p->network->kernels->infer(plan, p->network->theta, p->network->packed, p->data, work);
        for (ptrdiff_t row = 0; row < work->n; row++) {
            copy_outputs(plan, work, row, p->out + (first - p->start + row) * n_values);
        }
    }
}

int ts_predict(ts_network *network, const ts_data *data, int64_t start, int64_t stop, int n_threads, float *out) {
    ts_work works[TS_MAX_THREADS];
    const ptrdiff_t limit = network->plan.predict_rows;
    const ptrdiff_t rows = stop - start < limit ? (ptrdiff_t)(stop - start) : limit;
    const int64_t passes = rows ? (stop - start + rows - 1) / rows : 0;
    int size = n_threads > TS_MAX_THREADS ? TS_MAX_THREADS : n_threads;
    if (size > passes) size = (int)passes;
    if (size < 1) return TS_OK;
    int made = 0;
    while (made < size && ts_work_make(&works[made], &network->plan, rows, 0) == TS_OK) made++;
    if (made) {
        if (!network->is_packed) network->kernels->pack(&network->plan, network->theta, network->packed, 0, 1);
        network->is_packed = 1;
        prediction p = {network, data, start, stop, out, works};
        run_team(predict_member, &p, made);
    }
    for (int i = 0; i < made; i++) ts_work_free(&works[i]);
    return made ? TS_OK : TS_NO_MEMORY;
}
