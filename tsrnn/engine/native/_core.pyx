# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin binding of the C engine: checks everything that C trusts, holds the memory, and releases the GIL.

`Data` is windows with their targets, `Network` is weights, the optimiser's moments and the calls over them. Both take
what NumPy can read and copy or convert where C needs another layout; what is out of range is refused.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t

from cpython.exc cimport PyErr_CheckSignals

import threading

import numpy as np

cdef extern from "engine.h" nogil:
    enum:
        TS_MAX_LAYERS
        TS_MAX_THREADS
        TS_MAX_QUANTILES
        TS_OK
        TS_NO_MEMORY
        TS_BAD_ROW
        TS_TOO_LARGE
        TS_INTERRUPTED

    ctypedef struct ts_config:
        int32_t cell, activation, loss, optimizer, nesterov
        int32_t n_layers, directions
        int32_t *units
        int64_t n_steps, segment, n_features, n_indicators, n_outputs, n_targets, batch_size
        int32_t n_quantiles
        float *quantiles
        const int32_t *indicators
        int32_t sequence, static_unread
        int64_t n_static
        const int32_t *statics
        int32_t carried
        float momentum, recurrent_dropout

    ctypedef struct ts_data:
        const float *series32
        const double *series64
        const double *offset
        const double *scale
        const int32_t *starts
        const int32_t *lead
        const float *means
        const float *y
        const float *weight
        int64_t n_windows
        float *states
        const int32_t *carry

    ctypedef struct ts_numbers:
        float learning_rate, l1, l2, clipnorm, dropout, weight_decay

    ctypedef struct ts_network:
        pass

    const char *ts_isa_name(int n)
    const char *ts_cell_name(int n)
    int ts_isa_supported(int n)
    int ts_create(const ts_config *config, int isa, ts_network **network)
    void ts_destroy(ts_network *network)
    int64_t ts_n_parameters(const ts_network *network)
    int64_t ts_n_carried(const ts_network *network)
    int ts_n_moments(const ts_network *network)
    void ts_set(ts_network *network, int which, const float *values)
    void ts_get(const ts_network *network, int which, float *values)
    void ts_set_clock(ts_network *network, int64_t iterations, uint64_t seed, uint64_t drawn)
    int64_t ts_iterations(const ts_network *network)
    int ts_train(ts_network *network, const ts_data *data, const int32_t *order, int64_t n_batches,
                 const ts_numbers *numbers, int n_threads, int (*interrupt)(void *) noexcept, void *context,
                 double *loss, double *weight)
    int ts_predict(ts_network *network, const ts_data *data, int64_t start, int64_t stop, int n_threads, float *out)


def _cells():
    """Names of the cells that have kernels, as ts_config counts them."""
    names = []
    while ts_cell_name(len(names)) is not NULL:
        names.append(ts_cell_name(len(names)).decode())
    return tuple(names)


CELLS = _cells()
ACTIVATIONS = ("tanh", "softsign")
LOSSES = ("mse", "mae", "huber", "pinball", "gaussian", "student_t")
OPTIMIZERS = ("adam", "adamw", "rmsprop", "adagrad", "sgd")
HEADS = ("last", "sequence")
STATIC_TO = ("both", "state")
MAX_LAYERS = TS_MAX_LAYERS
MAX_THREADS = TS_MAX_THREADS
MAX_QUANTILES = TS_MAX_QUANTILES
MAX_UNITS = 2**15
_LARGE = 2**24  # no size that C multiplies may be larger


def instruction_sets():
    """Names of the instruction sets that this processor has and the engine was compiled for, widest first."""
    names = []
    n = 0
    while ts_isa_name(n) is not NULL:
        if ts_isa_supported(n):
            names.append(ts_isa_name(n).decode())
        n += 1
    return tuple(names)


cdef int _find_isa(name) except -1:
    cdef int n = 0
    while ts_isa_name(n) is not NULL:
        if ts_isa_supported(n) and (name is None or ts_isa_name(n).decode() == name):
            return n
        n += 1
    raise ValueError(f"unknown instruction set {name!r}; this processor offers {', '.join(instruction_sets())}.")


