"""The parameters of forecasters, group by group. Imports parameters, checks, and the groups of the regressors.

Of a network, the lines that stand here again have other defaults than with the regressors: those that the accuracy
benchmark settled.
"""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .. import _types as t
from .._checks import check_int, check_units
from .._parameters import COST, FORECAST, NETWORK, TRAINING, auto_or, choice, group, param, unchecked
from .._parameters.rules import Rule
from ..exceptions import DataError
from ..frames.bins import RULES
from ..regressors.groups import Cost, MissingValues, Recurrence, Training
from ..transforms import check_bounds, check_transform

__all__ = [
    "LEVELS",
    "STRATEGIES",
    "AutoSegment",
    "AutoWidth",
    "ForecasterCost",
    "ForecasterRecurrence",
    "ForecasterTraining",
    "FutureCovariates",
    "NetworkParts",
    "Season",
    "Table",
    "Windowing",
]

STRATEGIES = ("direct", "recursive")
LEVELS = ("last", None)
#: Levels that loss="pinball" learns: those that `predict_interval` and `predict_quantiles` ask for by default.
QUANTILES = (0.05, 0.1, 0.5, 0.9, 0.95)


def one_of(choices: tuple[Any, ...]) -> Rule:
    """A rule whose errors are those of data, as all are that concern what is forecast."""

    def check(name: str, value: Any) -> None:
        if value not in choices:
            raise DataError(f"{name} must be one of {choices}, got {value!r}.")

    return check


def check_switch(name: str, value: Any) -> None:
    if not isinstance(value, (bool, np.bool_)):
        raise DataError(f"{name} must be True or False, got {value!r}.")


def check_rows(name: str, value: Any) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1):
        raise DataError(f"{name} must be an integer of at least 1 or None, got {value!r}.")


# ---------------------------------------------------------------------- what is forecast


@group(FORECAST)
class Table:
    """Which table is forecast.

    Parameters
    ----------
    target : str, list of str or None
        Column(s) of X to forecast when no y is given; None means all.
    freq
        Frequency of the index where it cannot be inferred; of an array, how far its rows are apart.
    id_col, time_col : label
        Columns of a long table that say which series a row is of, and when it is; without `time_col` the index is the
        time. An index of two levels, series and time, needs neither. Times may be integers: the numbers of the rows.
    resample
        Put rows at any times on the grid of `freq`: what falls into a step becomes one row, labelled by the start of
        the step, by this rule; steps without a row are gaps. Missing values are passed over, and the last step may be
        incomplete. The same in `update`, which begins with a new step, and `history`. Past covariates go by the same
        rule; covariates known ahead must be on the grid. By default rows beside the grid are refused.
    transform
        Scale on which each series is modelled: "log", "log1p", "boxcox", "yeojohnson", "standard", "robust", or a
        transformer of scikit-learn that has an inverse. It is fitted to the rows to fit alone. "returns" (changes of
        the logarithm) and "difference" model changes from row to row, which add up to forecasts; their intervals are
        measured on whole paths of the past. Forecasts, intervals and scores are in the unit of the target; the forecast
        is the median.
    bounds : tuple of float or None
        Lowest and highest value that a forecast may have, ``(0, None)`` for counts and prices; either may be None.
    errors
        "raise" refuses a table in which some series cannot be forecast, and names them all; "report" forecasts the
        others and tells of these in ``problems_``.
    """

    target: t.Labels | None = param(default=None, rule=unchecked)
    freq: str | None = param(default=None, rule=unchecked)
    id_col: Hashable | None = param(default=None, rule=unchecked, kw_only=True)
    time_col: Hashable | None = param(default=None, rule=unchecked, kw_only=True)
    resample: t.Resample | None = param(default=None, rule=one_of((*RULES, None)), kw_only=True)
    transform: Any = param(default=None, rule=check_transform, kw_only=True)
    bounds: tuple[float | None, float | None] | None = param(default=None, rule=check_bounds, kw_only=True)
    errors: t.Errors = param(default="raise", kw_only=True)


