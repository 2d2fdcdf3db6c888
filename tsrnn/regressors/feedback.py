"""Networks that read what they gave out before: `OutputRecurrentRegressor` (Jordan's) and `Seq2SeqRegressor`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from .._parameters import estimator
from .._publishing import reads_one_state
from ..engine import WindowData
from ..engine.distributions import n_parameters, point_forecast
from ..networks import FeedbackSpec, initial_weights, run_feedback
from .groups import Decoder, EachStep, Feedback, FutureFeatures, OutputCell, Segment, TeacherForcing, Width
from .inputs import align_targets
from .keras_trained import KerasTrainedRegressor
from .parameters import feature_channels, layer_units

__all__ = ["OutputRecurrentRegressor", "Seq2SeqRegressor"]


class _FeedbackRegressor(KerasTrainedRegressor, TeacherForcing, FutureFeatures, Feedback):
    """What the two share: all but the cell."""

    _spec: FeedbackSpec
    _spec_class = FeedbackSpec
    cell: Any
    units: Any

    @reads_one_state
    def predict_teacher_forced(self, X: Any, y: Any) -> np.ndarray:
        """Predict each step from the true targets of the steps before it, instead of from what was predicted there.

        That is what the network sees in training with ``teacher_forcing=1.0``; a forecast cannot be made so, since
        it needs the targets. It is computed in NumPy, in double precision.

        Parameters
        ----------
        X : WindowArray or array-like
            Windows as in `predict`.
        y : array-like
            Their targets as in `fit`. Where one is NaN, the last known one stands in.

        Returns
        -------
        y : ndarray of float64
            In the shape of `predict`.

        Raises
        ------
        ValueError
            If y has another shape than in `fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from tsrnn import Seq2SeqRegressor
        >>> X = np.random.default_rng(0).normal(size=(200, 6, 1))  # (n_windows, n_steps, n_features)
        >>> y = X[:, -3:, 0].cumsum(axis=1)
        >>> model = Seq2SeqRegressor(units=3, epochs=1, random_state=0).fit(X, y)
        >>> model.predict_teacher_forced(X, y).shape
        (200, 3)
        """
        check_is_fitted(self)
        return self._teacher_forced(*self._read_both(X, y))

    def _teacher_forced(self, windows: WindowData, truth: np.ndarray, n_steps: int) -> np.ndarray:
        spec, chunks = self._spec, []
        for rows, block in windows.blocks():
            channels = self._missing.channels(block.astype(np.float64))
            chunks.append(run_feedback(spec, self.weights_, channels, windows.lead[rows], truth[rows]))
        outputs = np.concatenate(chunks)
        if spec.head == "sequence":
            outputs = outputs[:, -n_steps:]
        else:  # (n, H, P * K) -> (n, P * H * K), as the engine has it
            outputs = outputs.reshape(len(outputs), spec.horizon, spec.per_target, spec.n_targets)
            outputs = np.moveaxis(outputs, 2, 1).reshape(len(outputs), -1)
        return point_forecast(self._loss, self._quantiles, outputs).reshape(self._prediction_shape(outputs))

    @reads_one_state
    def exposure_bias(self, X: Any, y: Any) -> pd.DataFrame:
        """Compare the errors with the true targets fed back and with the network's own outputs fed back.

        A network that was trained with a teacher has never met its own errors: where they feed on each other, the
        free-running error grows faster from step to step than the teacher-forced one [1]_. Lower `teacher_forcing`
        then, or let it fall over the epochs.

        Parameters
        ----------
        X, y : array-like
            Windows and targets as in `fit`; not those of the training.

        Returns
        -------
        DataFrame
            One row for each step, from 1: root mean squared errors, in the unit of y, "teacher_forced" and
            "free_running", which is that of `predict`; NaN where no target is known.

        Raises
        ------
        ValueError
            If y has another shape than in `fit`.

        References
        ----------
        .. [1] Ranzato, Chopra, Auli and Zaremba (2016). Sequence level training with recurrent neural networks. ICLR.

        Examples
        --------
        >>> import numpy as np
        >>> from tsrnn import OutputRecurrentRegressor
        >>> X = np.random.default_rng(0).normal(size=(300, 4, 1))  # (n_windows, n_steps, n_features)
        >>> y = X[:, -1] * 1.5 ** np.arange(1, 4)
        >>> errors = OutputRecurrentRegressor(units=8, epochs=2, random_state=0).fit(X, y).exposure_bias(X, y)
        >>> errors.shape
        (3, 2)
        >>> bool(np.isclose(*errors.loc[1]))  # before the first step nothing is fed back
        True
        """
        check_is_fitted(self)
        windows, truth, n_steps = self._read_both(X, y)
        forced, free = self._teacher_forced(windows, truth, n_steps), self.predict(X)
        truth = truth[:, -n_steps:] if self._spec.head == "sequence" else truth
        errors = {}
        for name, predicted in (("teacher_forced", forced), ("free_running", free)):
            squared = np.square(predicted.reshape(truth.shape) - truth)
            total, n = np.nansum(squared, axis=(0, 2)), (~np.isnan(squared)).sum(axis=(0, 2))
            errors[name] = np.sqrt(np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0))
        return pd.DataFrame(errors, index=pd.RangeIndex(1, truth.shape[1] + 1, name="step"))

    def _read_both(self, X: Any, y: Any) -> tuple[WindowData, np.ndarray, int]:
        """Return the windows, the targets (n_windows, horizon, n_targets), and the steps of X."""
        X = self._read_windows(X)
        y, shape = self._read_targets(X, y, allow_nan=True)
        windows = self._window_data(X)
        if self._spec.head == "sequence":
            y, shape = align_targets(windows, y, shape, X.shape[1], allow_nan=True)
        if shape != self._target_shape:
            raise ValueError(
                f"y has shape (n_windows, *{shape}), but {type(self).__name__} was fitted to "
                f"(n_windows, *{self._target_shape}). Pass targets of that shape."
            )
        return windows, y.reshape(len(y), self._spec.horizon, self._spec.n_targets), X.shape[1]

    # -- the network -------------------------------------------------------------------------------------------------

    def _describe(self, n_inputs: int, reads: str, segment: int, attention: str | None = None) -> FeedbackSpec:
        horizon, n_targets = (*self._target_shape, 1, 1)[:2]
        spec = FeedbackSpec(
            cell=self.cell,
            units=layer_units(self.units),
            reads=reads,
            n_steps=self.n_steps_in_,
            n_inputs=n_inputs,
            n_targets=n_targets,
            horizon=horizon,
            per_target=n_parameters(self._loss, self._quantiles),
            # The point that is predicted: the median, or the location of a distribution.
            fed_back=self._quantiles.index(0.5) if len(self._quantiles) > 1 else 0,
            activation=self.activation,
            segment=segment,
            attention=attention,
            future=self._future_channels(),
        )
        spec.check(self.n_steps_in_)
        return spec

    def _future_channels(self) -> tuple[int, ...]:
        """Return the channels of `future_features`: the features, and the missing indicators that they have."""
        future, n_features = self.future_features, self._n_features_per_step
        return feature_channels("future_features", future, n_features, self._missing.indicators)

    def _check_windows(self, windows: WindowData) -> None:
        super()._check_windows(windows)
        n_steps, spec = windows.n_steps - windows.lead, self._spec
        if spec.future and n_steps.min() < spec.horizon:
            raise ValueError(
                f"a window of {n_steps.min()} steps cannot hold future_features of {spec.horizon} steps, one value for "
                f"each step of y. Pass windows of at least {spec.horizon} steps."
            )

    def _initial_weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        return initial_weights(self._spec, rng, head=self.head_initializer)

    def _is_mine(self, spec: FeedbackSpec) -> bool:
        return (*self._target_shape, 1, 1)[:2] == (spec.horizon, spec.n_targets)


@estimator
class OutputRecurrentRegressor(_FeedbackRegressor, EachStep, Width, OutputCell):
    """Output-recurrent network (Jordan's [1]_): each step reads what was predicted at the step before.

    With ``cell="dense"`` the only recurrence is through the output, ``h(s) = tanh(b + W o(s-1) + U x(s))`` and
    ``o(s) = c + V h(s)``. Given the true targets in training, its steps do not depend on each other, and all are
    trained in parallel: teacher forcing [2]_. Such a network is weaker than one with a state: the output has to hold
    all that is to be remembered. The other cells have a state as well, and read the output beside it.

    y of shape (n_windows, horizon) is predicted from the whole window, step after step: one-to-many. At step s, x(s)
    is the window (if it is shorter than others, with zeros on its left), s / horizon and the `future_features`. With
    ``return_sequences=True`` y has a target for each step of the window, and x(s) is that step.

    Parameters
    ----------
    units
        Width of the hidden layer; a tuple stacks layers.
    dropout
        Rate of dropout before the last layer.

    Attributes
    ----------
    weights_ : list of ndarray
        Kernel, (recurrent kernel) and bias of each layer; the first rows of the first kernel are W. Then V and c.

    References
    ----------
    .. [1] Jordan (1986). Serial order: a parallel distributed processing approach. As in Goodfellow, Bengio and
       Courville (2016), Deep learning, section 10.2.1.
    .. [2] Williams and Zipser (1989). A learning algorithm for continually running fully recurrent neural networks.
       Neural Computation 1(2).

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import OutputRecurrentRegressor
    >>> X = np.random.default_rng(0).normal(size=(80, 6, 1))  # (n_windows, n_steps, n_features)
    >>> y = X[:, -3:, 0].cumsum(axis=1)
    >>> model = OutputRecurrentRegressor(units=4, epochs=2, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (80, 3)
    >>> model.exposure_bias(X, y).columns.to_list()
    ['teacher_forced', 'free_running']
    """

    def _network(self, n_inputs: int) -> FeedbackSpec:
        if self.return_sequences:
            return self._describe(n_inputs, "steps", 1)
        return self._describe(n_inputs, "window", self.n_steps_in_)

    def _check_together(self) -> None:
        super()._check_together()
        if self.return_sequences and self.future_features is not None:
            raise ValueError(
                "future_features are for steps after the window, but return_sequences=True predicts the steps in it, "
                "each of which reads all features. Set one of the two."
            )

    def _is_mine(self, spec: FeedbackSpec) -> bool:
        return spec.reads in ("steps", "window") and super()._is_mine(spec)


@estimator
class Seq2SeqRegressor(_FeedbackRegressor, Segment, Width, Decoder):
    """Encoder and decoder [1]_: one network reads the window, another predicts the steps after it, one by one.

    The decoder starts from the encoder's last states. At each step it reads what was predicted at the step before, and
    the `future_features`. Windows and y may have different lengths, and the windows different ones among themselves.

    Parameters
    ----------
    units
        State size of both; a tuple stacks layers.
    future_features
        Positions of features that are known ahead, passed moved up by the horizon: the value at a step is that of
        `horizon` steps later (``shift(-horizon)`` in pandas), so that the last ones in a window are those of the steps
        to be predicted. The decoder reads at each step its own; the encoder reads them with the rest.

    Attributes
    ----------
    weights_ : list of ndarray
        Kernel, recurrent kernel and bias of each layer of the encoder and of the decoder, the attention's kernels, and
        kernel and bias of the last layer. The first rows of the decoder's first kernel are those of what is fed back.

    References
    ----------
    .. [1] Sutskever, Vinyals and Le (2014). Sequence to sequence learning with neural networks. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import Seq2SeqRegressor
    >>> X = np.random.default_rng(0).normal(size=(200, 6, 2))  # (n_windows, n_steps, n_features)
    >>> y = X[:, -3:]  # (n_windows, horizon, n_targets)
    >>> Seq2SeqRegressor(units=3, attention="dot", epochs=1, random_state=0).fit(X, y).predict(X).shape
    (200, 3, 2)
    """

    def _network(self, n_inputs: int) -> FeedbackSpec:
        segment = min(int(self.segment), self.n_steps_in_)
        return self._describe(n_inputs, "encoder", segment, self.attention)

    def _is_mine(self, spec: FeedbackSpec) -> bool:
        return spec.reads == "encoder" and super()._is_mine(spec)
