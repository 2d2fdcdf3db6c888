"""Training speed of the native engine against Keras on TensorFlow, in windows per second; interleaved, medians.

    python benchmarks/engine_probe.py [--native-only] [--rounds 5] [--threads 2] [--cell lstm]

Also prints the limit that the rate of a matrix product of the same shapes sets. W1, W2 and W3 are a small, a middle and
a larger many-to-one network with one output, Adam and squared error.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's threads would only fight with those measured

import numpy as np

from tsrnn.engine import ForwardKey, Missing, ProgramKey, TrainerKey, WindowData
from tsrnn.engine.native.program import NativeProgram, instruction_sets
from tsrnn.engine.program import Numbers
from tsrnn.networks import NetworkSpec, initial_weights

# name: steps, features, units, batch size, batches of one measurement
WORK = {"W1": (24, 1, 32, 32, 400), "W2": (96, 7, 64, 64, 30), "W3": (168, 7, 128, 128, 4)}
BLOCKS = {"lstm": 4, "gru": 3, "simple_rnn": 1}


def make(work, program_class, cell, units_of, bidirectional, **options):
    n_steps, n_features, units, batch_size, n_batches = WORK[work]
    rng = np.random.default_rng(0)
    spec = NetworkSpec(cell, units_of(units), n_features, 1, bidirectional=bidirectional)
    key = ProgramKey(ForwardKey(spec, n_steps, n_features), TrainerKey(batch_size, compiled=True))
    n_rows = 4000
    starts = np.arange(n_rows - n_steps)
    windows = WindowData(
        rng.normal(size=(n_rows, n_features)).astype(np.float32),
        starts.astype(np.int32),
        np.zeros(len(starts), np.int32),
        n_steps,
    )
    program = program_class(key, **options)
    program.load(initial_weights(spec, rng))
    program.reset_trainer(0)
    y = rng.normal(size=(len(starts), 1)).astype(np.float32)
    data = program.bind(windows, Missing(np.zeros(n_features, np.float32), ()), y, np.ones(len(starts)))
    order = rng.integers(len(starts), size=(n_batches, batch_size)).astype(np.int32)
    program.train_steps(data, order[:1], Numbers(1e-3))

    def run(n=n_batches):
        start = time.perf_counter()
        program.train_steps(data, order[:n], Numbers(1e-3))
        return n * batch_size / (time.perf_counter() - start)

    return run


def make_fit(work, cell, units_of, bidirectional):
    """Keras's own `fit`, as a tutorial writes it: dense windows, defaults."""
    import keras

    n_steps, n_features, units, batch_size, n_batches = WORK[work]
    rng = np.random.default_rng(0)
    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}[cell]
    sizes = units_of(units)
    layers = [layer(size, return_sequences=i < len(sizes) - 1) for i, size in enumerate(sizes)]
    layers = [keras.layers.Bidirectional(one) for one in layers] if bidirectional else layers
    model = keras.Sequential([keras.Input((n_steps, n_features)), *layers, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    X = rng.normal(size=(n_batches * batch_size, n_steps, n_features)).astype(np.float32)
    y = rng.normal(size=(len(X), 1)).astype(np.float32)
    model.fit(X, y, batch_size=batch_size, verbose=0)  # traces

    def run():
        start = time.perf_counter()
        model.fit(X, y, batch_size=batch_size, verbose=0)
        return len(X) / (time.perf_counter() - start)

    return run


def product_limit(work, cell):
    """Windows per second on one core if training cost only its products, at the rate of NumPy's BLAS."""
    n_steps, n_features, units, batch_size, _ = WORK[work]
    columns = BLOCKS[cell] * units
    a = np.random.default_rng(0).normal(size=(batch_size, units)).astype(np.float32)
    b = np.random.default_rng(1).normal(size=(units, columns)).astype(np.float32)
    out = np.empty((batch_size, columns), np.float32)
    np.matmul(a, b, out=out)
    repeats = 200
    start = time.perf_counter()
    for _ in range(repeats):
        np.matmul(a, b, out=out)
    rate = repeats * batch_size * units * columns / (time.perf_counter() - start)
    # forward, gradient of the state, gradient of the weights; the inputs have no gradient
    return rate / (n_steps * columns * (3 * units + 2 * n_features))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--native-only", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=None, help="of the native engine; default: its own choice")
    parser.add_argument("--cell", default="lstm", choices=BLOCKS)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--bidirectional", action="store_true")
    parser.add_argument("--work", nargs="*", default=list(WORK))
    args = parser.parse_args()
    isa, threads = os.environ.get("TSRNN_ISA") or instruction_sets()[0], args.threads or "any"
    print(f"{args.cell}, {args.layers} layer(s), {isa}, {threads} thread(s), medians of {args.rounds} (spread)")
    programs = {"native": (NativeProgram, {"n_threads": args.threads})}
    if not args.native_only:
        from tsrnn.engine.keras_ import KerasProgram

        programs["keras"] = (KerasProgram, {})
    for work in args.work:
        runs = {
            name: make(work, program, args.cell, lambda units: (units,) * args.layers, args.bidirectional, **options)
            for name, (program, options) in programs.items()
        }
        if not args.native_only:
            runs["fit"] = make_fit(work, args.cell, lambda units: (units,) * args.layers, args.bidirectional)
        rates = {name: [] for name in [*runs, "limit of a core"]}
        for _ in range(args.rounds):
            for name, run in runs.items():
                rates[name].append(run())
            rates["limit of a core"].append(product_limit(work, args.cell))
        cells = [f"{name} {statistics.median(r):>9,.0f} ({min(r):,.0f}..{max(r):,.0f})" for name, r in rates.items()]
        native = statistics.median(rates["native"])
        cells += [f"x {native / statistics.median(rates[name]):.1f} {name}" for name in runs if name != "native"]
        print(work, " | ".join(cells), flush=True)


if __name__ == "__main__":
    main()
