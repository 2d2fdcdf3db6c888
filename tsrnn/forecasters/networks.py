"""What forecasters that train networks share. Imports regressors, and windowed for all that concerns time."""

from __future__ import annotations

import math
import warnings
from contextlib import AbstractContextManager
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._archive.schema import added, choice, either, instance, none_or, real, require
from .._progress import Work, work
from .._publishing import reads_one_state
from .._warnings import warn_user
from ..exceptions import CapacityWarning, DataError, SilentNetworkWarning
from ..frames import season_length
from ..regressors.base import NetworkRegressor
from ..regressors.reporting import ReportsToCallbacks
from ..significance import critical_value, long_run_standard_error
from ..windows import WindowArray
from .ensemble import Ensemble, EnsembleView, Pairs, Part
from .examples import Examples
from .global_windows import MOST_WINDOWS
from .groups import ForecasterCost, ForecasterTraining, NetworkParts
from .linear import LinearMap, fit_linear
from .naive import read_clock, season_clock
from .observed import rows_since_observed
from .saved import check_handed_on
from .scaling import observed_mean
from .trivial import TRIVIAL, Trivial, trivial_forecasts
from .windowed import WindowForecaster

__all__ = ["NetworkForecaster"]

#: Of many series, windows that the epochs draw from, in windows of an epoch.
POOL = 16
#: Share of the forecast's movement below which the networks are said to add nothing.
SILENT = 0.02


