/* The recurrent cells. A cell is a line of the list, a row of the table, which says what its layout in memory depends on,
 * and a header in cells/ with its arithmetic; nothing else asks which cell it is.
 *
 * Included twice where kernels are compiled: by the plan, and with CELL_KERNELS defined once the products are there.
 */
#ifndef TSRNN_CELLS_H
#define TSRNN_CELLS_H

/* Names as NetworkSpec has them. */
#define TS_CELLS(X) X(lstm) X(gru) X(simple_rnn)
#define TS_PLACE(name) TS_##name,
enum { TS_CELLS(TS_PLACE) TS_N_CELLS };

typedef struct {
    int gates;               /* blocks of `units` columns in Keras's kernels */
    int biases;              /* rows of Keras's bias: a second one is the recurrent product's own */
    int states;              /* h, or h and c */
    int masks;               /* gates whose recurrent product has a dropout mask of its own, as in Keras's cells */
    int vectors;             /* in a panel of gates, of the same units; 0: a panel holds units of the one gate */
    int recurrent_from;      /* vector of the gates where those with a recurrent product begin */
    int flows_past;          /* whether h' reads h beside the recurrent product */
    int input[4], recurrent[4];  /* vector of each of Keras's gates in a panel of W and of U */
} ts_kind;

static const ts_kind ts_kinds[] = {
    [TS_lstm] = {.gates = 4, .biases = 1, .states = 2, .masks = 4, .vectors = 4,
                 .input = {0, 1, 2, 3}, .recurrent = {0, 1, 2, 3}},
    /* Keras's z, r, h in [h z r]; the recurrent side keeps [z r h]; h' = z h + ... */
    [TS_gru] = {.gates = 3, .biases = 2, .states = 1, .masks = 3, .vectors = 4, .recurrent_from = 1, .flows_past = 1,
                .input = {1, 2, 0}, .recurrent = {0, 1, 2}},
    [TS_simple_rnn] = {.gates = 1, .biases = 1, .states = 1, .masks = 1},
};

#endif

#ifdef CELL_KERNELS
#include "cells/lstm.h"
#include "cells/gru.h"
#include "cells/simple_rnn.h"

#define FUNCTIONS_OF(name) name##_functions,
static const cell_functions *const FUNCTIONS[] = {TS_CELLS(FUNCTIONS_OF)};
#endif