cdef int _ask_signals(void *raised) noexcept with gil:
    """Let Python handle signals such as Ctrl-C; keep what a handler raised in the list `raised`."""
    try:
        PyErr_CheckSignals()
    except BaseException as exc:
        (<list>raised).append(exc)
        return 1
    return 0


def _choice(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}.")
    return allowed.index(value)


def _size(name, value, low, high):
    """Return a Python int, whose products do not overflow as those of NumPy's integers do."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} must be an integer from {low} to {high}, got {value!r}.")
    return int(value)


def _number(name, value, low, below=float("inf")):
    value = float(value)
    if not low <= value < below:  # NaN is refused as well
        raise ValueError(f"{name} must be at least {low:g} and below {below:g}, got {value!r}.")
    return value


def _floats(name, values, dtype, shape):
    """Return an aligned C-contiguous array of the given shape (None: any length); numbers of any kind are converted."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}.")
    with np.errstate(over="ignore"):  # a value too large becomes infinite, and shows in the loss
        return _check_shape(name, np.require(array, dtype, ["C", "A"]), shape)


def _integers(name, values, shape, low, high):
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers, got dtype {array.dtype}.")
    if array.size and not (low <= int(array.min()) and int(array.max()) <= high):
        raise ValueError(f"{name} must lie between {low} and {high}, got {array.min()} to {array.max()}.")
    return _check_shape(name, np.require(array, np.int32, ["C", "A"]), shape)


def _check_shape(name, array, shape):
    if array.ndim != len(shape) or any(want is not None and got != want for got, want in zip(array.shape, shape)):
        wanted = ", ".join("n" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} must have the shape ({wanted}), got {array.shape}.")
    return array


def _n_targets(loss, n_quantiles, n_outputs):
    """Targets of a network whose outputs are the parameters of a distribution of each."""
    if (loss == "pinball") != (n_quantiles > 0):
        raise ValueError(f"the loss 'pinball' needs quantiles and others take none, got {n_quantiles} for {loss!r}.")
    n_parameters = {"pinball": n_quantiles, "gaussian": 2, "student_t": 3}.get(loss, 1)
    if n_outputs % n_parameters:
        raise ValueError(f"n_outputs must be a multiple of {n_parameters} for the loss {loss!r}, got {n_outputs}.")
    return n_outputs // n_parameters