@group(FORECAST)
class FutureCovariates:
    """What is known ahead.

    Parameters
    ----------
    future_covariates : str, list of str or None
        Columns known ahead. A column of text or categories becomes one of 0 and 1 for each of them.
    calendar : str, list of str or None
        Covariates made of the time: "hour", "weekday", "day" (of the month), "month", "yearday", each as sine and
        cosine, and "holiday". They need not be passed.
    fourier
        Fourier terms as covariates: number of pairs by period, ``{"D": 3, "7D": 2}``; of numbered rows, by rows.
    holidays : str, list of dates, calendar of an exchange or None
        Country, "US" or "US-NY", whose holidays the package `holidays` knows; the dates; or an object that knows the
        open days, by ``valid_days(start, end)`` or ``sessions_in_range(start, end)``: every other day is a holiday. A
        model with such an object is not saved by `save`; pickle keeps it.
    """

    future_covariates: t.Labels | None = param(default=None, rule=unchecked)
    calendar: t.Labels | None = param(default=None, rule=unchecked, kw_only=True)
    fourier: dict[Any, int] | None = param(default=None, rule=unchecked, kw_only=True)
    holidays: Any = param(default=None, rule=unchecked, kw_only=True)


@group(FORECAST)
class Windowing(FutureCovariates, Table):
    """How the table is cut into windows.

    Parameters
    ----------
    window
        Past rows that the model reads. By default a week and a day where a day has several rows, else four seasons or
        periods; at most 1,000, and a quarter of the history.
    horizon
        Steps forecast at once by strategy "direct". None stands for 1, and is set by `tsrnn.compare`.
    strategy
        All steps of the horizon at once, or one step fed back again and again. Steps beyond the horizon are fed back
        block by block.
    level
        "last" subtracts the last observation from each window and adds it back to the forecast.
    shared
        Forecast each of several targets from its own past (and the covariates) by one model, fitted on all of them;
        False forecasts all from the past of all.
    past_covariates : str, list of str or None
        Columns known up to the cutoff.
    static_covariates : str, list of str or None
        Columns that are constant in each of many series: numbers, or categories. The column of the series itself,
        ``id_col``, lets a network tell the series apart.
    season_length
        Rows in a season. By default the usual one of the frequency: a day of hours, a week of days, a year of months;
        none where rows are numbered.
    max_windows
        Windows that are learnt from where there are more, drawn at random, by networks anew for each epoch. "auto"
        stands for 32,768 of many series, and for all of one.
    """

    target: t.Labels | None = param(default=None, kw_only=False)
    window: int | None = param(default=None, rule=check_rows, kw_only=False)
    horizon: int | None = param(default=None, rule=check_rows, kw_only=False)
    strategy: t.Strategy = param(default="direct", rule=one_of(STRATEGIES), kw_only=False)
    level: t.Level | None = param(default="last", rule=one_of(LEVELS), kw_only=False)
    shared: bool = param(default=True, rule=check_switch, kw_only=False)
    past_covariates: t.Labels | None = param(default=None, rule=unchecked)
    static_covariates: t.Labels | None = param(default=None, rule=unchecked, kw_only=True)
    season_length: int | None = param(default=None, rule=partial(check_int, none=True), kw_only=True)
    max_windows: int | t.Auto = param(default="auto", rule=auto_or(check_int), kw_only=True)


@group(NETWORK)
class Season:
    """How long a season is.

    Parameters
    ----------
    season_length
        Rows in a season. By default the usual one of the frequency: a day of hours, a week of days, a year of months.
    """

    season_length: int | None = param(default=None, rule=partial(check_int, none=True), kw_only=False)


# ---------------------------------------------------------------------- how the network looks


