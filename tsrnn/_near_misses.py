"""Which parameter was meant by a word that is none: those of other toolkits, and slips of the pen. Imports nothing."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Set
from functools import lru_cache

__all__ = ["check_parameters", "nearest"]

#: Parameters that are all named where none is near.
FEW = 15
#: Our word, or words in the order in which they are looked for, -> what other toolkits and other habits call it.
_SYNONYMS: dict[str, str] = {
    "units filters": (
        "hidden hidden_size hidden_dim hidden_dims hidden_units n_units num_units n_hidden neurons n_neurons "
        "rnn_units state_size encoder_hidden_size hidden_layer_sizes reservoir_size n_reservoir layer_size width "
        "n_filters num_filters"
    ),
    "n_blocks units": "n_layers num_layers layers n_rnn_layers num_rnn_layers encoder_n_layers depth",
    "learning_rate": "lr eta step_size learning_rate_init initial_learning_rate",
    "learning_rate_schedule": "scheduler lr_scheduler lr_schedule decay",
    "epochs max_iter": (
        "n_epochs num_epochs nb_epoch max_epochs max_steps n_iter num_iter max_iter iterations n_iterations"
    ),
    "batch_size": "batch bs train_batch_size",
    "window n_steps": (
        "input_chunk_length input_size input_length context_length context_window max_encoder_length lags n_lags "
        "lag lookback look_back window_length window_size n_timesteps timesteps seq_len seq_length sequence_length "
        "history_length n_in past"
    ),
    "horizon": (
        "output_chunk_length output_size output_length prediction_length max_prediction_length pred_len h fh "
        "forecast_horizon forecast_length n_ahead steps_ahead steps n_out n_steps_ahead n_forecasts"
    ),
    "random_state": "seed random_seed rng generator torch_seed",
    "loss": "criterion loss_fn loss_function objective",
    "optimizer": "optim optimiser solver",
    "dropout": "dropout_rate drop_rate p_dropout dropout_p encoder_dropout",
    "clipnorm": "grad_clip gradient_clip gradient_clip_val clip clip_norm max_grad_norm clipvalue",
    "n_iter_no_change": "patience early_stop_patience early_stop_patience_steps n_no_change",
    "validation_fraction": "val_split validation_split val_size val_fraction validation_size test_size",
    "early_stopping": "early_stop",
    "l2 alpha": "l2_reg reg_lambda ridge regularization penalty weight_decay kernel_regularizer lambda_ regularizer",
    "season_length": "period periods m sp season seasonality seasonal_period seasonal_periods",
    "target": "y target_col target_cols target_column targets value_col value_column columns",
    "past_covariates": "past_exog hist_exog hist_exog_list past_features observed_covariates",
    "future_covariates": "exog exogenous regressors known_covariates future_exog futr_exog futr_exog_list x_future",
    "freq": "frequency sampling_rate offset interval",
    "cell": "rnn_type cell_type rnn kind",
    "estimator": "regressor base_estimator model base_model forecaster",
    "n_members": "n_estimators n_models n_networks ensemble_size num_members",
    "verbose": "verbosity progress progress_bar show_progress quiet silent",
    "quantiles": "quantile levels taus percentiles",
    "engine": "backend device accelerator",
    "static_features": "static_covariates stat_exog_list",
    "future_features": "future_covariates",
    "bidirectional": "bidir",
    "order": "p d q",
    "max_p": "max_order",
    "trend": "constant include_mean include_drift drift",
    "build": "build_fn model_fn module model",
    "build_params": "model_params kwargs module_params",
    "strategy": "multi_models",
    "normalize": "normalise normalization scale scaler scaler_type",
}


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that was most likely meant by a word, None if none is near.

    Examples
    --------
    >>> nearest("hidden_size", ["units", "horizon"]), nearest("horizn", ["units", "horizon"])
    ('units', 'horizon')
    """
    word, by_case = word.lower(), {name.lower(): name for name in names}
    ours = [name for mine, theirs in _SYNONYMS.items() if word in theirs.split() for name in mine.split()]
    close = difflib.get_close_matches(word, by_case, n=1, cutoff=0.65)
    found = [name for name in (word, *ours, *close) if name in by_case]
    return by_case[found[0]] if found else None


def check_parameters(cls: type, words: Set[str], kind: type[Exception]) -> None:
    """Raise an exception of this kind unless all words are parameters of the class; it names what was meant."""
    unknown = [] if (known := _parameters(cls)) is None else [word for word in words if word not in known]
    if unknown:
        raise kind(" ".join(_refusal(cls.__name__, word, known or ()) for word in unknown))


@lru_cache(maxsize=256)
def _parameters(cls: type) -> tuple[str, ...] | None:
    """Return the names of the parameters of a class; None where it takes any."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return tuple(parameter.name for parameter in parameters)


def _refusal(owner: str, word: str, known: tuple[str, ...]) -> str:
    meant = nearest(word, known)
    remark = " A tuple stacks layers: units=(32, 32)." if meant == "units" and "layer" in word else ""
    if meant:
        return f"{owner} has no parameter {word!r}. Did you mean {meant!r}?{remark}"
    rest = f"It has {', '.join(known)}." if len(known) <= FEW else f"help({owner}) lists those that it has."
    return f"{owner} has no parameter {word!r}. {rest}"