cdef class Data:
    """Windows of one series, and their targets.

    Parameters
    ----------
    series : array-like of shape (n_rows, n_features)
        Taken as float32; with an offset as float64.
    starts : array-like of int, shape (n_windows,)
        First row of each window; steps before row 0 read row 0.
    lead : array-like of int, shape (n_windows,)
        Leading steps that are empty.
    n_steps : int
        Steps of a window.
    offset : array-like of shape (n_windows, n_features) or None
        Subtracted from each step.
    means : array-like of shape (n_features,)
        Stand in for missing values, where the network has indicators.
    y : array-like of shape (n_windows, n_targets) or None
        Targets; NaN where there is none. None: for prediction only.
    weight : array-like of shape (n_windows,) or None
        Weights of the windows; None: 1.
    scale : array-like of shape (n_windows, n_features) or None
        Divides each step, less the offset, which it needs.
    states : ndarray of float32, shape (n_rows, n_carried), or None
        Of a carried network: what windows start from, and what they leave, written in place. Of each layer h, of an LSTM
        then c.
    carry : array-like of int, shape (n_windows,), or None
        Each window's row of the states. Windows of one batch, or of one call of `predict`, must have rows of their own.
    """

    cdef ts_data c
    cdef readonly int64_t n_windows, n_features, n_steps, n_targets, n_carried
    cdef object _arrays

    def __cinit__(self, series, starts, lead, n_steps, offset, means, y=None, weight=None, scale=None,
                  states=None, carry=None):
        n_steps = _size("n_steps", n_steps, 1, _LARGE)
        series = _floats("series", series, np.float32 if offset is None else np.float64, (None, None))
        n_rows, n_features = series.shape
        # copies: these are checked here once, and must not change afterwards
        starts = np.array(_integers("starts", starts, (None,), -(2**31), min(n_rows - n_steps, 2**31 - 1)))
        n_windows = len(starts)
        lead = np.array(_integers("lead", lead, (n_windows,), 0, n_steps))
        if n_windows and not (n_rows and n_features):
            raise ValueError(f"series of shape {series.shape} has no values to read windows from.")
        means = _floats("means", means, np.float32, (n_features,))
        if offset is not None:
            offset = _floats("offset", offset, np.float64, (n_windows, n_features))
        if scale is not None:
            if offset is None:
                raise ValueError("windows with a scale need an offset, which may be 0.")
            scale = _floats("scale", scale, np.float64, (n_windows, n_features))
        if y is not None:
            y = _floats("y", y, np.float32, (n_windows, None))
            weight = _floats("weight", np.ones(n_windows) if weight is None else weight, np.float32, (n_windows,))
        self.n_carried = 0
        if states is not None:
            if not isinstance(states, np.ndarray) or states.dtype != np.float32 or states.ndim != 2 or not states.size:
                raise TypeError("states must be a float32 array (n_rows, n_carried) that is not empty.")
            if not (states.flags.c_contiguous and states.flags.aligned and states.flags.writeable):
                raise ValueError("states are written in place: they must be contiguous, aligned and writeable.")
            self.n_carried = states.shape[1]
            carry = np.array(_integers("carry", carry, (n_windows,), 0, len(states) - 1))
        self._arrays = (series, starts, lead, offset, means, y, weight, scale, states, carry)
        self.n_windows, self.n_features, self.n_steps = n_windows, n_features, n_steps
        self.n_targets = 0 if y is None else y.shape[1]
        self._point()

    cdef _point(self):
        """Set the pointers; the arrays cannot be resized while `_arrays` refers to them."""
        cdef const float[:, ::1] series32, y
        cdef const double[:, ::1] series64, offset, scale
        cdef const int32_t[::1] starts, lead, carry
        cdef float[:, ::1] states
        cdef const float[::1] means, weight
        self.c.n_windows = self.n_windows
        if not self.n_windows:
            return
        starts, lead, means = self._arrays[1], self._arrays[2], self._arrays[4]
        self.c.starts, self.c.lead, self.c.means = &starts[0], &lead[0], &means[0]
        if self._arrays[3] is None:
            series32 = self._arrays[0]
            self.c.series32 = &series32[0, 0]
        else:
            series64, offset = self._arrays[0], self._arrays[3]
            self.c.series64, self.c.offset = &series64[0, 0], &offset[0, 0]
            if self._arrays[7] is not None:
                scale = self._arrays[7]
                self.c.scale = &scale[0, 0]
        if self.n_targets:
            y, weight = self._arrays[5], self._arrays[6]
            self.c.y, self.c.weight = &y[0, 0], &weight[0]
        if self.n_carried:
            states, carry = self._arrays[8], self._arrays[9]
            self.c.states, self.c.carry = &states[0, 0], &carry[0]

    def __len__(self):
        return self.n_windows


