/* The nonlinearities of cells, as vector code. */

/* e^x with a relative error of 1e-7, for x in [-87, 88]; beyond, the ends' values. NaN stays NaN. */
INLINE vf v_exp(vf x) {
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer, kept in the low bits */
    x = choose(x < -87.0f, splat(-87.0f), choose(x > 88.0f, splat(88.0f), x));
    const vf shifted = x * 1.44269504f + magic;
    const vf n = shifted - magic;
    vf r = x - n * 0.693359375f; /* r = x - n ln 2, ln 2 in two parts (Cody and Waite, 1980) */
    r = r + n * 2.12194440e-4f;
    vf p = r * 1.9875691500e-4f + 1.3981999507e-3f; /* minimax polynomial of Cephes's expf */
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r;
    p = p + 1.0f;
    return p * (vf)(((vu)shifted << 23) + (127u << 23)); /* 2^n, put together from its exponent */
}

INLINE vf sigmoid(vf x) {
    return 1.0f / (1.0f + v_exp(-x));
}

/* tanh as a rational function, a few units in the last place over the whole line (coefficients as in Eigen). */
INLINE vf v_tanh(vf x) {
    x = choose(x < -7.90531110763549805f, splat(-7.90531110763549805f), x);
    x = choose(x > 7.90531110763549805f, splat(7.90531110763549805f), x);
    const vf s = x * x;
    vf p = s * -2.76076847742355e-16f + 2.00018790482477e-13f;
    p = p * s + -8.60467152213735e-11f;
    p = p * s + 5.12229709037114e-08f;
    p = p * s + 1.48572235717979e-05f;
    p = p * s + 6.37261928875436e-04f;
    p = p * s + 4.89352455891786e-03f;
    vf q = s * 1.19825839466702e-06f + 1.18534705686654e-04f;
    q = q * s + 2.26843463243900e-03f;
    q = q * s + 4.89352518554385e-03f;
    return x * p / q;
}

INLINE vf v_abs(vf x) {
    return (vf)((vi)x & 0x7fffffff);
}

INLINE vf squash(vf x, int softsign) {
    return softsign ? x / (1.0f + v_abs(x)) : v_tanh(x);
}

/* The derivative of squash, from its value y: tanh' = 1 - y^2; softsign' = 1 / (1 + |x|)^2 = (1 - |y|)^2. */
INLINE vf slope(vf y, int softsign) {
    const vf rest = 1.0f - v_abs(y);
    return softsign ? rest * rest : 1.0f - y * y;
}
