"""How networks are trained, and what that costs. Imports parameters, checks, and the schedules of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ... import _types as t
from ..._checks import check_choice, check_int, check_quantiles, check_real, check_verbose
from ..._parameters import COST, TRAINING, choice, group, param, unchecked
from ...engine.training import SCHEDULES
from .rules import NOT_NEGATIVE, POSITIVE, RATE

__all__ = [
    "Cost",
    "Descent",
    "Engine",
    "Loss",
    "RegressorTraining",
    "Seed",
    "Stopping",
    "TeacherForcing",
    "Training",
]


def check_schedule(name: str, value: Any) -> None:
    """Raise unless `value` is None, a known schedule or a function."""
    if value is not None and not callable(value):
        check_choice(name, value, tuple(SCHEDULES))


def check_teacher_forcing(name: str, value: Any) -> None:
    """Raise unless `value` is a share of the steps, "linear" or a function."""
    if isinstance(value, str) and value != "linear":
        raise ValueError(f"{name} must be a share between 0 and 1, 'linear' or a function of the epoch, got {value!r}.")
    if not isinstance(value, str) and not callable(value):
        check_real(name, value, 0, 1)


# ---------------------------------------------------------------------- how it is trained


@group(TRAINING)
class Loss:
    """What is minimised.

    Parameters
    ----------
    loss
        What is minimised. The first three forecast a point. "pinball" learns the `quantiles`; "gaussian" and
        "student_t" learn a normal or Student's t distribution by their likelihood: `predict_quantiles` gives its
        quantiles. Their scale stays above 0.001 and starts from 1: scale y.
    quantiles
        Levels that "pinball" learns, increasing; several must hold 0.5, which is what `predict` returns. For the other
        losses, what `predict_quantiles` returns if it is not asked for others.
    l1, l2
        Penalties on the absolute and squared values of all kernels, those of the head and peepholes among them; they
        are added to the loss.

    References
    ----------
    Koenker, R. and Bassett, G. (1978). Regression quantiles. Econometrica 46(1), 33-50 ("pinball").

    Salinas, D., Flunkert, V., Gasthaus, J. and Januschowski, T. (2020). DeepAR. International Journal of Forecasting
    36(3), 1181-1191 (networks that give out the parameters of a likelihood).

    Lange, K., Little, R. and Taylor, J. (1989). Robust statistical modeling using the t distribution. JASA 84, 881-896.
    """

    loss: t.Loss = param(default="mse")
    quantiles: Sequence[float] = param(default=(0.1, 0.5, 0.9), rule=check_quantiles)
    l1: float = param(default=0.0, rule=NOT_NEGATIVE)
    l2: float = param(default=0.0, rule=NOT_NEGATIVE)


@group(TRAINING)
class Descent:
    """How the loss is minimised.

    Parameters
    ----------
    optimizer
        Keras's optimiser of that name.
    learning_rate
        Initial learning rate.
    momentum
        Momentum of "sgd".
    nesterov
        Whether the momentum of "sgd" is Nesterov's.
    weight_decay
        Share of each weight that "adamw" takes off in a step, times the learning rate.
    clipnorm
        Largest norm of the gradient of all weights together.
    learning_rate_schedule
        Factor on the learning rate in each epoch. "cosine" falls to 0 over `epochs`; "exponential" stays at 1 for three
        epochs and then falls by a fifth in each; a function maps the epoch, from 0, to a factor. `partial_fit` counts
        epochs on.
    epochs
        Passes over the windows, at most.

    References
    ----------
    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR ("adamw").
    """

    optimizer: t.Optimizer = param(default="adam")
    learning_rate: float = param(default=3e-3, rule=POSITIVE)
    momentum: float = param(default=0.9, rule=RATE)
    nesterov: bool = param(default=True)
    weight_decay: float = param(default=0.004, rule=NOT_NEGATIVE)
    clipnorm: float | None = param(default=1.0, rule=partial(check_real, low=0, closed="right", none=True))
    learning_rate_schedule: t.Schedule | None = param(default=None, rule=check_schedule)
    epochs: int = param(default=100, rule=check_int)


@group(TRAINING)
class TeacherForcing:
    """What a network that reads its own outputs reads in training.

    Parameters
    ----------
    teacher_forcing
        Share of the steps at which the true target of the step before is fed back in training, instead of what the
        network predicted there: 1 is teacher forcing, 0 free running, in between it is drawn for each window and step.
        "linear" falls from 1 in the first epoch to 1 / `epochs` in the last, and a function maps the epoch, from 0, to
        a share: scheduled sampling (Bengio et al., 2015). `partial_fit` is always a first epoch. Where a target is NaN,
        the last known one is fed back. Predictions, and so the validation loss, are always free-running.

    References
    ----------
    Bengio, S., Vinyals, O., Jaitly, N. and Shazeer, N. (2015). Scheduled sampling for sequence prediction with
    recurrent neural networks. NeurIPS.
    """

    teacher_forcing: t.TeacherForcing = param(default=1.0, rule=check_teacher_forcing)


@group(TRAINING)
class Stopping:
    """When training ends.

    Parameters
    ----------
    early_stopping
        Stop when the loss on the last windows in time no longer falls, and go back to the best weights, which may be
        the initial ones. "auto" does so from 1000 windows on.
    validation_fraction
        Share of the windows, the last in time, that early stopping watches.
    n_iter_no_change
        Epochs without an improvement by more than `tol` after which to stop.
    tol
        Smallest fall of the validation loss that counts.
    """

    early_stopping: t.AutoBool = param(default="auto")
    validation_fraction: float = param(default=0.1, rule=partial(check_real, low=0, high=1, closed="neither"))
    n_iter_no_change: int = param(default=5, rule=check_int)
    tol: float = param(default=1e-4, rule=NOT_NEGATIVE)


@group(TRAINING)
class Seed:
    """What makes chance repeat itself.

    Parameters
    ----------
    random_state
        Makes initial weights, the order of windows and dropout masks the same each time.
    """

    random_state: t.RandomState | None = param(default=None, rule=unchecked)


@group(TRAINING)
class Training(Seed, Stopping, Descent, Loss):
    """How a network is trained."""


@group(TRAINING)
class RegressorTraining(Training):
    """What only a regressor leaves to the user.

    Parameters
    ----------
    batch_size
        Windows in a training step, no more than there are.
    shuffle
        Merge equal windows and shuffle the order in each epoch. With False, windows are trained on in the given order.
    max_windows
        Windows of an epoch, drawn anew for each where there are more; None reads all in each.
    validation_gap
        Windows left out before the validation part. The horizon less one keeps overlapping targets from leaking.
    warm_start
        Let `fit` go on from the weights, the optimiser's state and the random numbers of the last fit. Another
        `optimizer` starts afresh; the schedule, `n_iter_` and `history_` begin anew.
    """

    batch_size: int = param(default=32, rule=check_int)
    shuffle: bool = param(default=True)
    max_windows: int | None = param(default=None, rule=partial(check_int, none=True))
    validation_gap: int = param(default=0, rule=partial(check_int, low=0))
    warm_start: bool = param(default=False)


# ---------------------------------------------------------------------- what it costs


@group(COST)
class Engine:
    """What computes.

    Parameters
    ----------
    engine
        What computes the network. "native" is tsrnn's own engine for the processor, which needs neither Keras nor
        TensorFlow; "auto" takes it wherever it was compiled and computes this network, and Keras otherwise. Both give
        weights in the same layout, equal up to rounding.
    """

    engine: t.Engine = param(default="auto")


@group(COST)
class Cost:
    """How fast it is, and what is seen meanwhile.

    Parameters
    ----------
    jit_compile
        Where Keras trains: compile the training step with XLA. Long fits of small networks run two to five times
        faster; it costs about a second for each new shape and 150 MB of memory, once per process. "auto" compiles where
        the fit is long enough to earn the second back.
    callbacks : Keras callback, function that returns one, or list of them
        Called during training with a Keras model. Each fit works on a shallow copy of an instance, so that its counters
        start anew; the lists, queues and files that it holds are those that you gave it. scikit-learn's own callbacks
        are set with `set_callbacks`.
    verbose
        "auto" shows a progress bar on a terminal or in a notebook once a fit has taken three seconds, and nothing in
        pipes, logs, tests and parallel workers. 0 is silent, 1 shows the bar at once. A fit inside a comparison, a
        search or a cross-validation has none of its own.
    """

    jit_compile: t.AutoBool = param(default=False, rule=choice(False, True, "auto"))
    callbacks: t.Callbacks = param(default=None, rule=unchecked)
    verbose: t.Verbose = param(default="auto", rule=check_verbose)