cdef class Network:
    """Weights in Keras's order, the optimiser's moments, and the calls that use them; one call at a time.

    Parameters
    ----------
    cell, activation, loss, optimizer : str
        See CELLS, ACTIVATIONS, LOSSES and OPTIMIZERS.
    units : sequence of int
        State size of each layer.
    bidirectional : bool
        Whether each layer reads in both directions.
    n_steps, segment, n_features, n_outputs : int
        Sizes.
    head : str
        See HEADS; of a "sequence", a window has n_outputs for each segment.
    static : sequence of int
        Channels (features, then indicators) whose values at the last step set the initial state.
    static_to : str
        See STATIC_TO.
    indicators : sequence of int
        Features with a channel that is 1 where the value is missing.
    batch_size : int
        Rows of a training batch; 0 for prediction only.
    momentum : float
        Of sgd.
    nesterov : bool
        Of sgd.
    recurrent_dropout : float
        Dropout rate of the state in the recurrent product.
    quantiles : sequence of float
        Levels of the loss "pinball".
    carried : bool
        Whether windows start from the states that `Data` holds and leave their own there; else they start from zero.
    isa : str or None
        One of `instruction_sets()`; None: the first.
    """

    cdef ts_network *c
    cdef object _lock
    cdef readonly int64_t n_steps, n_features, n_outputs, n_values, n_targets, batch_size, n_parameters, n_carried
    cdef readonly int n_moments
    cdef readonly str isa

    def __cinit__(self, *, cell, units, n_steps, n_features, n_outputs, activation="tanh", bidirectional=False,
                  segment=1, head="last", static=(), static_to="both", indicators=(), batch_size=0, loss="mse",
                  optimizer="adam", momentum=0.0, nesterov=False, recurrent_dropout=0.0, quantiles=(), carried=False,
                  isa=None):
        cdef ts_config config
        cdef int32_t[::1] indicator_view, static_view
        units, quantiles = tuple(units), tuple(quantiles)  # what is counted is what is read
        config.cell = _choice("cell", cell, CELLS)
        config.activation = _choice("activation", activation, ACTIVATIONS)
        config.loss = _choice("loss", loss, LOSSES)
        config.optimizer = _choice("optimizer", optimizer, OPTIMIZERS)
        config.n_layers = _size("number of layers", len(units), 1, MAX_LAYERS)
        for i, size in enumerate(units):
            config.units[i] = _size("units", size, 1, MAX_UNITS)
        config.directions = 2 if bidirectional else 1
        config.nesterov = bool(nesterov)
        config.n_steps = n_steps = _size("n_steps", n_steps, 1, _LARGE)
        config.segment = segment = _size("segment", segment, 1, _LARGE)
        config.n_features = n_features = _size("n_features", n_features, 1, _LARGE)
        config.n_outputs = n_outputs = _size("n_outputs", n_outputs, 1, _LARGE)
        config.n_quantiles = _size("number of quantiles", len(quantiles), 0, MAX_QUANTILES)
        for i, quantile in enumerate(quantiles):
            config.quantiles[i] = _number("quantiles", quantile, 0.0, 1.0)
        config.n_targets = _n_targets(loss, len(quantiles), n_outputs)
        config.batch_size = batch_size = _size("batch_size", batch_size, 0, _LARGE)
        config.momentum = _number("momentum", momentum, 0.0)
        config.recurrent_dropout = _number("recurrent_dropout", recurrent_dropout, 0.0, 1.0)
        indicators = np.array(_integers("indicators", np.array(indicators, dtype=np.int64), (None,), 0, n_features - 1))
        config.n_indicators = _size("number of indicators", len(indicators), 0, n_features)
        config.indicators = NULL
        if len(indicators):
            indicator_view = indicators
            config.indicators = &indicator_view[0]
        config.sequence = _choice("head", head, HEADS)
        n_values = _size("outputs of a window", n_outputs * (-(-n_steps // segment) if config.sequence else 1), 1, 2**31)
        config.static_unread = _choice("static_to", static_to, STATIC_TO)
        n_channels = n_features + len(indicators)
        static = np.array(_integers("static", np.array(static, dtype=np.int64), (None,), 0, n_channels - 1))
        if len(np.unique(static)) < len(static):
            raise ValueError(f"static names a channel twice: {static.tolist()}.")
        if config.static_unread and len(static) == n_channels:
            raise ValueError("static names every channel, and static_to='state' leaves none to read; use 'both'.")
        config.n_static = len(static)
        config.carried = bool(carried)
        if carried and (len(static) or bidirectional):
            raise ValueError("states are carried forward only, and not where static channels set them.")
        config.statics = NULL
        if len(static):
            static_view = static
            config.statics = &static_view[0]
        cdef int isa_index = _find_isa(isa)
        cdef int status = ts_create(&config, isa_index, &self.c)
        _raise_for(status)
        self._lock = threading.Lock()
        self.isa = ts_isa_name(isa_index).decode()
        self.n_steps, self.n_features, self.n_outputs = n_steps, n_features, n_outputs
        self.n_values = n_values
        self.n_targets = n_values // n_outputs * config.n_targets
        self.batch_size = batch_size
        self.n_parameters = ts_n_parameters(self.c)
        self.n_moments = ts_n_moments(self.c)
        self.n_carried = ts_n_carried(self.c)

    def __dealloc__(self):
        ts_destroy(self.c)

    def set_values(self, values, which=-1):
        """Set the weights (which=-1) or one array of moments: (n_parameters,), in the order of Keras's weights."""
        which = _size("which", which, -1, self.n_moments - 1)
        cdef const float[::1] view = _floats("values", values, np.float32, (self.n_parameters,))
        with self._lock:
            ts_set(self.c, which, &view[0])

    def get_values(self, which=-1):
        """Return a copy of the weights (which=-1) or of one array of moments, as `set_values` takes it."""
        which = _size("which", which, -1, self.n_moments - 1)
        values = np.empty(self.n_parameters, np.float32)
        cdef float[::1] view = values
        with self._lock:
            ts_get(self.c, which, &view[0])
        return values

    @property
    def iterations(self):
        """Steps that the optimiser has made."""
        return ts_iterations(self.c)

    def set_clock(self, iterations, seed):
        """Set the number of steps that the optimiser has made, and the seed of the dropout masks to come."""
        iterations = _size("iterations", iterations, 0, 2**62)
        with self._lock:
            ts_set_clock(self.c, iterations, seed % 2**64, 0)

    def train(self, Data data not None, order, *, learning_rate, l1=0.0, l2=0.0, clipnorm=float("inf"), dropout=0.0,
              weight_decay=0.0, n_threads=1, double loss=0.0, double weight=0.0):
        """Make one step for each row of `order` (n_batches, batch_size): numbers of windows, -1 for none.

        Returns the sum over the steps of sum_ik weight_i loss_ik before the step, and that of the weights, on top of
        `loss` and `weight`, the sums of earlier calls.
        """
        self._check_data(data)
        if not self.batch_size:
            raise ValueError("this Network was made for prediction only: batch_size is 0.")
        if data.n_targets != self.n_targets:
            raise ValueError(f"there are {data.n_targets} targets, but the network has {self.n_targets}.")
        cdef int threads = _size("n_threads", n_threads, 1, MAX_THREADS)
        cdef const int32_t[:, ::1] rows = _integers(
            "order", order, (None, self.batch_size), -1, data.n_windows - 1
        )
        cdef ts_numbers numbers
        numbers.learning_rate = learning_rate
        numbers.l1, numbers.l2, numbers.clipnorm = l1, l2, clipnorm
        numbers.weight_decay = weight_decay
        numbers.dropout = _number("dropout", dropout, 0.0, 1.0)
        cdef int status
        cdef list raised = []
        cdef void *context = <void *>raised
        if rows.shape[0] == 0:
            return loss, weight
        with self._lock:
            with nogil:
                status = ts_train(self.c, &data.c, &rows[0, 0], rows.shape[0], &numbers, threads, &_ask_signals,
                                  context, &loss, &weight)
        if status == TS_INTERRUPTED:
            raise raised[0]
        _raise_for(status)
        return loss, weight

    def predict(self, Data data not None, start=0, stop=None, n_threads=1):
        """Return the predictions (stop - start, n_values) for windows start..stop-1, float32."""
        self._check_data(data)
        cdef int threads = _size("n_threads", n_threads, 1, MAX_THREADS)
        cdef int64_t first = _size("start", start, 0, data.n_windows)
        cdef int64_t last = _size("stop", data.n_windows if stop is None else stop, first, data.n_windows)
        out = np.empty((last - first, self.n_values), np.float32)
        cdef float[:, ::1] view = out
        cdef int status
        if last == first:
            return out
        with self._lock:
            with nogil:
                status = ts_predict(self.c, &data.c, first, last, threads, &view[0, 0])
        _raise_for(status)
        return out

    cdef _check_data(self, Data data):
        if data.n_windows and (data.n_features, data.n_steps) != (self.n_features, self.n_steps):
            raise ValueError(
                f"the windows have {data.n_steps} steps of {data.n_features} features, but the network was made for "
                f"{self.n_steps} steps of {self.n_features}."
            )
        if data.n_carried != self.n_carried:
            raise ValueError(f"the data carry {data.n_carried} states for a window, but the network {self.n_carried}.")


def _raise_for(int status):
    if status == TS_NO_MEMORY:
        raise MemoryError("the network and its batches do not fit into memory; use fewer units or shorter windows.")
    if status == TS_TOO_LARGE:
        raise ValueError("the network has more than 2**31 weights; use fewer units, features or outputs.")
    if status == TS_BAD_ROW:
        raise ValueError("order names a window that does not exist; it must not change during the call.")
