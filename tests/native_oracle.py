"""The equations of networks and losses in float64, one step at a time for all windows."""

import itertools

import numpy as np
from scipy import stats


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softsign(x):
    return x / (1 + np.abs(x))


def lstm_step(x, h, c, kernel, recurrent, bias, act):
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * act(g)
    return sigmoid(o) * act(c), c


def gru_step(x, h, c, kernel, recurrent, bias, act):
    xz, xr, xh = np.split(x @ kernel + bias[0], 3, axis=1)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3, axis=1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return z * h + (1 - z) * act(xh + r * hh), c


def simple_rnn_step(x, h, c, kernel, recurrent, bias, act):
    return act(x @ kernel + h @ recurrent + bias), c


STEPS = {"lstm": lstm_step, "gru": gru_step, "simple_rnn": simple_rnn_step}


def slow_layer(spec, xs, full, weights, states=None):
    """States after each step; where a segment is not full of anything, the state stays."""
    act = {"tanh": np.tanh, "softsign": softsign}[spec.activation]
    h, c = states or [np.zeros((len(xs[0]), len(weights[1])))] * 2
    states = []
    for x, known in zip(xs, full, strict=True):
        new_h, new_c = STEPS[spec.cell](x, h, c, *weights, act)
        h, c = np.where(known, new_h, h), np.where(known, new_c, c)
        states.append(h)
    return states


def slow_initial_states(spec, X, lead, kernel, bias):
    """(h, c) of each layer and direction, from the static channels at the last step; zero for an empty window."""
    n, n_steps, _ = X.shape
    flat = np.where((lead < n_steps)[:, None], X[:, -1, list(spec.static)] @ kernel + bias, 0)
    for units in spec.units:
        for _ in range(spec.directions):
            h, flat = flat[:, :units], flat[:, units:]
            c = h
            if spec.cell == "lstm":
                c, flat = flat[:, :units], flat[:, units:]
            yield h, c
    assert flat.shape == (n, 0)


def slow_forward(spec, X, lead, weights):
    """Predictions for filled windows X (n, T, C) with `lead` empty steps each, in float64."""
    n, n_steps, _ = X.shape
    weights = [values.astype(float) for values in weights]
    initial = itertools.repeat(None)
    if spec.static:
        initial, weights = slow_initial_states(spec, X, lead, *weights[:2]), weights[2:]
    if spec.static_to == "state":
        X = np.delete(X, spec.static, axis=2)
    padding = spec.n_segments(n_steps) * spec.segment - n_steps
    X = np.where((np.arange(n_steps) >= lead[:, None])[..., None], X, 0)
    # (n, T, C) -> (S, n, segment * C)
    X = np.concatenate([np.zeros((n, padding, X.shape[2])), X], axis=1)
    xs = list(X.reshape(n, spec.n_segments(n_steps), -1).swapaxes(0, 1))
    first = np.where(lead > 0, (lead + padding) // spec.segment, 0)
    full = [(segment >= first)[:, None] for segment in range(len(xs))]
    for _ in spec.units:
        forward = slow_layer(spec, xs, full, weights[:3], next(initial))
        weights = weights[3:]
        if spec.bidirectional:
            backward = slow_layer(spec, xs[::-1], full[::-1], weights[:3], next(initial))[::-1]
            weights = weights[3:]
            last = np.concatenate([forward[-1], backward[0]], axis=1)
            xs = [np.concatenate(pair, axis=1) for pair in zip(forward, backward, strict=True)]
        else:
            xs, last = forward, forward[-1]
    if spec.head == "last":
        return last @ weights[0] + weights[1]
    outputs = [np.where(known, x @ weights[0] + weights[1], np.nan) for x, known in zip(xs, full, strict=True)]
    return np.stack(outputs, axis=1)


QUANTILES = (0.05, 0.5, 0.9)
PARAMETERS = {"pinball": len(QUANTILES), "gaussian": 2, "student_t": 3}


def slow_losses(loss, parameters, y):
    """Loss of each target (n, K) from its parameters (P, n, K); SciPy knows the densities."""
    if loss == "pinball":
        errors = [(q, y - forecast) for q, forecast in zip(QUANTILES, parameters, strict=True)]
        return sum(np.where(error > 0, q * error, (q - 1) * error) for q, error in errors) / len(QUANTILES)
    if loss in ("gaussian", "student_t"):
        scale = 0.001 + np.log(1 + np.exp(parameters[1]) * np.expm1(0.999))
        if loss == "gaussian":
            return -stats.norm.logpdf(y, parameters[0], scale)
        return -stats.t.logpdf(y, 2 + np.log(1 + np.exp(parameters[2]) * np.expm1(3)), parameters[0], scale)
    error = parameters[0] - y
    size = np.abs(error)
    return {"mse": error**2, "mae": size, "huber": np.where(size <= 1, error**2 / 2, size - 0.5)}[loss]


def finite_differences(loss, weights, step=1e-6):
    """Central differences of a loss in float64."""
    weights = [values.astype(float) for values in weights]
    gradients = []
    for values in weights:
        gradient = np.empty_like(values)
        for index in np.ndindex(values.shape):
            kept = values[index]
            values[index] = kept + step
            above = loss(weights)
            values[index] = kept - step
            below = loss(weights)
            values[index] = kept
            gradient[index] = (above - below) / (2 * step)
        gradients.append(gradient)
    return gradients
