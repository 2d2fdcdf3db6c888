"""The arithmetic limit: windows per second if training cost only its matrix products, at the rate of NumPy's BLAS."""

import os
import sys

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # set before NumPy is imported: one product per thread, as many as threads

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from protocol import serve

BLOCKS = {"lstm": 4, "gru": 3}
N_THREADS = int(sys.argv[1])


def multiply_adds(case):
    """Of one window: forward, gradient of the state, gradient of the weights; the first inputs have no gradient."""
    directions = 2 if case.bidirectional else 1
    width, total = case.n_features, 0
    for layer in range(case.layers):
        products = 3 * case.units + (2 if layer == 0 else 3) * width
        total += directions * BLOCKS[case.cell] * case.units * products
        width = directions * case.units
    return case.n_steps * total


def make_training(case):
    rng = np.random.default_rng(0)
    columns = BLOCKS[case.cell] * case.units
    pairs = [
        (rng.normal(size=(case.batch_size, case.units)), rng.normal(size=(case.units, columns)))
        for _ in range(N_THREADS)
    ]
    pairs = [(a.astype(np.float32), b.astype(np.float32), np.empty((len(a), columns), np.float32)) for a, b in pairs]
    n_products = case.n_windows * multiply_adds(case) / (case.batch_size * case.units * columns * N_THREADS)

    def products(pair, epochs):
        a, b, out = pair
        for _ in range(round(n_products * epochs)):
            np.matmul(a, b, out=out)

    pool = ThreadPoolExecutor(N_THREADS)
    return lambda epochs: list(pool.map(products, pairs, [epochs] * N_THREADS))


if __name__ == "__main__":
    serve(make_training, "numpy")