class NetworkForecaster(ReportsToCallbacks, ForecasterCost, ForecasterTraining, NetworkParts, WindowForecaster):
    """Shared part of the forecasters that train networks; a subclass adds the parameters of its own.

    Attributes
    ----------
    regressor_ : Ensemble or Trivial
        What forecasts: `regressor_.parts`, each with its `networks` and `linear` forecast; or the trivial forecast that
        these did not beat.
    stopped_ : Ensemble or None
        The networks before they were trained again on all windows, or before a trivial forecast took their place.
    beats_last_value_ : bool or None
        Whether the networks beat the best trivial forecast on the validation part, the last value or another; None
        where there was no validation part, or a quantile other than the median is forecast.
    trivial_ : {"last value", "season", "mean", "zero"} or None
        The best trivial forecast there. "season" is a candidate where a window holds one, "zero" where the mean of the
        rows before the validation part is less than two long-run standard errors from it.
    fallback_ : str or None
        The same where it was not beaten and is the forecast; None where the networks forecast.
    network_share_ : float or None
        Share of the networks in how far their forecasts move from the last value (with ``level=None`` from the mean),
        on the validation part, or on the training windows where there is none. With N what the networks add to a
        forecast and L its linear part, sum |N| / (sum |N| + sum |L|): 1 without a linear part, 0 where the networks add
        nothing. Whether these forecasts are used at all says ``fallback_``. None, not measured, in models saved by
        version 0.1.0.
    history_ : dict
    callbacks_ : list of list
        The callbacks of each network, as its last fit left them.
    n_parameters_ : int

    Warns
    -----
    SilentNetworkWarning
        In `fit` if the networks add nothing: less than 0.02 of how far forecasts move. What is left is the forecast of
        `RidgeForecaster`, or the trivial one.

    Notes
    -----
    By default two networks are averaged: one is trained on what a ridge regression of the windows leaves, the other on
    windows divided by their own standard deviation. A validation part, the last in time, says when to stop, and whether
    one of them is clearly better alone; then they are trained again on all windows. Where they do not beat the best
    trivial forecast on the validation part significantly (5 %), that one is the forecast: the last value, the last
    season, the mean of the training rows, or zero where the series moves around it.

    References
    ----------
    Diebold & Mariano (1995), "Comparing predictive accuracy", JBES 13 (the test).
    """

    _regressor_class: type[NetworkRegressor]
    #: What units="auto" or filters="auto" stands for.
    _width = 128
    regressor_: Ensemble | Trivial
    stopped_: Any  # Ensemble or None
    beats_last_value_: bool | None
    trivial_: str | None
    network_share_: float | None
    _dtype = np.float32
    _not_shown: tuple[str, ...] = ("model_",)  # Keras is imported for it
    _saved = {
        "regressor_": either(instance(Ensemble), instance(Trivial)),
        "stopped_": none_or(instance(Ensemble)),
        "beats_last_value_": choice(None, True, False),
        # Files of version 0.1.0 lack these.
        "trivial_": added(choice(None, *TRIVIAL), lambda m: None if m.beats_last_value_ is None else "last value"),
        "network_share_": added(none_or(real(0, 1)), lambda m: 0.0 if m.beats_last_value_ is False else None),
    }

    # ------------------------------------------------------------------ fit

    def _make_regressor(self, windows: WindowArray, most: int | None = None) -> NetworkRegressor:
        """The regressor with every parameter that it shares with this forecaster, and those that the data settle."""
        # Windows centred on their last value and a head of zeros: training starts at "repeat the last value", or at the
        # linear forecast, and early stopping keeps it where nothing learnt is better.
        head = "zeros" if self.level == "last" else "glorot_uniform"
        settled: dict[str, Any] = {"max_windows": most, "head_initializer": head}
        if self.batch_size == "auto":
            settled["batch_size"] = batch_size_for(min(len(windows), most or len(windows)))
        return self._regressor_class(**self._handed_on(self._regressor_class, windows) | settled)

    def _windows_of_epoch(self, examples: Examples) -> int | None:
        """Windows that an epoch reads, drawn anew for each; None for all, as of one series unless the user says so."""
        if self.max_windows == "auto":
            return None if examples.time is None else MOST_WINDOWS
        return int(self.max_windows)

    def _pool(self, most: int) -> int:
        return POOL * most

    def _settled(self, windows: WindowArray) -> dict[str, Any]:
        return super()._settled(windows) | {"units": self._width, "filters": self._width}

    def _is_automatic(self) -> bool:
        """Whether the network has the width that is chosen here."""
        return isinstance(getattr(self, "units", getattr(self, "filters", None)), str)

    def _check_windows(self, windows: WindowArray) -> None:
        self._make_regressor(windows).__check_parameters__()

    def _learn(self, examples: Examples) -> Ensemble | Trivial:
        windows, y = examples.windows, examples.y
        regressor = self._make_regressor(windows, self._windows_of_epoch(examples))
        rows, held_rows = examples.split(self.validation_fraction, self.early_stopping)
        training = windows[rows], y[rows]
        held = None if held_rows is None else (windows[held_rows], y[held_rows])
        self.stopped_ = self.beats_last_value_ = self.trivial_ = None
        with self._progress(held) as trainings, warnings.catch_warnings():
            # An automatic width is ours to answer for, and a validation part keeps windows from being learnt by heart.
            if self._is_automatic() or held is not None:
                warnings.simplefilter("ignore", CapacityWarning)
            networks = self._trained(regressor, training, held, trainings)
            self.network_share_ = networks.network_share(*(held or training))
            tested = held is not None and self._is_central()
            best = self._better_of(networks, examples, held_rows) if tested else networks
            if isinstance(best, Trivial):
                self.stopped_ = networks
            elif held is not None and self.refit:
                # The newest windows, which the validation part held back, tell most about what comes next.
                self.stopped_ = networks
                best = self._trained_again(networks, windows, y, trainings)
        if self.network_share_ < SILENT:
            warn_user(self._silence(networks, best), SilentNetworkWarning)
        return best

    def _silence(self, networks: Ensemble, best: Ensemble | Trivial) -> str:
        """Say that the networks add nothing: the same words for all candidates of a search, to be shown once."""
        linear = any(part.linear is not None for part in networks.parts)
        rest = "the ridge regression (RidgeForecaster gives it without training)" if linear else "the last value"
        if isinstance(best, Trivial) and linear:
            rest += f", which is not clearly better than {TRIVIAL[best.name]}: that is the forecast"
        return (
            f"the network of {type(self).__name__} adds nothing to {rest}. Train for longer (epochs, "
            "n_iter_no_change), try another learning_rate, or use RidgeForecaster or a naive forecast. Candidates of a "
            "search that differ in the network alone would tie."
        )

    def _progress(self, held: Pairs | None) -> AbstractContextManager[Work]:
        """One training, or two: the second on all windows."""
        n_trainings = 2 if held is not None and self.refit else 1
        return work(type(self).__name__, n_trainings, show=self.verbose, at_most=held is not None)

    def _trained(self, regressor: NetworkRegressor, training: Pairs, held: Pairs | None, trainings: Work) -> Ensemble:
        """Train all parts, and keep those that are to forecast."""
        ensemble = Ensemble(self._parts(regressor, training, held))
        with trainings.unit(""), work("", len(ensemble.networks)) as progress:
            for part in ensemble.parts:
                part.fit(training, held, progress)
        if held is None:
            return ensemble
        windows, y = held
        return ensemble.pruned(windows, y, 0.5 if self._is_central() else self.quantiles[0])

    def _is_central(self) -> bool:
        """Whether the forecast is to have a small absolute error; a quantile other than the median is not."""
        return self.loss != "pinball" or 0.5 in self.quantiles

    def _parts(self, regressor: NetworkRegressor, training: Pairs, held: Pairs | None) -> list[Part]:
        """What is to be trained and averaged: networks on a linear forecast, networks on scaled windows, or both."""
        windows, y = training
        linear = fit_linear(windows, y, held, self._gap()) if self.linear and self.level == "last" else None
        together = self._n_together()
        scaled = {"auto": together if self.level == "last" else 0, True: together, False: 0}[self.normalize]
        kinds: list[tuple[LinearMap | None, int]] = []
        if linear is not None:
            kinds.append((linear, together if self.normalize is True else 0))
        if linear is None or self.linear == "auto":
            kinds.append((None, scaled))
        random_state = check_random_state(self.random_state)

        def member() -> NetworkRegressor:
            return clone(regressor).set_params(random_state=int(random_state.randint(np.iinfo(np.int32).max)))

        return [Part([member() for _ in range(self.n_members)], *kind, together) for kind in kinds]

    def _trained_again(self, networks: Ensemble, windows: WindowArray, y: np.ndarray, trainings: Work) -> Ensemble:
        n_networks = sum(network.best_iteration_ > 0 for network in networks.networks)
        with trainings.unit("again, on all windows"), work("", n_networks) as progress:
            return Ensemble([self._refitted(part, windows, y, progress) for part in networks.parts])

    def _refitted(self, part: Part, windows: WindowArray, y: np.ndarray, progress: Work) -> Part:
        """Train anew on all windows, for as long as the validation part found best."""
        linear = part.linear and part.linear.refitted(windows, y)
        # A network that learnt nothing better than its start stays as it is.
        anew = [self._anew(network) if network.best_iteration_ else network for network in part.networks]
        if untrained := [new for new, old in zip(anew, part.networks, strict=True) if new is not old]:
            Part(untrained, linear, part.n_scaled, part.n_targets).fit((windows, y), None, progress)
        return Part(anew, linear, part.n_scaled, part.n_targets)

    def _anew(self, network: NetworkRegressor) -> NetworkRegressor:
        """An untrained copy of a stopped network that is to be trained for as long."""
        epochs = network.best_iteration_
        if self.learning_rate_schedule == "cosine":
            # The rate was high when training stopped. Over half as many epochs again it falls to 0 with about as much
            # movement in all, and the weights come to rest.
            epochs = min(self.epochs, math.ceil(1.5 * epochs))
        return clone(network).set_params(epochs=epochs, early_stopping=False)

    def _better_of(self, networks: Ensemble, examples: Examples, rows: Any) -> Ensemble | Trivial:
        """Return the networks if their absolute error is below that of the best trivial forecast, else that one.

        By a one-sided Diebold-Mariano test on the validation part: the best of many epochs there looks good by luck
        alone where there is nothing to learn, as on prices, and the network would only add its own noise.
        """
        candidates, errors = examples.trivial(rows)
        best = int(np.argmin([np.nanmean(error) for error in errors]))
        gain = errors[best] - np.nanmean(np.abs(examples.y[rows] - networks.predict(examples.windows[rows])), axis=1)
        gain, lag = examples.by_time(gain, rows)
        self.trivial_ = candidates[best].name
        self.beats_last_value_ = bool(gain.mean() > critical_value(len(gain), lag) * long_run_standard_error(gain, lag))
        # The mean that forecasts is that of all rows.
        return networks if self.beats_last_value_ else candidates[best].refitted(self.mean_[: len(self.targets_)])

    def _trivial(self, values: np.ndarray, windows: WindowArray) -> tuple[list[Any], list[np.ndarray]]:
        n_targets, n_views = len(self.targets_), self._n_views()
        season, index = season_length(self.grid_), self.grid_.rows(pd.DatetimeIndex(self.data_.index))
        before = len(values) - min(len(index), self.n_rows_fit_)  # empty rows before a short series
        targets = values[before:, :n_targets]
        # Windows start one view below the other, see `_windows`.
        view, first = np.divmod(windows.starts, len(windows.base) // n_views)
        cutoffs, of_window = np.unique(first + self.window_ - 1 - before, return_inverse=True)
        early = targets[: cutoffs[0] + 1]
        mean = observed_mean(early)
        mean = np.where(np.isnan(mean), self.mean_[:n_targets], mean)
        clock = read_clock(season_clock(self.grid_, index, self.origin_, season))
        candidates = trivial_forecasts(early, mean, season, self.window_)
        ahead = targets, self._target_scale(), cutoffs, self.block_, n_views, clock
        return candidates, [one.errors(*ahead)[of_window, view] for one in candidates]

    # ------------------------------------------------------------------ forecasts

    @property
    def fallback_(self) -> str | None:
        """Name of the trivial forecast that is the forecast, since the networks were not better; None if they are."""
        if isinstance(self.regressor_, Trivial):
            return self.regressor_.name
        # In files of version 0.1.0, networks that were not better have heads of zeros.
        return "last value" if self.beats_last_value_ is False else None

    @property
    def _ensemble(self) -> Ensemble:
        """The networks: those that forecast, or those in whose place a trivial forecast stands."""
        return self.stopped_ if isinstance(self.regressor_, Trivial) else self.regressor_

    def __ensemble_view__(self) -> EnsembleView:
        """Return what inspection may see of the networks."""
        if getattr(self, "members_", None) is not None:
            raise DataError(
                "the networks were fitted on many series, and inspection looks at windows of one. Hand over one of "
                "`regressor_.parts[0].networks` and windows of your own, or fit on one series."
            )
        targets, columns = list(self.targets_), list(self.data_.columns)
        together = targets if self._n_together() == len(targets) else ["target"]

        def windows() -> WindowArray:
            values = self._seen().to_numpy()
            # Of the last rows, the covariates of the steps ahead are not known.
            known = len(values) - (self.block_ if self.future_ else 0)
            return self._windows(self._scaled(values), np.arange(self.window_ - 1, known))[0]

        def examples() -> tuple[WindowArray, np.ndarray]:
            values = self._seen().to_numpy()[: self.n_rows_fit_]
            known = self._examples(values, self._training_cutoffs(values))
            return known.windows, known.y

        return EnsembleView(self._ensemble.parts, together + columns[len(targets) :], windows, examples)

    def _time_columns(self, index: pd.DatetimeIndex) -> np.ndarray:
        """The clock that tells which row the last season has for a step, where that is the forecast."""
        trivial = getattr(self, "regressor_", None)
        if isinstance(trivial, Trivial) and trivial.name == "season":
            return season_clock(self.grid_, index, self.origin_, trivial.season)
        return super()._time_columns(index)

    def _forecast(self, values: np.ndarray, cutoffs: np.ndarray, steps: int) -> np.ndarray:
        if isinstance(self.regressor_, Trivial):
            targets, clock = values[:, : len(self.targets_)], read_clock(values[:, len(self.data_.columns) :])
            return self.regressor_.forecast(targets, cutoffs, steps, clock)
        return super()._forecast(values, cutoffs, steps)

    def _forecast_hiding(
        self, values: np.ndarray, cutoffs: np.ndarray, steps: int, gap: int, hidden: int
    ) -> np.ndarray:
        if isinstance(self.regressor_, Trivial):
            # Of what comes after the rows that are left, the steps beyond the gap.
            return self._forecast(values, np.maximum(cutoffs - gap, 0), steps + gap)[:, gap:]
        return super()._forecast_hiding(values, cutoffs, steps, gap, hidden)

    def _apply(self, regressor: Any, windows: WindowArray) -> np.ndarray:
        return regressor.predict(windows)

    def _bands(
        self, values: np.ndarray, cutoffs: np.ndarray, forecasts: np.ndarray, quantiles: np.ndarray
    ) -> np.ndarray:
        """Quantiles that the network gives out, where it does; else what past errors say.

        Steps beyond the horizon are forecast from forecasts: the network would take them for observed, and its
        quantiles would be too narrow. So they would be after missing values at the end of the history.
        """
        # Before there is no full window; and the network learnt from few windows that end in a gap.
        known = cutoffs >= self.window_ - 1
        known &= (rows_since_observed(values[:, : len(self.targets_)], cutoffs) == 0).all(axis=1)
        if not self._knows_quantiles() or forecasts.shape[1] > self.block_ or not known.any():
            return super()._bands(values, cutoffs, forecasts, quantiles)
        bands = np.empty((*forecasts.shape, len(quantiles)))
        if not known.all():
            bands[~known] = super()._bands(values, cutoffs[~known], forecasts[~known], quantiles)
        windows, level = self._windows(self._scaled(values), cutoffs[known])
        scaled = self._ensemble.predict_quantiles(windows, quantiles)
        scaled = self._by_target(scaled, len(level))[:, : forecasts.shape[1]]
        centre = self.mean_[: len(self.targets_), None]
        bands[known] = (scaled + level[:, None, :, None]) * self._target_scale()[:, None] + centre
        return bands

    def _own_level(self) -> float:
        return self.quantiles[0] if self.loss == "pinball" and len(self.quantiles) == 1 else super()._own_level()

    def _knows_quantiles(self) -> bool:
        """Whether the network learnt quantiles or a distribution, and the forecast is the network's."""
        return self.loss in ("pinball", "gaussian", "student_t") and self.fallback_ is None

    def _held_out(self) -> Ensemble | Trivial | None:
        if isinstance(self.regressor_, Trivial):
            return self.regressor_
        tested = self.regressor_.networks[0].initial_val_loss_ is not None
        return self.stopped_ if self.stopped_ is not None else self.regressor_ if tested else None

    def _calibration_fraction(self) -> float:
        return super()._calibration_fraction() if self._held_out() is None else self.validation_fraction

    def _check_state(self) -> None:
        super()._check_state()
        if isinstance(trivial := self.regressor_, Trivial):
            beaten = self.beats_last_value_ is False and self.trivial_ == trivial.name
            kept = beaten and type(self.stopped_) is Ensemble
            require(kept, f"a trivial forecast, {trivial.name!r:.60}, stands where networks were not beaten by it")
            trivial.check(len(self.targets_), self.window_)
        for ensemble in (self.regressor_, self.stopped_):
            if isinstance(ensemble, Ensemble):
                self._check_ensemble(ensemble)
        check_handed_on(self, self._ensemble.networks[0])

    def _check_ensemble(self, ensemble: Ensemble) -> None:
        """Check the networks and linear maps that are averaged, each as `Part` describes it."""
        together, loss, kind = self._n_together(), self.loss, self._regressor_class
        require(ensemble.parts, "an Ensemble has no parts")
        for part in ensemble.parts:
            require(type(part) is Part, "an Ensemble holds what is no Part")
            require(part.networks and part.n_targets == together, "a part does not have the targets of a window")
            require(part.n_scaled in (0, together), f"a part scales {part.n_scaled} of {together} targets")
            if part.linear is not None:
                require(type(part.linear) is LinearMap, "a part adds what is no LinearMap")
                part.linear.check(math.prod(self._window_shape()), self._n_outputs())
            for network in part.networks:
                fitted = type(network) is kind and hasattr(network, "weights_")
                require(fitted, f"a network of {type(self).__name__} is not a fitted {kind.__name__}")
                network.__check_reads__(*self._window_shape(), self._n_outputs())
                view = network.__network_view__()
                learnt = view.loss == loss and (loss != "pinball" or view.quantiles == tuple(self.quantiles))
                require(learnt, f"loss={loss!r}, but a network was trained with {view.loss!r} {view.quantiles}")

    @property
    def n_parameters_(self) -> int:
        """Parameters of the networks and of the linear part."""
        return self._ensemble.n_parameters

    @reads_one_state
    def summary(self) -> pd.DataFrame:
        """Describe the networks layer by layer, and the linear forecasts that are added to them.

        Returns
        -------
        DataFrame
            One row for each layer of each network, with the columns of ``LSTMRegressor.summary`` and ``network``, its
            number; then the linear maps, what the networks have to do with the forecast, and the total.

        Examples
        --------
        >>> from tsrnn import GRUForecaster, datasets
        >>> model = GRUForecaster(window=24, horizon=6, units=8, linear=True, random_state=0)
        >>> model.fit(datasets.load_co2().tail(300)).summary()[["network", "layer", "output_shape", "parameters"]]
          network                        layer output_shape  parameters
        0       0                          GRU         (8,)         384
        1       0                        dense         (6,)          54
        2                     ridge regression         (6,)         150
        3          share of the networks: ... %         (6,)           0
        4                                total         (6,)         588
        """
        check_is_fitted(self)
        tables = [network.summary()[:-1].assign(network=i) for i, network in enumerate(self._ensemble.networks)]
        linear = [part.linear for part in self._ensemble.parts if part.linear is not None]
        shape = (self._ensemble.networks[0].n_outputs_,)
        rest = [("ridge regression", shape, each.n_parameters) for each in linear]
        rest.append((self._contribution(), shape, 0))
        rest.append(("total", shape, self.n_parameters_))
        below = pd.DataFrame(rest, columns=["layer", "output_shape", "parameters"]).assign(network="")
        n_windows = getattr(self._ensemble.networks[0], "n_windows_", None) or np.nan
        table = pd.concat([*tables, below.assign(per_window=below["parameters"] / n_windows)], ignore_index=True)
        return table[["network", "layer", "output_shape", "parameters", "per_window"]]

    def _contribution(self) -> str:
        """What the networks have to do with the forecast, in words."""
        if self.fallback_ is not None:
            return f"not used: the forecast is {TRIVIAL[self.fallback_]}"
        if self.network_share_ is None:
            return "share of the networks: not measured"
        return f"share of the networks: {100 * self.network_share_:.0f} %"

    @property
    @reads_one_state
    def history_(self) -> dict[str, list[float]]:
        """Loss, validation loss and learning rate by epoch of the first network, up to where it was stopped."""
        return (self.stopped_ or self._ensemble).networks[0].history_

    @property
    @reads_one_state
    def callbacks_(self) -> list[list[Any]]:
        """The callbacks of each network, as its last fit left them; none after a pickle or a file."""
        return [network.callbacks_ for network in self._ensemble.networks]

    @property
    def model_(self) -> Any:
        """The network, the first of several, as a Keras model of scaled, centred windows, without the linear part."""
        return self._ensemble.networks[0].model_

    @reads_one_state
    def export_keras(self, path: str | PathLike[str]) -> None:
        """Write `model_` to a file, see `LSTMRegressor.export_keras`; `save` writes the whole forecaster."""
        check_is_fitted(self)
        self._ensemble.networks[0].export_keras(path)


def batch_size_for(n_windows: int) -> int:
    """The power of two, from 16 to 512, that makes about a hundred steps of an epoch."""
    return int(2 ** np.clip(round(np.log2(n_windows / 100)), 4, 9))
