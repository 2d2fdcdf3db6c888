"""What the attributes of a fitted regressor must be to each other: checked when it is saved and when it is loaded.

Each attribute by itself is checked by the tables `_saved` of the classes. A description of a network comes from the
file as well: it keeps to the rules of the parameters that made it, and its numbers are compared with the arrays that
are there before anything is built from them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .. import _types as t
from .._archive import SaveMixin
from .._archive.schema import (
    Attribute,
    added,
    choice,
    instance,
    integer,
    list_of,
    none_or,
    optional,
    real,
    require,
    tuple_of,
    unsaved,
)
from .._checks import check_quantiles
from .._estimator import Estimator
from .._parameters import check_parameters
from ..engine import Missing
from ..engine.distributions import LOSSES, n_parameters
from ..engine.resumption import Draws, TrainerState, owner_of
from ..exceptions import ArchiveError
from .inputs import ReadsWindows
from .parameters import check_median

__all__ = ["FLOAT32", "LONGEST_WINDOW", "SavedNetwork", "SavedWindows"]

#: Steps of a window that is filled up to its length.
LONGEST_WINDOW = 2**24

FLOAT32 = Attribute(
    "an array of finite float32",
    lambda value: type(value) is np.ndarray and value.dtype == np.float32 and bool(np.isfinite(value).all()),
)


class SavedWindows(SaveMixin, ReadsWindows, Estimator):
    """What reads windows, whatever it learns from them."""

    _saved = {
        "n_steps_in_": integer(1, LONGEST_WINDOW),
        "n_features_in_": integer(1),
        "n_outputs_": integer(1),
        "feature_names_in_": optional(
            Attribute(
                "an array of names",
                lambda value: (
                    type(value) is np.ndarray
                    and value.dtype == object
                    and value.ndim == 1
                    and all(type(name) is str for name in value)
                ),
            )
        ),
        "_n_features_per_step": integer(1),
        "_target_shape": tuple_of(integer(1)),
        "_missing": instance(Missing),
    }
    random_state: Any

    @property
    def _n_channels(self) -> int:
        """Channels of a step: the features, and the indicators of those that may be missing."""
        return self._n_features_per_step + len(self._missing.indicators)

    def _check_state(self) -> None:
        self.__check_parameters__()
        check_random_state(self.random_state)
        missing, per_step, n_steps = self._missing, self._n_features_per_step, self.n_steps_in_
        means = FLOAT32.holds(missing.means) and missing.means.shape == (per_step,)
        known = means and set(missing.indicators) <= set(range(per_step))
        require(known, f"_missing does not fit {per_step} features")
        found = self.n_features_in_
        fits = found in (per_step, per_step * n_steps)
        require(fits, f"n_features_in_ is {found}, with {n_steps} steps of {per_step}")
        names = getattr(self, "feature_names_in_", None)
        require(names is None or len(names) == found, f"feature_names_in_ does not name {found} features")
        outputs, shape = self.n_outputs_, self._target_shape
        require(outputs == math.prod(shape), f"n_outputs_ is {outputs}, where _target_shape is {shape!r:.100}")

    def __check_reads__(self, n_steps: int, n_features: int, n_outputs: int) -> None:
        """Raise `ArchiveError` unless it reads such windows, as they are or flattened, and gives such outputs."""
        steps, per_step = self.n_steps_in_, self._n_features_per_step
        reads = (steps, per_step) in ((n_steps, n_features), (n_steps * n_features, 1))
        found = f"a network reads {steps} steps of {per_step} columns"
        require(reads, f"{found}, where windows have {n_steps} of {n_features}")
        require(self.n_outputs_ == n_outputs, f"a network gives {self.n_outputs_} outputs, not {n_outputs}")


class SavedNetwork(SavedWindows):
    """What trains a network."""

    _saved = {
        "weights_": list_of(FLOAT32, 1),
        "history_": Attribute(
            "a dict of lists of numbers",
            lambda value: (
                type(value) is dict
                and all(type(name) is str and list_of(real()).holds(values) for name, values in value.items())
            ),
        ),
        "n_iter_": integer(),
        "best_iteration_": integer(),
        "initial_val_loss_": none_or(real()),
        "n_windows_": added(none_or(integer(1)), None),
        "engine_": choice("native", "keras"),
        "callbacks_": unsaved(lambda model: []),
        "_spec": Attribute("a description of a network", lambda value: hasattr(type(value), "weights")),
        "_loss": choice(*LOSSES),
        "_quantiles": tuple_of(real(0, 1)),
        "_piece": added(none_or(integer(1)), None),
        "_trainer_state": none_or(instance(TrainerState)),
        "_draws": added(none_or(instance(Draws)), None),
    }
    optimizer: t.Optimizer
    momentum: float
    weights_: list[np.ndarray]
    _spec_class: type
    _spec: Any  # a `Spec`
    _loss: str
    _quantiles: tuple[float, ...]
    _trainer_state: TrainerState | None
    _draws: Draws | None

    def _is_mine(self, spec: Any) -> bool:
        """Say whether this class describes its network like this; asked before anything is built."""
        return True

    def _check_state(self) -> None:
        super()._check_state()
        self._check_spec()
        self._check_outputs()
        spec, state = self._spec, self._trainer_state
        shapes = [weight.shape for weight in spec.weights]
        fits = [weight.shape for weight in self.weights_] == shapes
        require(fits, f"weights_ are not float32 arrays of the shapes {shapes!r:.300}, which _spec has")
        require(self._piece is None or spec.state_widths, "_piece: only recurrent networks carry their state")
        belongs = state is None or (state.fits(shapes) and all(np.isfinite(each).all() for each in state.arrays))
        require(belongs, "_trainer_state is none that an optimiser has for weights_")
        if self._draws is not None:
            self._draws.go_on()

    def _check_spec(self) -> None:
        """Check the description by the rules of the parameters that it was made of."""
        spec, name, n_inputs = self._spec, type(self).__name__, self._n_channels
        require(type(spec) is self._spec_class, f"_spec is not what describes a {name}")
        require(spec.n_inputs == n_inputs, f"_spec reads {spec.n_inputs!r:.40} channels, and there are {n_inputs}")
        require(self._is_mine(spec), f"{spec!r:.300} is not a network of {name}")
        try:
            check_parameters(spec, type(self))
            spec.check(self.n_steps_in_)
        except (TypeError, ValueError) as exc:
            raise ArchiveError(f"_spec is not a network of {name}: {exc}") from exc

    def _check_outputs(self) -> None:
        """Check what the outputs mean."""
        spec, loss, quantiles, shape = self._spec, self._loss, self._quantiles, self._target_shape
        require((loss == "pinball") == bool(quantiles), f"_loss is {loss!r} with the _quantiles {quantiles!r:.100}")
        if quantiles:
            check_quantiles("_quantiles", quantiles)
            check_median("_quantiles", quantiles)
        each = spec.head != "sequence" or shape[:1] == (self.n_steps_in_,)
        require(each, f"{spec!r:.300} does not give a target for each of {self.n_steps_in_} steps")
        fits = math.prod(spec.output_shape(self.n_steps_in_)) == self.n_outputs_ * n_parameters(loss, quantiles)
        require(fits, f"{spec!r:.300} does not fit {self.n_outputs_} targets of shape {shape!r:.100}")

    # -- earlier versions --------------------------------------------------------------------------------------------

    def _from_earlier(self, state: dict[str, Any]) -> dict[str, Any]:
        """Give the state of an optimiser that version 0.1.0 kept its owner: the optimiser of the parameters beside it.

        It may be of another that was set before, and is none then.
        """
        arrays, weights = state.get("_trainer_state"), state.get("weights_")
        if not isinstance(arrays, list) or not isinstance(weights, list):
            return state
        shapes = [np.shape(weight) for weight in weights]
        if not all(isinstance(array, np.ndarray) and array.shape in ((), *shapes) for array in arrays):
            return state
        owned = TrainerState(owner_of(self.optimizer, self.momentum), tuple(arrays))
        # A model of Keras says only with Keras how many weights it trains.
        known = getattr(state.get("_spec"), "is_code", False) or owned.fits(shapes)
        return state | {"_trainer_state": owned if known else None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[misc]
        self.__dict__ = self._from_earlier(self.__dict__)
