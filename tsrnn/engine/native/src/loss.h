/* What a network is trained on: the loss of a single target. */
#ifndef TSRNN_LOSS_H
#define TSRNN_LOSS_H

#include "engine.h"

/* The loss of the known target y. A target's parameters, one for a point forecast, lie n_targets apart: raw[0],
 * raw[n_targets], ...; the derivatives by them are written to the same places of d. */
double ts_loss(const ts_config *config, const float *raw, float y, float *d);

#endif
