/* The native engine as its binding sees it: networks, data, training steps and predictions.
 *
 * A network is made from a configuration whose sizes the caller has checked (see `Network` in _core.pyx). Weights
 * and the optimiser's moments pass through here as one flat array in Keras's order. Nothing here knows Python.
 */
#ifndef TSRNN_ENGINE_H
#define TSRNN_ENGINE_H

#include <stdint.h>

#define TS_MAX_LAYERS 16
#define TS_MAX_MOMENTS 2
#define TS_MAX_THREADS 8
#define TS_MAX_QUANTILES 128

enum { TS_TANH, TS_SOFTSIGN };
enum { TS_MSE, TS_MAE, TS_HUBER, TS_PINBALL, TS_GAUSSIAN, TS_STUDENT_T };
enum { TS_ADAM, TS_ADAMW, TS_RMSPROP, TS_ADAGRAD, TS_SGD };
enum { TS_OK, TS_NO_MEMORY, TS_BAD_ROW, TS_TOO_LARGE, TS_INTERRUPTED };

typedef struct {
    int32_t cell;            /* its place in ts_kinds */
    int32_t activation, loss, optimizer, nesterov;
    int32_t n_layers, directions, units[TS_MAX_LAYERS];
    int64_t n_steps, segment, n_features, n_indicators, n_outputs;
    int64_t n_targets;       /* n_outputs / the parameters of a target, which are the outer axis of the outputs */
    int64_t batch_size;      /* 0: a network for prediction only */
    int32_t n_quantiles;     /* of the pinball loss */
    float quantiles[TS_MAX_QUANTILES];
    const int32_t *indicators;
    int32_t sequence;        /* an output for each segment, not only for the last */
    int32_t static_unread;   /* the static channels are not read as inputs */
    int64_t n_static;        /* channels whose values at the last step set the initial state */
    const int32_t *statics;
    int32_t carried;         /* the initial states come from ts_data, and the final ones go there */
    float momentum, recurrent_dropout;
} ts_config;

/* Windows of one series; all arrays are C-contiguous, and their contents are checked by the binding. */
typedef struct {
    const float *series32;   /* (n_rows, n_features), or NULL if there is an offset */
    const double *series64;  /* (n_rows, n_features), with an offset */
    const double *offset;    /* (n_windows, n_features) */
    const double *scale;     /* (n_windows, n_features), with an offset, or NULL; divides what the offset leaves */
    const int32_t *starts;   /* (n_windows,) */
    const int32_t *lead;     /* (n_windows,) */
    const float *means;      /* (n_features,) */
    const float *y;          /* (n_windows, n_targets), NaN where there is no target; of a sequence, by segment */
    const float *weight;     /* (n_windows,) */
    int64_t n_windows;
    float *states;           /* (n_rows, n_carried): of each layer h, LSTM: and c. Read and written by carried networks */
    const int32_t *carry;    /* (n_windows,): each window's row of them; windows of one pass must have rows of their own */
} ts_data;

typedef struct {
    float learning_rate, l1, l2, clipnorm, dropout, weight_decay;
} ts_numbers;

typedef struct ts_network ts_network;

/* Name of the n-th instruction set that was compiled in, widest first, or NULL; and whether this processor has it. */
const char *ts_isa_name(int n);
int ts_isa_supported(int n);

/* Name of the n-th cell, as ts_config counts them; NULL beyond the last. */
const char *ts_cell_name(int n);

/* Make a network for the n-th instruction set. Returns TS_OK and the network, or an error. */
int ts_create(const ts_config *config, int isa, ts_network **network);
void ts_destroy(ts_network *network);

int64_t ts_n_parameters(const ts_network *network);
int64_t ts_n_carried(const ts_network *network);   /* floats of a window's states; 0: they are not carried */
int ts_n_moments(const ts_network *network);   /* arrays of moments that the optimiser keeps for each weight */

/* which: -1 for the weights, else the number of the moments. */
void ts_set(ts_network *network, int which, const float *values);
void ts_get(const ts_network *network, int which, float *values);
/* Steps that the optimiser has made, and the seed of the dropout masks with the steps drawn from it. */
void ts_set_clock(ts_network *network, int64_t iterations, uint64_t seed, uint64_t drawn);
int64_t ts_iterations(const ts_network *network);

/* Asked now and then, on the calling thread, whether to stop: nonzero abandons the present step. */
typedef int ts_interrupt(void *context);

/* One step of the optimiser for each of the n_batches rows of `order` (n_batches, batch_size). What `loss` and `weight`
 * hold before is added to: sums must not depend on how steps are shared out among calls. */
int ts_train(ts_network *network, const ts_data *data, const int32_t *order, int64_t n_batches,
             const ts_numbers *numbers, int n_threads, ts_interrupt *interrupt, void *context, double *loss,
             double *weight);

/* Predictions (stop - start, n_outputs) of the windows start..stop-1; of a sequence (stop - start, n_segments, n_outputs),
 * NaN where a segment is empty. */
int ts_predict(ts_network *network, const ts_data *data, int64_t start, int64_t stop, int n_threads, float *out);

#endif