@group(NETWORK)
class NetworkParts:
    """What is averaged.

    Parameters
    ----------
    linear
        Train on what a ridge regression of the windows leaves, and add it again. "auto" averages two networks, one with
        and one without, unless one is clearly better on the validation part. Needs level="last".
    normalize
        Divide the targets in a window by their standard deviation there, and multiply the forecast by it. "auto": where
        no linear forecast is added. What is large today will move by more tomorrow.
    """

    linear: t.AutoBool = param(default="auto")
    normalize: t.AutoBool = param(default="auto")


@group(NETWORK)
class AutoWidth:
    """How large the network is.

    Parameters
    ----------
    units
        Width of the hidden layer; a tuple stacks layers. "auto" is 128.
    """

    units: t.Layers | t.Auto = param(default="auto", rule=auto_or(check_units))


@group(NETWORK)
class AutoSegment:
    """How many rows are read together.

    Parameters
    ----------
    segment
        Rows read per recurrent step: a long window read in segments trains faster and is remembered further back. If
        the rows do not divide, the first segment is filled up with zeros on the left. "auto" reads a window in four
        steps or a few more.

    References
    ----------
    Lin et al. (2023), "SegRNN", arXiv:2308.11200 (reading in segments).
    """

    segment: int | t.Auto = param(default="auto", rule=auto_or(check_int))


@group(NETWORK)
class ForecasterRecurrence(AutoSegment, Recurrence, AutoWidth):
    """The axes of a recurrent network."""

    dropout: float = param(default=0.2)


# ---------------------------------------------------------------------- how it is trained, and what it costs


@group(TRAINING)
class ForecasterTraining(MissingValues, Training):
    """How a forecaster trains its networks.

    Parameters
    ----------
    loss
        What is minimised, in units of the scaled series. After the first three, intervals come from the errors on the
        last windows. The network learns `quantiles` itself by "pinball", a normal or Student's t distribution by the
        other two, and intervals come from there: they may be wider at one time than at another. Where the forecast is
        the last value after all, or goes beyond the horizon, they come from the errors as well.
    quantiles
        Levels that "pinball" learns, increasing, and the only ones that it can be asked for; several must hold 0.5,
        which is the forecast. For `predict_interval(coverage=0.8)` it needs 0.1 and 0.9.
    learning_rate_schedule
        Factor on the learning rate in each epoch. "cosine" falls to 0 over `epochs`; "exponential" stays at 1 for three
        epochs and then falls by a fifth in each; a function maps the epoch, from 0, to a factor.
    batch_size
        Windows in a training step. "auto" makes about a hundred steps of an epoch, with 16 to 512 windows in each.
    early_stopping
        Stop when the last `validation_fraction` of the windows in time is no longer forecast better, and restore the
        best weights. "auto": with 200 windows or more, if half of them are left to train on.
    refit
        After early stopping, train again on all windows, for as many epochs as were best; with the cosine schedule for
        half as many more, over which the rate falls to 0. Intervals come from the first training.
    missing_indicator
        Tell the network where a value was missing. "auto": if any is in the training rows.
    """

    loss: t.Loss = param(default="mae")
    quantiles: Sequence[float] = param(default=QUANTILES)
    learning_rate: float = param(default=2e-3)
    learning_rate_schedule: t.Schedule | None = param(default="cosine")
    epochs: int = param(default=30)
    batch_size: int | t.Auto = param(default="auto", rule=auto_or(check_int))
    validation_fraction: float = param(default=0.2)
    refit: bool = param(default=True, rule=choice(True, False))
    n_iter_no_change: int = param(default=8)
    tol: float = param(default=0.0)


@group(COST)
class ForecasterCost(Cost):
    """How fast it is, and what is seen meanwhile.

    Parameters
    ----------
    n_members
        Networks of each kind, from different initial weights, whose forecasts are averaged.
    callbacks : Keras callback, function that returns one, or list of them
        Called during training with a Keras model. Each network has copies of its own, with their counters anew, which
        report to the lists, queues and files that you gave them.
    """

    n_members: int = param(default=1, rule=check_int)
