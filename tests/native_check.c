/* The native engine checked without Python: predictions and gradients of small networks, on every instruction set that
 * this processor has, against a slow loop in double precision and its finite differences. See .ci/portable.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "engine.h"

enum { N_WINDOWS = 7, N_STEPS = 5, N_FEATURES = 3, N_OUTPUTS = 2, MAX_WIDTH = 64, MAX_PARAMETERS = 4096 };

static double uniform(double scale) { /* xorshift (Marsaglia, 2003): the same numbers on every system */
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return scale * (2 * ((double)(state >> 11) / 9007199254740992.0) - 1);
}

/* ------------------------------------------------------------------------------------------------- the slow loop -- */

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static double squash(const ts_config *config, double x) {
    return config->activation == TS_SOFTSIGN ? x / (1 + fabs(x)) : tanh(x);
}

static int count_gates(const ts_config *config) {
    return config->cell == TS_lstm ? 4 : config->cell == TS_gru ? 3 : 1;
}

/* One step of one cell, with weights in Keras's layout: kernel, recurrent kernel, bias (GRU: of each product). */
static void step(const ts_config *config, const double *w, int inputs, int units, const double *x, double *h,
                 double *c) {
    const int columns = count_gates(config) * units;
    const double *u = w + inputs * columns, *bias = u + units * columns;
    double from_x[4 * MAX_WIDTH], from_h[4 * MAX_WIDTH];
    for (int j = 0; j < columns; j++) {
        from_x[j] = bias[j];
        from_h[j] = config->cell == TS_gru ? bias[columns + j] : 0;
        for (int k = 0; k < inputs; k++) from_x[j] += x[k] * w[k * columns + j];
        for (int k = 0; k < units; k++) from_h[j] += h[k] * u[k * columns + j];
    }
#define GATE(g) (from_x[(g) * units + j] + from_h[(g) * units + j])
    for (int j = 0; j < units; j++) {
        if (config->cell == TS_lstm) {
            c[j] = sigmoid(GATE(1)) * c[j] + sigmoid(GATE(0)) * squash(config, GATE(2));
            h[j] = sigmoid(GATE(3)) * squash(config, c[j]);
        } else if (config->cell == TS_gru) {
            const double z = sigmoid(GATE(0)), r = sigmoid(GATE(1));
            h[j] = z * h[j] + (1 - z) * squash(config, from_x[2 * units + j] + r * from_h[2 * units + j]);
        } else {
            h[j] = squash(config, GATE(0));
        }
    }
#undef GATE
}

static void slow_predict(const ts_config *config, const double *w, const ts_data *data, int window, double *y) {
    double x[N_STEPS][MAX_WIDTH], out[N_STEPS][MAX_WIDTH], top[MAX_WIDTH];
    int inputs = N_FEATURES;
    for (int t = 0; t < N_STEPS; t++) {
        for (int j = 0; j < inputs; j++) x[t][j] = data->series32[(data->starts[window] + t) * N_FEATURES + j];
    }
    for (int layer = 0; layer < config->n_layers; layer++) {
        const int units = config->units[layer], biases = config->cell == TS_gru ? 2 : 1;
        for (int direction = 0; direction < config->directions; direction++) {
            double h[MAX_WIDTH] = {0}, c[MAX_WIDTH] = {0};
            for (int i = 0; i < N_STEPS; i++) {
                const int t = direction ? N_STEPS - 1 - i : i;
                if (t >= data->lead[window]) step(config, w, inputs, units, x[t], h, c); /* else the state is held */
                memcpy(&out[t][direction * units], h, (size_t)units * sizeof *h);
            }
            memcpy(&top[direction * units], h, (size_t)units * sizeof *h);
            w += (inputs + units + biases) * count_gates(config) * units;
        }
        inputs = config->directions * units;
        memcpy(x, out, sizeof x);
    }
    for (int k = 0; k < N_OUTPUTS; k++) {
        y[k] = w[inputs * N_OUTPUTS + k];
        for (int j = 0; j < inputs; j++) y[k] += top[j] * w[j * N_OUTPUTS + k];
    }
}

/* Weighted mean of the squared errors over all windows. */
static double slow_loss(const ts_config *config, const double *w, const ts_data *data) {
    double loss = 0, weight = 0;
    for (int window = 0; window < N_WINDOWS; window++) {
        double y[N_OUTPUTS];
        slow_predict(config, w, data, window, y);
        for (int k = 0; k < N_OUTPUTS; k++) {
            const double error = y[k] - data->y[window * N_OUTPUTS + k];
            loss += data->weight[window] * error * error;
            weight += data->weight[window];
        }
    }
    return loss / weight;
}

/* ----------------------------------------------------------------------------------------------------- the check -- */

static int failures = 0;

static void expect(const char *what, const char *of, double got, double wanted, double tolerance) {
    if (fabs(got - wanted) <= tolerance * (1 + fabs(wanted))) return; /* NaN is not */
    failures++;
    printf("%s, %s: got %.9g, expected %.9g\n", of, what, got, wanted);
}

