/* The losses of one target, and their derivatives by the numbers that the network gives out for it. Double precision:
 * a few logarithms for each target are little beside the network. */
#include "loss.h"

#include <math.h>

static const double SCALE_SHIFT = 0.539742417236952;    /* softplus(SCALE_SHIFT) = 1 - SCALE_FLOOR */
static const double SCALE_FLOOR = 1e-3;
static const double FREEDOM_SHIFT = 2.9489308190572983; /* softplus(FREEDOM_SHIFT) = 3 */
static const double HALF_LOG_2PI = 0.91893853320467274;

/* log(1 + e^x), which is x where e^x would overflow, and its derivative. */
static double softplus(double x, double *derivative) {
    *derivative = 1 / (1 + exp(-x));
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* log Gamma(x + 1/2) - log Gamma(x) for x >= 1, by the recurrence up to x + 4 and from there by the difference of two
 * Stirling series (DLMF, eq. 5.5.1 and 5.11.8); absolute error 1e-9. */
static double log_gamma_ratio(double x, double *derivative) {
    double product = 1, sum = 0;
    for (int i = 0; i < 4; i++) {
        product *= (x + i) / (x + i + 0.5);
        sum += 1 / (x + i) - 1 / (x + i + 0.5);
    }
    const double up = x + 4, u = 1 / up, u2 = u * u;
    *derivative = sum + u / 2 + u2 * (1.0 / 8 - u2 * (1.0 / 64 - u2 * (1.0 / 128 - u2 * (17.0 / 2048))));
    return log(product * sqrt(up)) - u * (1.0 / 8 - u2 * (1.0 / 192 - u2 * (1.0 / 640 - u2 * (17.0 / 14336))));
}

/* Mean over the quantiles t of max(t (y - q), (t - 1)(y - q)) (Koenker and Bassett, 1978). */
static double pinball(const ts_config *config, const float *raw, float y, float *d) {
    double sum = 0;
    for (int i = 0; i < config->n_quantiles; i++) {
        const float error = y - raw[i * config->n_targets];
        const float slope = error >= 0.0f ? config->quantiles[i] : config->quantiles[i] - 1.0f;
        sum += (double)slope * (double)error;
        d[i * config->n_targets] = -slope / (float)config->n_quantiles;
    }
    return sum / config->n_quantiles;
}

/* -log density of N(m, s^2): 1/2 log 2 pi + log s + z^2 / 2, z = (m - y) / s. */
static double gaussian(const ts_config *config, const float *raw, float y, float *d) {
    double slope;
    const double s = SCALE_FLOOR + softplus((double)raw[config->n_targets] + SCALE_SHIFT, &slope);
    const double z = ((double)raw[0] - (double)y) / s;
    d[0] = (float)(z / s);
    d[config->n_targets] = (float)((1 - z * z) / s * slope);
    return HALF_LOG_2PI + log(s) + z * z / 2;
}

/* -log density of Student's t with v degrees of freedom, location m and scale s:
 * log Gamma(v/2) - log Gamma((v + 1)/2) + 1/2 log(pi v) + log s + (v + 1)/2 log(1 + z^2 / v), z = (m - y) / s. */
static double student_t(const ts_config *config, const float *raw, float y, float *d) {
    double s_slope, v_slope, ratio_slope;
    const double s = SCALE_FLOOR + softplus((double)raw[config->n_targets] + SCALE_SHIFT, &s_slope);
    const double v = 2 + softplus((double)raw[2 * config->n_targets] + FREEDOM_SHIFT, &v_slope);
    const double ratio = log_gamma_ratio(v / 2, &ratio_slope);
    const double z = ((double)raw[0] - (double)y) / s, z2 = z * z, tail = log1p(z2 / v);
    const double pull = (v + 1) / (v + z2);
    d[0] = (float)(pull * z / s);
    d[config->n_targets] = (float)((1 - pull * z2) / s * s_slope);
    d[2 * config->n_targets] = (float)((1 / v - ratio_slope + tail - pull * z2 / v) / 2 * v_slope);
    return HALF_LOG_2PI + log(v / 2) / 2 - ratio + log(s) + (v + 1) / 2 * tail;
}

static double huber(float error, float *derivative) { /* quadratic up to 1, then linear (Huber, 1964) */
    const float size = fabsf(error);
    if (size > 1.0f) {
        *derivative = error > 0.0f ? 1.0f : -1.0f;
        return (double)size - 0.5;
    }
    *derivative = error;
    return 0.5 * (double)error * (double)error;
}

double ts_loss(const ts_config *config, const float *raw, float y, float *d) {
    const float error = *raw - y;
    switch (config->loss) {
        case TS_PINBALL: return pinball(config, raw, y, d);
        case TS_GAUSSIAN: return gaussian(config, raw, y, d);
        case TS_STUDENT_T: return student_t(config, raw, y, d);
        case TS_HUBER: return huber(error, d);
        case TS_MAE:
            *d = error > 0.0f ? 1.0f : error < 0.0f ? -1.0f : error; /* 0 and NaN stay themselves */
            return fabsf(error);
        default:
            *d = 2.0f * error;
            return (double)error * (double)error;
    }
}
