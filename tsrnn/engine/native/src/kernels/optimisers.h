/* Gradients gathered, penalised and clipped, and the weights updated. */

static double sum_of_squares(const float *x, ptrdiff_t n) {
    double sums[8] = {0}; /* eight sums in a fixed order: the compiler may use vectors without changing the result */
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int j = 0; j < 8; j++) sums[j] += (double)x[i + j] * (double)x[i + j];
    }
    for (; i < n; i++) sums[0] += (double)x[i] * (double)x[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

static double gather(const ts_plan *plan, const float *theta, float *const *grad, int lanes,
                     const ts_numbers *numbers, ptrdiff_t start, ptrdiff_t stop) {
    float *total = grad[0];
    for (int lane = 1; lane < lanes; lane++) {
        const float *other = grad[lane];
        for (ptrdiff_t i = start; i < stop; i++) total[i] += other[i];
    }
    const float l1 = numbers->l1, l2 = 2.0f * numbers->l2;
    for (int k = 0; k < plan->n_kernels && (l1 != 0.0f || l2 != 0.0f); k++) {
        const ptrdiff_t from = plan->kernels[k].start > start ? plan->kernels[k].start : start;
        const ptrdiff_t to = min_of(plan->kernels[k].stop, stop);
        for (ptrdiff_t i = from; i < to; i++) { /* l1 sum |w| + l2 sum w^2 */
            const float sign = (float)((theta[i] > 0.0f) - (theta[i] < 0.0f));
            total[i] += l1 * sign + l2 * theta[i];
        }
    }
    return numbers->clipnorm < INFINITY ? sum_of_squares(total + start, stop - start) : 0.0;
}

/* The formulas and the constants are Keras's. */
static void update(const ts_plan *plan, float *theta_, float *const *moments, const float *grad_,
                   const ts_update *update, ptrdiff_t start, ptrdiff_t stop) {
    const ts_config *config = &plan->config;
    const float rate = update->numbers.learning_rate, clip = update->clip, alpha = update->alpha;
    const float momentum = config->momentum, epsilon = 1e-7f;
    /* apart from the gradient (Loshchilov and Hutter, 2019), and as in Keras of every weight, biases included */
    const float decay = config->optimizer == TS_ADAMW ? rate * update->numbers.weight_decay : 0.0f;
    float *restrict theta = theta_, *restrict m = moments[0], *restrict v = moments[1];
    const float *restrict grad = grad_;
    switch (config->optimizer) {
        case TS_ADAM: /* m += (g - m)(1 - b1), v += (g^2 - v)(1 - b2), w -= decay w + alpha m / (sqrt(v) + eps) */
        case TS_ADAMW:
            for (ptrdiff_t i = start; i < stop; i++) {
                const float g = grad[i] * clip;
                m[i] += (g - m[i]) * 0.1f;
                v[i] += (g * g - v[i]) * 0.001f;
                theta[i] -= decay * theta[i] + m[i] * alpha / (sqrtf(v[i]) + epsilon);
            }
            return;
        case TS_RMSPROP: /* v = 0.9 v + 0.1 g^2, w -= rate g / sqrt(v + eps) */
            for (ptrdiff_t i = start; i < stop; i++) {
                const float g = grad[i] * clip;
                m[i] = 0.9f * m[i] + 0.1f * (g * g);
                theta[i] -= rate * g / sqrtf(m[i] + epsilon);
            }
            return;
        case TS_ADAGRAD: /* a += g^2, w -= rate g / sqrt(a + eps) */
            for (ptrdiff_t i = start; i < stop; i++) {
                const float g = grad[i] * clip;
                m[i] += g * g;
                theta[i] -= rate * g / sqrtf(m[i] + epsilon);
            }
            return;
        default: /* SGD */
            if (momentum == 0.0f) {
                for (ptrdiff_t i = start; i < stop; i++) theta[i] -= grad[i] * clip * rate;
                return;
            }
            for (ptrdiff_t i = start; i < stop; i++) { /* m = mu m - rate g; w += m, or mu m - rate g (Nesterov) */
                const float g = grad[i] * clip * rate;
                m[i] = m[i] * momentum - g;
                theta[i] += config->nesterov ? m[i] * momentum - g : m[i];
            }
    }
}