static ts_network *make_network(const ts_config *config, int isa, const float *weights) {
    ts_network *network = NULL;
    if (ts_create(config, isa, &network) != TS_OK || ts_n_parameters(network) > MAX_PARAMETERS) {
        printf("the network could not be made\n");
        exit(1);
    }
    if (weights) ts_set(network, -1, weights);
    return network;
}

static void check(const ts_config *config, int isa, const ts_data *data, const char *name) {
    static float weights[MAX_PARAMETERS], after[2][MAX_PARAMETERS];
    static double w[MAX_PARAMETERS];
    ts_network *network = make_network(config, isa, NULL);
    const int64_t n = ts_n_parameters(network);
    for (int64_t i = 0; i < n; i++) w[i] = weights[i] = (float)uniform(0.5);
    ts_set(network, -1, weights);

    float out[N_WINDOWS * N_OUTPUTS];
    if (ts_predict(network, data, 0, N_WINDOWS, 2, out) != TS_OK) failures++;
    for (int window = 0; window < N_WINDOWS; window++) {
        double y[N_OUTPUTS];
        slow_predict(config, w, data, window, y);
        for (int k = 0; k < N_OUTPUTS; k++) expect("prediction", name, out[window * N_OUTPUTS + k], y[k], 2e-6);
    }
    ts_destroy(network);

    /* one step of plain gradient descent with rate 1 moves the weights by their gradient */
    const ts_numbers numbers = {.learning_rate = 1, .clipnorm = INFINITY};
    const int32_t order[N_WINDOWS + 1] = {3, 0, 6, -1, 2, 5, 1, 4};
    for (int n_threads = 1; n_threads <= 2; n_threads++) {
        double loss = 0, weight = 0;
        network = make_network(config, isa, weights);
        if (ts_train(network, data, order, 1, &numbers, n_threads, NULL, NULL, &loss, &weight) != TS_OK) failures++;
        ts_get(network, -1, after[n_threads - 1]);
        ts_destroy(network);
        expect("loss", name, loss / weight, slow_loss(config, w, data), 1e-6);
    }
    if (memcmp(after[0], after[1], (size_t)n * sizeof(float)) != 0) {
        failures++;
        printf("%s: one thread and two do not agree bit for bit\n", name);
    }
    for (int64_t i = 0; i < n; i += n > 1000 ? 13 : 2) { /* the slow loop is slow, all the more in an emulator */
        const double kept = w[i], h = 1e-5;
        w[i] = kept + h;
        const double above = slow_loss(config, w, data);
        w[i] = kept - h;
        const double below = slow_loss(config, w, data);
        w[i] = kept;
        expect("gradient", name, (double)weights[i] - after[0][i], (above - below) / (2 * h), 2e-6);
    }
}

int main(void) {
    static const char *const cells[] = {"lstm", "gru", "simple_rnn"}, *const activations[] = {"tanh", "softsign"};
    static const int32_t units[2][2] = {{5, 3}, {18, 0}}; /* less than a vector, in two layers; more than one */
    float series[N_WINDOWS * N_STEPS * N_FEATURES], y[N_WINDOWS * N_OUTPUTS], weight[N_WINDOWS];
    const float means[N_FEATURES] = {0};
    int32_t starts[N_WINDOWS], lead[N_WINDOWS];
    for (int i = 0; i < N_WINDOWS * N_STEPS * N_FEATURES; i++) series[i] = (float)uniform(2);
    for (int i = 0; i < N_WINDOWS * N_OUTPUTS; i++) y[i] = (float)uniform(2);
    for (int i = 0; i < N_WINDOWS; i++) {
        starts[i] = i * N_STEPS;
        weight[i] = (float)(1.5 + uniform(1));
    }
    for (int isa = 0; ts_isa_name(isa); isa++) {
        if (!ts_isa_supported(isa)) continue;
        const int before = failures;
        for (int i = 0; i < 3 * 2 * 2 * 2 * 2; i++) {
            ts_config config = {
                .cell = i % 3, .activation = i / 3 % 2, .directions = 1 + i / 6 % 2,
                .loss = TS_MSE, .optimizer = TS_SGD, .n_steps = N_STEPS, .segment = 1, .n_features = N_FEATURES,
                .n_outputs = N_OUTPUTS, .n_targets = N_OUTPUTS, .batch_size = N_WINDOWS + 1,
            };
            const int ragged = i / 12 % 2, wide = i / 24;
            config.n_layers = wide ? 1 : 2;
            memcpy(config.units, units[wide], sizeof units[wide]);
            for (int window = 0; window < N_WINDOWS; window++) lead[window] = ragged ? window % (N_STEPS + 1) : 0;
            const ts_data data = {
                .series32 = series, .starts = starts, .lead = lead, .means = means, .y = y, .weight = weight,
                .n_windows = N_WINDOWS,
            };
            char name[128];
            snprintf(name, sizeof name, "%s %s %s%s%s%s", ts_isa_name(isa), cells[config.cell],
                     activations[config.activation], config.directions == 2 ? " bidirectional" : "",
                     ragged ? " ragged" : "", wide ? " wide" : "");
            check(&config, isa, &data, name);
        }
        printf("%s: %s\n", ts_isa_name(isa), failures == before ? "passed" : "FAILED");
    }
    return failures != 0;
}
