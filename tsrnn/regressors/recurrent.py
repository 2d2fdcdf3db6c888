"""Recurrent networks as regressors: `LSTMRegressor`, `GRURegressor`, `SimpleRNNRegressor` differ in their cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .. import _types as t
from .._checks import check_bool, check_choice, check_int, check_positions, check_real, check_units
from .._publishing import reads_one_state
from ..engine.distributions import n_parameters
from ..engine.inputs import read_windows
from ..networks import ACTIVATIONS, MERGE_MODES, STATIC_TO, NetworkSpec, initial_weights
from .base import NetworkRegressor
from .parameters import feature_channels, layer_units
from .saved import RECURRENT, check_states, is_recurrent
from .states import SequenceStates
from .stream import Stream

__all__ = ["GRURegressor", "LSTMRegressor", "SimpleRNNRegressor"]

_KERNEL_INITIALIZERS = ("glorot_uniform", "orthogonal")


def _check_widths(name: str, widths: Any) -> None:
    if not isinstance(widths, (tuple, list)):
        raise TypeError(f"{name} must be a tuple of widths, such as (16,), or () for no layers, got {widths!r}.")
    for i, width in enumerate(widths):
        check_int(f"{name}[{i}]", width)


class _RecurrentRegressor(NetworkRegressor):
    """What the three regressors share: everything but the cell. The parameters are described in `LSTMRegressor`."""

    _cell: str
    _spec: NetworkSpec
    _spec_class = NetworkSpec
    _saved = RECURRENT

    def __init__(
        self,
        units: t.Layers = 32,
        *,
        activation: t.Activation = "tanh",
        bidirectional: bool = False,
        merge_mode: t.MergeMode = "concat",
        residual: bool = False,
        transition_depth: int = 1,
        input_layers: Sequence[int] = (),
        output_layers: Sequence[int] = (),
        dilation: t.Layers = 1,
        segment: int = 1,
        return_sequences: bool = False,
        tbptt_steps: int | None = None,
        static_features: Sequence[int] | None = None,
        static_to: t.StaticTo = "both",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        kernel_initializer: t.KernelInitializer = "glorot_uniform",
        recurrent_initializer: t.KernelInitializer = "orthogonal",
        head_initializer: t.HeadInitializer = "glorot_uniform",
        loss: t.Loss = "mse",
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        optimizer: t.Optimizer = "adam",
        learning_rate: float = 3e-3,
        momentum: float = 0.9,
        nesterov: bool = True,
        weight_decay: float = 0.004,
        clipnorm: float | None = 1.0,
        learning_rate_schedule: t.Schedule | None = None,
        epochs: int = 100,
        batch_size: int = 32,
        engine: t.Engine = "auto",
        jit_compile: t.AutoBool = False,
        shuffle: bool = True,
        early_stopping: t.AutoBool = "auto",
        validation_fraction: float = 0.1,
        validation_gap: int = 0,
        n_iter_no_change: int = 5,
        tol: float = 1e-4,
        n_steps: int | None = None,
        missing_indicator: t.AutoBool = "auto",
        callbacks: t.Callbacks = None,
        warm_start: bool = False,
        random_state: t.RandomState | None = None,
        verbose: t.Verbose = "auto",
    ) -> None:
        self.units = units
        self.activation = activation
        self.bidirectional = bidirectional
        self.merge_mode = merge_mode
        self.residual = residual
        self.transition_depth = transition_depth
        self.input_layers = input_layers
        self.output_layers = output_layers
        self.dilation = dilation
        self.segment = segment
        self.return_sequences = return_sequences
        self.tbptt_steps = tbptt_steps
        self.static_features = static_features
        self.static_to = static_to
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.l1 = l1
        self.l2 = l2
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.head_initializer = head_initializer
        self.loss = loss
        self.quantiles = quantiles
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.learning_rate_schedule = learning_rate_schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.engine = engine
        self.jit_compile = jit_compile
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_gap = validation_gap
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.n_steps = n_steps
        self.missing_indicator = missing_indicator
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _network(self, n_inputs: int) -> NetworkSpec:
        n_targets = self.n_outputs_ // (self.n_steps_in_ if self.return_sequences else 1)
        units = layer_units(self.units)
        return NetworkSpec(
            cell=self._cell,
            units=units,
            n_inputs=n_inputs,
            n_outputs=n_targets * n_parameters(self._loss, self._quantiles),
            activation=self.activation,
            bidirectional=bool(self.bidirectional),
            segment=int(self.segment),
            head="sequence" if self.return_sequences else "last",
            static=self._static_channels(),
            static_to=self.static_to,
            # What changes nothing is left at its default: such networks are equal, and the native engine computes them.
            merge_mode=self.merge_mode if self.bidirectional else "concat",
            residual=bool(self.residual) and len(units) > 1,
            transition_depth=int(self.transition_depth),
            input_layers=tuple(int(width) for width in self.input_layers),
            output_layers=tuple(int(width) for width in self.output_layers),
            peephole=bool(getattr(self, "peephole", False)),
            dilation=self._dilations(len(units)),
        )

    @reads_one_state
    def stream(self, n_streams: int | None = None, *, state: str | None = None) -> Stream:
        """Return a reader of single observations that carries the state of the network from one to the next.

        Predictions of a growing window cost a step each instead of the whole window. See `Stream`.

        Parameters
        ----------
        n_streams : int, default=None
            Series to be read side by side. None: one or, with ``state="fitted"``, as many as there were in `fit`.
        state : {None, "fitted"}, default=None
            "fitted" goes on from `state_`, right after the last step of each training sequence, in their order; it
            needs a fit with `tbptt_steps`. None starts from nothing.

        Returns
        -------
        Stream

        Raises
        ------
        ValueError
            If the network reads windows backward as well, or several steps at once; or if there is no fitted state, or
            not as many as `n_streams`.

        Examples
        --------
        >>> import numpy as np
        >>> from tsrnn import LSTMRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 6, 2))  # (n_windows, n_steps, n_features)
        >>> model = LSTMRegressor(units=2, epochs=1, random_state=0).fit(X, X[:, -1, 0])
        >>> model.stream().update(X[0, 0]).shape
        ()
        """
        check_is_fitted(self)
        check_int("n_streams", n_streams, none=True)
        check_choice("state", state, (None, "fitted"))
        if state is None:
            return Stream(self, 1 if n_streams is None else n_streams)
        self._check_fitted_state("stream from the first observation on")
        if n_streams not in (None, len(self._n_seen)):
            raise ValueError(
                f"n_streams={n_streams}, but the fitted state is that of {len(self._n_seen)} sequences. Leave it out, "
                "or set state=None."
            )
        return Stream(self, len(self._n_seen), state=self.state_, n_seen=self._n_seen)

    def _dilations(self, n_layers: int) -> tuple[int, ...]:
        """Return the dilation of each layer, or () if no state goes further back than one step."""
        given = self.dilation
        dilations = tuple(map(int, given)) if isinstance(given, Sequence) else (int(given),) * n_layers
        n_reads = -(-self.n_steps_in_ // int(self.segment))
        if max(dilations) > max(1, n_reads - 1):
            raise ValueError(
                f"dilation={self.dilation!r} goes back further than a window of {n_reads} recurrent steps "
                f"({self.n_steps_in_} steps, segment={self.segment}) allows: at most {max(1, n_reads - 1)}. Use a "
                "smaller dilation or segment, or longer windows."
            )
        return dilations if max(dilations) > 1 else ()

    def _static_channels(self) -> tuple[int, ...]:
        """Return the channels of `static_features`: the features, and the missing indicators that they have."""
        n_features = self._n_features_per_step
        channels = feature_channels("static_features", self.static_features, n_features, self._missing.indicators)
        if self.static_to == "state" and set(range(n_features)) <= set(channels):
            raise ValueError(
                f"static_features names all {n_features} features, and static_to='state' leaves none of them to read "
                "at each step. Name fewer, or set static_to='both'."
            )
        return channels

    def _gives_sequences(self) -> bool:
        return bool(self.return_sequences)

    def _wanted_piece(self) -> int | None:
        return None if self.tbptt_steps is None else int(self.tbptt_steps)

    def _check_fitted_state(self, otherwise: str) -> None:
        if not hasattr(self, "state_"):
            raise ValueError(
                "state='fitted' needs the state in which the training sequences ended, and only a completed fit with "
                f"tbptt_steps keeps it. Fit with tbptt_steps, or {otherwise}."
            )

    def _states_before(self) -> SequenceStates:
        self._check_fitted_state("leave state out")
        if self.tbptt_steps is None:
            raise ValueError(
                "state='fitted' goes on from the state of sequences that are read in pieces, but tbptt_steps=None "
                "reads them whole. Set tbptt_steps, or leave state out."
            )
        read = np.concatenate(self.state_, axis=1)
        return SequenceStates(read, getattr(self, "_left_state", read), self._n_seen)

    def _keep_states(self, X, before, left, rows) -> None:
        if self._piece is None:
            return
        X = read_windows(self, X, self.n_steps, reset=False)
        # Those in which training left the sequences are of weights that it has changed since.
        windows = self._window_data(X, None if before is None else before.may_be_empty(len(X)))
        states = self._read(windows, None if before is None else before.read)[1].states
        self.state_ = [part.copy() for part in np.split(states, np.cumsum(self._spec.state_widths)[:-1], axis=1)]
        self._n_seen = windows.n_steps - windows.lead.astype(np.int64) + (0 if before is None else before.n_seen)
        if left is not None:
            self._left_state = states.copy()
            self._left_state[rows] = left

    def _initial_weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        return initial_weights(
            self._spec,
            rng,
            kernel=self.kernel_initializer,
            recurrent=self.recurrent_initializer,
            head=self.head_initializer,
            forget_bias=getattr(self, "forget_bias", 0.0),
        )

    def _check_network_parameters(self) -> None:
        check_units("units", self.units)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_bool("bidirectional", self.bidirectional)
        check_choice("merge_mode", self.merge_mode, MERGE_MODES)
        check_bool("residual", self.residual)
        if self.residual and len(set(layer_units(self.units))) > 1:
            raise ValueError(
                "residual=True adds the input of a layer to its output, so all layers must have the same number of "
                f"units, got units={self.units!r}. Make them equal, or set residual=False."
            )
        check_int("transition_depth", self.transition_depth)
        _check_widths("input_layers", self.input_layers)
        _check_widths("output_layers", self.output_layers)
        self._check_dilation()
        check_int("segment", self.segment)
        check_bool("return_sequences", self.return_sequences)
        if self.return_sequences and self.segment > 1:
            raise ValueError(
                f"return_sequences=True gives a prediction for each step, but segment={self.segment} reads that many "
                "steps as one. Set segment=1 for it."
            )
        check_choice("static_to", self.static_to, STATIC_TO)
        check_positions("static_features", self.static_features)
        self._check_tbptt_steps()
        check_choice("kernel_initializer", self.kernel_initializer, _KERNEL_INITIALIZERS)
        check_choice("recurrent_initializer", self.recurrent_initializer, _KERNEL_INITIALIZERS)
        check_choice("head_initializer", self.head_initializer, ("glorot_uniform", "zeros"))

    def _check_tbptt_steps(self) -> None:
        check_int("tbptt_steps", self.tbptt_steps, none=True)
        if self.tbptt_steps is None:
            return
        if not self.return_sequences:
            raise ValueError(
                f"tbptt_steps={self.tbptt_steps} trains on one piece of a sequence after the other, each with targets, "
                "but return_sequences=False has one target after the last step. Set return_sequences=True and pass a y "
                "with a target for each step."
            )
        refused = {
            "bidirectional": (False, "reads a sequence from its end as well"),
            "static_features": (None, "sets the state that a sequence starts from"),
            "dilation": (1, "lets the state go back further than one step"),
        }
        for name, (plain, why) in refused.items():
            value = getattr(self, name)
            if value != plain and (name != "dilation" or set(np.ravel(value)) != {1}):
                raise ValueError(
                    f"{name}={value!r} {why}, so the state cannot be carried from one piece of tbptt_steps="
                    f"{self.tbptt_steps} steps to the next. Set {name}={plain!r}, or tbptt_steps=None."
                )

    def _check_dilation(self) -> None:
        if not isinstance(self.dilation, (tuple, list)):
            check_int("dilation", self.dilation)
            return
        for i, dilation in enumerate(self.dilation):
            check_int(f"dilation[{i}]", dilation)
        if len(self.dilation) != len(layer_units(self.units)):
            raise ValueError(
                f"dilation={self.dilation!r} must hold one number for each layer, and units={self.units!r} makes "
                f"{len(layer_units(self.units))}. Pass as many, or one integer for all."
            )

    def _check_state(self) -> None:
        super()._check_state()
        check_states(self)

    def _is_network(self, spec) -> bool:
        return is_recurrent(self, spec)


class LSTMRegressor(_RecurrentRegressor):
    """Long short-term memory network [1]_ that maps windows to targets.

    The network reads a window step by step (or `segment` by segment) and maps its last state to the targets through one
    dense layer. It passes scikit-learn's estimator checks, so it goes wherever a regressor goes: pipelines, searches,
    stacking, permutation importance. X and y are used as they are: scale them, or use a forecaster, which does.

    Parameters
    ----------
    units : int or tuple of int, default=32
        State size; a tuple stacks layers.
    activation : {"tanh", "softsign"}, default="tanh"
        Squashes the candidate state.
    forget_bias : float, default=1.0
        Initial bias of the forget gate.
    peephole : bool, default=False
        Let the gates see the memory cell, through one weight for each gate and unit that starts from 0 [5]_: helps to
        tell how long ago something was.
    bidirectional : bool, default=False
        Read each window in both directions. The backward states see later steps, but only of the window: nothing after
        the cutoff is read.
    merge_mode : {"concat", "sum", "ave"}, default="concat"
        Whether the states of the two directions are concatenated, added, or averaged. The last two halve the width of
        what the next layer reads.
    residual : bool, default=False
        Add the input of each recurrent layer from the second on to its output, so that gradients have a way past it
        [3]_. All layers must have the same number of units. To the last layer's state the input at its last step is
        added.
    transition_depth : int, default=1
        Layers from one state to the next. Above 1, the state that the cell computes goes through further dense layers
        of as many units, with the same `activation`, before it is handed on [4]_. The memory cell of an LSTM goes past
        them; the state of a GRU does not, and fades sooner.
    input_layers, output_layers : tuple of int, default=()
        Widths of dense layers with the same `activation`: those that each step (or segment) goes through before the
        first recurrent layer, and those between the last state and the targets [4]_.
    dilation : int or tuple of int, default=1
        How many recurrent steps the state goes back, in all layers or in each [6]_. Above 1, a layer reads every k-th
        step as a sequence of its own: shorter ones, which reach further back and take Keras less time. Let the first of
        several layers go one step back, and the dilation grow: ``units=(32, 32, 32), dilation=(1, 2, 4)``.
    segment : int, default=1
        Steps of a window that the network reads together. A long window read in segments trains faster and remembers
        further back. If the steps do not divide, the first segment is filled up with zeros on the left.
    return_sequences : bool, default=False
        Predict a target at each step, from what was read up to it (with `bidirectional`, from the whole window),
        instead of once after the last: y has shape (n_windows, n_steps) or (n_windows, n_steps, n_targets). Needs
        ``segment=1``.
    tbptt_steps : int or None, default=None
        Truncated back-propagation through time [7]_, for sequences too long to be windows: read them in pieces of so
        many steps, each from the state in which the piece before it ended, and step the optimiser after each. No
        gradient flows from one piece into the one before, so what is further back than `tbptt_steps` counts only as far
        as shorter spans taught the network to keep it; and memory is that of a piece, not of a sequence. Afterwards
        sequences of any length can be predicted, and `stream` goes on where the training data end.

        Sequences are read side by side, `batch_size` at a time. Fewer are cut into lanes that fill a batch: a lane
        starts where the one before it ended in the epoch before, and in the first epoch of a fit from zero. With
        ``batch_size=1``, one series is read from its beginning to its end.

        Needs ``return_sequences=True``; not with `bidirectional`, `static_features` or `dilation`, and of Keras's
        backends on TensorFlow only.
    static_features : tuple of int or None, default=None
        Positions of features that are constant over a window, such as properties of a site. Their values at the last
        step set the initial state of each layer through a linear map that is learnt with the rest [2]_. For a leading
        step to count as empty, they must be NaN there too.
    static_to : {"both", "state"}, default="both"
        Whether the static features are inputs at each step as well, or set the initial state only.
    dropout : float, default=0.0
        Rate of dropout after each recurrent layer.
    recurrent_dropout : float, default=0.0
        Rate of dropout on the recurrent state.
    l1, l2 : float, default=0.0
        Penalties on the absolute and squared values of all kernels (input, recurrent, initial state, head, dense layers
        and peepholes), added to the loss.
    kernel_initializer : {"glorot_uniform", "orthogonal"}, default="glorot_uniform"
        Initial input kernels.
    recurrent_initializer : {"orthogonal", "glorot_uniform"}, default="orthogonal"
        Initial recurrent kernels.
    head_initializer : {"glorot_uniform", "zeros"}, default="glorot_uniform"
        Initial kernel of the dense layer. With "zeros" an untrained network predicts 0: on windows less their last
        value that is the persistence forecast.
    loss : {"mse", "mae", "huber", "pinball", "gaussian", "student_t"}, default="mse"
        What is minimised. The first three forecast a point. "pinball" learns the `quantiles`; "gaussian" and
        "student_t" learn a normal or Student's t distribution by their likelihood: `predict_quantiles` gives its
        quantiles. Their scale stays above 0.001 and starts from 1: scale y.
    quantiles : sequence of float, default=(0.1, 0.5, 0.9)
        Levels that "pinball" learns, increasing; several must hold 0.5, which is what `predict` returns. For the other
        losses, what `predict_quantiles` returns if it is not asked for others.
    optimizer : {"adam", "adamw", "rmsprop", "adagrad", "sgd"}, default="adam"
        Keras's optimiser of that name.
    learning_rate : float, default=0.003
        Initial learning rate.
    momentum : float, default=0.9
        Momentum of "sgd".
    nesterov : bool, default=True
        Whether the momentum of "sgd" is Nesterov's.
    weight_decay : float, default=0.004
        Share of each weight that "adamw" takes off in a step, times the learning rate.
    clipnorm : float or None, default=1.0
        Largest norm of the gradient of all weights together.
    learning_rate_schedule : None, "cosine", "exponential" or callable, default=None
        Factor on the learning rate in each epoch. "cosine" falls to 0 over `epochs`; "exponential" stays at 1 for three
        epochs and then falls by a fifth in each; a function maps the epoch, from 0, to a factor. `partial_fit` counts
        epochs on.
    epochs : int, default=100
        Passes over the windows, at most.
    batch_size : int, default=32
        Windows in a training step, no more than there are; with `tbptt_steps`, pieces.
    engine : {"auto", "native", "keras"}, default="auto"
        What computes the network. "native" is tsrnn's own engine for the processor, which needs neither Keras nor
        TensorFlow; "auto" takes it wherever it was compiled and computes this network, and Keras otherwise. Both give
        weights in the same layout, equal up to rounding.
    jit_compile : bool or "auto", default=False
        Where Keras trains: compile the training step with XLA. Long fits of small networks run two to five times
        faster; it costs about a second for each new shape and 150 MB of memory, once per process. "auto" compiles where
        the fit is long enough to earn the second back.
    shuffle : bool, default=True
        Merge equal windows and shuffle the order in each epoch. With False, windows are trained on in the given order.
        With `tbptt_steps` it is whole sequences that are shuffled: pieces stay in the order of time.
    early_stopping : {"auto", True, False}, default="auto"
        Stop when the loss on the last windows in time no longer falls, and go back to the best weights, which may be
        the initial ones. "auto" does so from 1000 windows on. With `tbptt_steps`, it is the last steps of each sequence
        that count, reached from the steps before them, and "auto" counts pieces.
    validation_fraction : float, default=0.1
        Share of the windows (with `tbptt_steps`, of the steps), the last in time, that early stopping watches.
    validation_gap : int, default=0
        Windows (or steps) left out before the validation part. The horizon less one keeps overlapping targets from
        leaking.
    n_iter_no_change : int, default=5
        Epochs without an improvement by more than `tol` after which to stop.
    tol : float, default=1e-4
        Smallest fall of the validation loss that counts.
    n_steps : int or None, default=None
        Steps in a row of a 2-D X; None reads each column as one step.
    missing_indicator : {"auto", True, False}, default="auto"
        Missing values inside a window are replaced by the feature's mean over the training windows, and a further input
        channel says where. "auto" gives this channel to the features that have missing values in `fit`, True to all;
        False refuses missing values.
    callbacks : Keras callback, function that returns one, or list of them, default=None
        Called during training with a Keras model. Each fit works on a shallow copy of an instance, so that its counters
        start anew; the lists, queues and files that it holds are those that you gave it. scikit-learn's own callbacks
        are set with `set_callbacks`.
    warm_start : bool, default=False
        Let `fit` go on from the weights, the optimiser's state and the random numbers of the last fit. Another
        `optimizer` starts afresh; the schedule, `n_iter_` and `history_` begin anew.
    random_state : int, RandomState instance or None, default=None
        Makes initial weights, the order of windows and dropout masks the same each time.
    verbose : int or "auto", default="auto"
        "auto" shows a progress bar on a terminal or in a notebook once a fit has taken three seconds, and nothing in
        pipes, logs, tests and parallel workers. 0 is silent, 1 shows the bar at once. A fit inside a comparison, a
        search or a cross-validation has none of its own.

    Attributes
    ----------
    weights_ : list of ndarray
        The weights, in Keras's layout.
    model_ : keras.Model
        A new Keras model with these weights.
    callbacks_ : list
        The callbacks of the last fit, as it left them (``callbacks_[0].stopped_epoch``), without their model. Pickles
        and files do not hold them.
    engine_ : {"native", "keras"}
        What trained the network.
    n_iter_ : int
        Epochs trained by the last `fit`, and by `partial_fit` since.
    best_iteration_ : int
        Epoch whose weights were kept; 0 are the initial weights.
    history_ : dict of lists
        "loss", "val_loss" (with early stopping) and "learning_rate" of each epoch.
    initial_val_loss_ : float or None
        Validation loss of the initial weights.
    n_windows_ : int
        Different windows (with `tbptt_steps`, pieces) that the last fit trained on, those held out for validation not
        among them.
    state_ : list of ndarray of shape (n_sequences, units)
        With `tbptt_steps`: the state after the last step of each sequence of X. By layer; of an LSTM h, then c.
    n_features_in_ : int
        Features of a step; columns, for a 2-D X.
    feature_names_in_ : ndarray of str
        Columns of X, if it was a DataFrame.
    n_steps_in_ : int
        Steps of a window; of the longest, if they differ.
    n_outputs_ : int
        Targets of a window.
    n_parameters_ : int
        Trainable parameters.

    References
    ----------
    .. [1] Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8), 1735-1780.
    .. [2] Vinyals, O. et al. (2015). Show and tell: a neural image caption generator. CVPR.
    .. [3] He, K. et al. (2016). Deep residual learning for image recognition. CVPR.
    .. [4] Pascanu, R., Gulcehre, C., Cho, K. and Bengio, Y. (2014). How to construct deep recurrent neural networks.
       ICLR.
    .. [5] Gers, F., Schraudolph, N. and Schmidhuber, J. (2002). Learning precise timing with LSTM recurrent networks.
       Journal of Machine Learning Research 3, 115-143.
    .. [6] Chang, S. et al. (2017). Dilated recurrent neural networks. NeurIPS.
    .. [7] Williams, R. J. and Peng, J. (1990). An efficient gradient-based algorithm for on-line training of recurrent
       network trajectories. Neural Computation 2(4), 490-501.

    Koenker, R. and Bassett, G. (1978). Regression quantiles. Econometrica 46(1), 33-50 ("pinball").

    Salinas, D., Flunkert, V., Gasthaus, J. and Januschowski, T. (2020). DeepAR. International Journal of Forecasting
    36(3), 1181-1191 (networks that give out the parameters of a likelihood).

    Lange, K., Little, R. and Taylor, J. (1989). Robust statistical modeling using the t distribution. JASA 84, 881-896.

    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR ("adamw").

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import LSTMRegressor
    >>> wave = np.sin(np.arange(120) / 3)
    >>> X = np.lib.stride_tricks.sliding_window_view(wave[:-1], 10)[..., np.newaxis]  # (n_windows, n_steps, n_features)
    >>> y = wave[10:]
    >>> model = LSTMRegressor(units=3, learning_rate=0.01, random_state=0).fit(X[:100], y[:100])
    >>> bool(model.score(X[100:], y[100:]) > 0.9)
    True

    A target for each step, here the mean so far:

    >>> X = np.random.default_rng(0).normal(size=(50, 10))
    >>> y = X.cumsum(axis=1) / np.arange(1, 11)
    >>> LSTMRegressor(units=2, return_sequences=True, epochs=1, random_state=0).fit(X, y).predict(X).shape
    (50, 10)

    One long series, read in pieces of 50 steps, and the forecast right after its end:

    >>> X = np.sin(np.arange(2001) / 3)[np.newaxis, :, np.newaxis]  # (n_sequences, n_steps, n_features)
    >>> model = LSTMRegressor(units=8, return_sequences=True, tbptt_steps=50, learning_rate=0.01, random_state=0)
    >>> stream = model.fit(X[:, :-1], X[:, 1:, 0]).stream(state="fitted")
    >>> bool(abs(stream.update(X[0, -1]) - np.sin(2001 / 3)) < 0.1)
    True
    """

    _cell = "lstm"

    def __init__(
        self,
        units: t.Layers = 32,
        *,
        activation: t.Activation = "tanh",
        forget_bias: float = 1.0,
        peephole: bool = False,
        bidirectional: bool = False,
        merge_mode: t.MergeMode = "concat",
        residual: bool = False,
        transition_depth: int = 1,
        input_layers: Sequence[int] = (),
        output_layers: Sequence[int] = (),
        dilation: t.Layers = 1,
        segment: int = 1,
        return_sequences: bool = False,
        tbptt_steps: int | None = None,
        static_features: Sequence[int] | None = None,
        static_to: t.StaticTo = "both",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        kernel_initializer: t.KernelInitializer = "glorot_uniform",
        recurrent_initializer: t.KernelInitializer = "orthogonal",
        head_initializer: t.HeadInitializer = "glorot_uniform",
        loss: t.Loss = "mse",
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        optimizer: t.Optimizer = "adam",
        learning_rate: float = 3e-3,
        momentum: float = 0.9,
        nesterov: bool = True,
        weight_decay: float = 0.004,
        clipnorm: float | None = 1.0,
        learning_rate_schedule: t.Schedule | None = None,
        epochs: int = 100,
        batch_size: int = 32,
        engine: t.Engine = "auto",
        jit_compile: t.AutoBool = False,
        shuffle: bool = True,
        early_stopping: t.AutoBool = "auto",
        validation_fraction: float = 0.1,
        validation_gap: int = 0,
        n_iter_no_change: int = 5,
        tol: float = 1e-4,
        n_steps: int | None = None,
        missing_indicator: t.AutoBool = "auto",
        callbacks: t.Callbacks = None,
        warm_start: bool = False,
        random_state: t.RandomState | None = None,
        verbose: t.Verbose = "auto",
    ) -> None:
        super().__init__(
            units,
            activation=activation,
            bidirectional=bidirectional,
            merge_mode=merge_mode,
            residual=residual,
            transition_depth=transition_depth,
            input_layers=input_layers,
            output_layers=output_layers,
            dilation=dilation,
            segment=segment,
            return_sequences=return_sequences,
            tbptt_steps=tbptt_steps,
            static_features=static_features,
            static_to=static_to,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            l1=l1,
            l2=l2,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            head_initializer=head_initializer,
            loss=loss,
            quantiles=quantiles,
            optimizer=optimizer,
            learning_rate=learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            learning_rate_schedule=learning_rate_schedule,
            epochs=epochs,
            batch_size=batch_size,
            engine=engine,
            jit_compile=jit_compile,
            shuffle=shuffle,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            validation_gap=validation_gap,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            n_steps=n_steps,
            missing_indicator=missing_indicator,
            callbacks=callbacks,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.forget_bias = forget_bias
        self.peephole = peephole

    def _check_network_parameters(self) -> None:
        super()._check_network_parameters()
        check_real("forget_bias", self.forget_bias)
        check_bool("peephole", self.peephole)


class GRURegressor(_RecurrentRegressor):
    """Network of gated recurrent units that maps windows to targets.

    Parameters and attributes are those of `LSTMRegressor`, without `forget_bias` and `peephole`. A GRU has three
    quarters of an LSTM's parameters. The reset gate acts after the recurrent product, as in Keras and cuDNN.

    References
    ----------
    Cho, K. et al. (2014). Learning phrase representations using RNN encoder-decoder for statistical machine
    translation. EMNLP.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import GRURegressor
    >>> X = np.random.default_rng(0).normal(size=(50, 6, 2))  # (n_windows, n_steps, n_features)
    >>> y = X[:, -3:, 0]
    >>> GRURegressor(units=2, epochs=2, random_state=0).fit(X, y).predict(X).shape
    (50, 3)
    """

    _cell = "gru"


class SimpleRNNRegressor(_RecurrentRegressor):
    """Elman's network, one tanh layer with feedback, that maps windows to targets.

    Parameters and attributes are those of `LSTMRegressor`, without `forget_bias` and `peephole`. It has a quarter of an
    LSTM's parameters and forgets sooner.

    References
    ----------
    Elman, J. L. (1990). Finding structure in time. Cognitive Science 14(2), 179-211.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import SimpleRNNRegressor
    >>> X = np.random.default_rng(0).normal(size=(50, 6))  # six steps of one feature
    >>> SimpleRNNRegressor(units=2, epochs=2, random_state=0).fit(X, X.sum(axis=1)).predict(X).shape
    (50,)
    """

    _cell = "simple_rnn"
