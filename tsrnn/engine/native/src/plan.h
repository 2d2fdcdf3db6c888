/* How a network lies in memory. Shared by the plan, which is made once, and the kernels, which are compiled once for
 * each instruction set.
 *
 * Everything is padded to whole vectors of `vl` floats. Units that only pad have zero weights, so their states and
 * gradients are exactly zero, and no kernel needs a scalar tail.
 *
 * Matrices K x N are packed in panels of `wide` vectors of columns: panel p is K rows of wide * vl floats, one after
 * the other. Of a recurrent cell, a panel holds all gates of the same vl units:
 *
 *     LSTM     W, U: [i f c o]                                  gates: [i f c o]
 *     GRU      W: [h z r]   U: [z r h]                          gates: [xh z r rh], xh = W_h x + b, rh = U_h h + b
 *     Elman    W, U: `wide` vectors of units                    gates: the same
 *
 * so that the nonlinearity finds what it needs in one place; GRU's W and U each cover three neighbouring vectors of
 * the four. Gates of one step are stored panel by panel: (panels, rows, gate_wide * vl). The gradient of a matrix
 * lies as the matrix itself, and so do the optimiser's moments; only products with a transposed matrix need a packed
 * copy, made once a step.
 *
 * The dense layers that set the initial states from the static channels are one matrix, with a column for each unit of
 * each state, padding included.
 */
#ifndef TSRNN_PLAN_H
#define TSRNN_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "engine.h"

#define TS_LANES 2     /* parts of a batch with gradients of their own; fixed, so that sums do not depend on threads */
#define TS_NORM_BLOCK 4096

typedef struct {                  /* one direction of one layer */
    ptrdiff_t units, padded;      /* H, and H rounded up to whole panels */
    ptrdiff_t inputs;             /* K: floats in a row of the layer's input */
    ptrdiff_t panels, wide, gate_wide;
    ptrdiff_t initial;            /* column of h's first unit among the initial states; LSTM: c's follow */
    ptrdiff_t carried;            /* column of h's first unit among the carried states, which have no padding */
    ptrdiff_t w, u, b;            /* offsets in the parameters; GRU: b of the input, then b of the recurrent product */
    ptrdiff_t wt, ut, bias;       /* offsets in the packed copies: W', U', and the bias of the gates */
} ts_cell;

typedef struct {                  /* a stretch of the parameters that l1 and l2 penalise */
    ptrdiff_t start, stop;
} ts_range;

typedef struct {
    ts_config config;
    const ts_kind *kind;                       /* of the cells */
    int32_t *indicators, *statics;
    int32_t *inputs;                           /* (n_inputs,): channels that are read at each step */
    ptrdiff_t vl;
    ptrdiff_t n_segments, padding;             /* padding: empty steps before the first, partial segment */
    ptrdiff_t n_channels;                      /* features and indicators */
    ptrdiff_t n_inputs;
    ptrdiff_t n_heads;                         /* segments that have outputs: all, or the last */
    ts_cell cells[TS_MAX_LAYERS][2];
    ptrdiff_t top;                             /* floats in the last layer's state, both directions */
    ptrdiff_t outputs;                         /* n_outputs rounded up to whole vectors */
    ptrdiff_t head, head_bias, head_t;
    ptrdiff_t n_states;                        /* floats of a window's initial states; 0: they are zero */
    ptrdiff_t n_carried;                       /* floats of a window's carried states */
    ptrdiff_t state, state_bias;
    ptrdiff_t n_internal, n_packed, n_parameters;
    int32_t *place;                            /* (n_parameters,): where a weight of Keras's order lies */
    ts_range kernels[TS_MAX_LAYERS * 4 + 2];
    int n_kernels;
    ptrdiff_t widest;                          /* largest `padded` of all layers */
    ptrdiff_t slice_rows, predict_rows;        /* windows of one pass */
} ts_plan;

typedef struct {
    float *h;      /* (n_segments + 1, rows, padded); prediction of a last state: two in turn */
    float *c;      /* LSTM: as h; prediction: two in turn */
    float *gates;  /* (n_segments, panels, rows, gate_wide * vl); prediction: one step */
    float *mask;   /* recurrent dropout: (gates with a mask of their own, rows, padded) */
} ts_tape;

typedef struct {                  /* what one pass over at most `capacity` windows needs */
    void *memory;
    ptrdiff_t capacity, n;        /* n: windows of the present pass */
    int training;
    float *input[TS_MAX_LAYERS], *d_input[TS_MAX_LAYERS];   /* (n_segments, rows, inputs) */
    ts_tape tape[TS_MAX_LAYERS][2];
    float *dh, *dc, *kept_h, *kept_c;                       /* (rows, widest) */
    float *masked, *product;                                /* recurrent dropout */
    float *state, *d_state;                                 /* (n_heads, rows, top) */
    float *y, *dy;                                          /* (n_heads, rows, outputs) */
    float *channels;                                        /* (n_channels,): of one step */
    float *statics;                                         /* (rows, n_static) */
    float *initial, *d_initial;                             /* (rows, n_states) */
    float *grad;                                            /* (n_internal,) */
    float *d_bias;                                          /* (panels, gate_wide * vl) of one cell */
    int64_t *window;                                        /* (rows,): number of the window */
    int64_t *slot;                                          /* (rows,): place in the batch, which dropout is drawn by */
    int32_t *first;                                         /* (rows,): first segment that is not empty */
    ptrdiff_t begin;                                        /* the smallest `first`: segments before it are skipped */
    int ragged;                                             /* whether some `first` differs from it */
    double loss;
} ts_work;

typedef struct {                  /* the numbers of one training step */
    ts_numbers numbers;
    float d_scale;                /* 1 / total weight of the batch */
    uint64_t seed;                /* of this step's dropout masks */
} ts_step;

typedef struct {                  /* constants of the optimiser's formula in one step */
    ts_numbers numbers;
    float clip, alpha;
} ts_update;

typedef struct {
    const char *name;
    int vl;
    /* Pack the transposed copies and the gate biases, part `part` of `parts`. */
    void (*pack)(const ts_plan *plan, const float *theta, float *packed, int part, int parts);
    /* Forward and backward for the windows in `work`; adds to work->grad and work->loss. */
    void (*learn)(const ts_plan *plan, const float *theta, const float *packed, const ts_data *data,
                  const ts_step *step, ts_work *work);
    /* Forward only; fills work->y. */
    void (*infer)(const ts_plan *plan, const float *theta, const float *packed, const ts_data *data, ts_work *work);
    /* grad[0][start..stop) = sum of all lanes' gradients + penalties; returns the sum of squares. */
    double (*gather)(const ts_plan *plan, const float *theta, float *const *grad, int lanes, const ts_numbers *numbers,
                     ptrdiff_t start, ptrdiff_t stop);
    void (*update)(const ts_plan *plan, float *theta, float *const *moments, const float *grad, const ts_update *update,
                   ptrdiff_t start, ptrdiff_t stop);
} ts_kernels;

extern const ts_kernels ts_kernels_base;
#if defined(__x86_64__)
extern const ts_kernels ts_kernels_avx2;
extern const ts_kernels ts_kernels_avx512;
#endif

int ts_plan_make(ts_plan *plan, const ts_config *config, ptrdiff_t vl);
void ts_plan_free(ts_plan *plan);
int ts_work_make(ts_work *work, const ts_plan *plan, ptrdiff_t rows, int training);
void ts_work_free(ts_work *work);
void *ts_align(void *memory);   /* the first cache line in a piece of memory that has room for one more */

#endif
