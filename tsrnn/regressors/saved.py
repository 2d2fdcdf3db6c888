"""What the attributes of a fitted regressor must be to each other: checked when it is saved and when it is loaded.

Each attribute by itself is checked by the tables `_saved` of the classes. A description of a network comes from the
file as well: its numbers are compared with the arrays that are there before anything is built from them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._archive.schema import (
    Attribute,
    added,
    array,
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
from ..engine import Missing
from ..engine.distributions import LOSSES, n_parameters
from ..engine.reservoir import Reservoir
from ..engine.resumption import Draws, TrainerState
from ..networks import (
    ACTIVATIONS,
    HEADS,
    MERGE_MODES,
    STATIC_TO,
    NetworkSpec,
)

__all__ = [
    "NETWORK",
    "RECURRENT",
    "RESERVOIR",
    "WINDOWS",
    "check_network",
    "check_reservoir",
    "check_states",
    "is_recurrent",
]

#: Steps of a window that is filled up to its length.
LONGEST_WINDOW = 2**24

FLOAT32 = Attribute(
    "an array of finite float32",
    lambda value: type(value) is np.ndarray and value.dtype == np.float32 and bool(np.isfinite(value).all()),
)
#: Of all regressors, whatever they learn.
WINDOWS = {
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
#: Of those whose network is trained.
NETWORK = {
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
RECURRENT = {
    "state_": optional(list_of(FLOAT32)),
    "_n_seen": optional(array(np.int64, 1)),
    "_left_state": optional(array(np.float32, 2)),
}
RESERVOIR = {
    "coef_": array(np.float64, 2),
    "intercept_": array(np.float64, 1),
    "_reservoir": instance(Reservoir),
    "_segment": integer(1, LONGEST_WINDOW),
    "_sequences": choice(True, False),
}


def check_windows(model: Any) -> None:
    """Check what describes windows and targets."""
    check_random_state(model.random_state)
    missing, per_step, n_steps = model._missing, model._n_features_per_step, model.n_steps_in_
    means = FLOAT32.holds(missing.means) and missing.means.shape == (per_step,)
    require(means and set(missing.indicators) <= set(range(per_step)), f"_missing does not fit {per_step} features")
    found = model.n_features_in_
    require(found in (per_step, per_step * n_steps), f"n_features_in_ is {found}, with {n_steps} steps of {per_step}")
    names = getattr(model, "feature_names_in_", None)
    require(names is None or len(names) == found, f"feature_names_in_ does not name {found} features")
    outputs, shape = model.n_outputs_, model._target_shape
    require(outputs == math.prod(shape), f"n_outputs_ is {outputs}, where _target_shape is {shape!r:.100}")


# ---------------------------------------------------------------------- networks


def check_network(model: Any) -> None:
    """Check a trained network: its description, weights, and what training goes on from."""
    model._check_parameters()
    check_windows(model)
    spec: Any = model._spec
    n_inputs = model._n_features_per_step + len(model._missing.indicators)
    require(type(spec) is model._spec_class, f"_spec is not what describes a {type(model).__name__}")
    require(spec.n_inputs == n_inputs, f"_spec reads {spec.n_inputs!r:.40} channels, and there are {n_inputs}")
    require(model._is_network(spec), f"{spec!r:.300} is not a network of {type(model).__name__}")
    check_targets(model)
    shapes = [weight.shape for weight in spec.weights]
    fits = [weight.shape for weight in model.weights_] == shapes
    require(fits, f"weights_ are not float32 arrays of the shapes {shapes!r:.300}, which _spec has")
    require(model._piece is None or isinstance(spec, NetworkSpec), "_piece: only recurrent networks carry their state")
    state = model._trainer_state
    belongs = state is None or (state.fits(shapes) and all(np.isfinite(each).all() for each in state.arrays))
    require(belongs, "_trainer_state is none that an optimiser has for weights_")
    if model._draws is not None:
        model._draws.go_on()


def check_targets(model: Any) -> None:
    """Check what the outputs of a network mean."""
    loss, quantiles, targets = model._loss, model._quantiles, model.n_outputs_
    require((loss == "pinball") == bool(quantiles), f"_loss is {loss!r} with the _quantiles {quantiles!r:.100}")
    if quantiles:
        check_quantiles("_quantiles", quantiles)
        require(len(quantiles) == 1 or 0.5 in quantiles, f"_quantiles {quantiles!r:.100} do not hold the median")
    spec, n_steps = model._spec, model.n_steps_in_
    if spec.head == "sequence":
        each = spec.segment == 1 and model._target_shape[:1] == (n_steps,)
        require(each, f"{spec!r:.300} does not give a target for each of {n_steps} steps")
    outputs = math.prod(spec.output_shape(n_steps))
    fits = outputs == targets * n_parameters(loss, quantiles)
    require(fits, f"{spec!r:.300} does not fit {targets} targets of shape {model._target_shape!r:.100}")


def check_states(model: Any) -> None:
    """Check the states in which training left its sequences."""
    spec, piece = model._spec, model._piece
    states, n_seen = getattr(model, "state_", []), getattr(model, "_n_seen", np.zeros(0, np.int64))
    require((n_seen >= 0).all(), "_n_seen does not count steps")
    if piece is not None:
        carries = spec.head == "sequence" and not (spec.bidirectional or spec.static or spec.dilation)
        longest = max(model.n_steps_in_, int(n_seen.max(initial=0)))
        good = piece <= longest and carries
        require(good, f"_piece: {spec!r:.300} does not read sequences in pieces of {piece} steps")
    shapes = [(len(n_seen), width) for width in spec.state_widths] if piece is not None and len(n_seen) else []
    found = [state.shape for state in states]
    require(found == shapes, f"state_ has the shapes {found!r:.200} instead of {shapes!r:.200}")
    left, width = getattr(model, "_left_state", None), sum(spec.state_widths)
    require(left is None or (shapes and left.shape == (len(n_seen), width)), "_left_state does not fit state_")


def is_recurrent(model: Any, spec: NetworkSpec) -> bool:
    """Say whether the numbers of a description make a recurrent network."""
    sizes = (spec.n_outputs, spec.segment, *spec.units, *spec.input_layers, *spec.output_layers)
    static = set(spec.static)
    return (
        spec.cell == model._cell
        and spec.activation in ACTIVATIONS
        and spec.head in HEADS
        and bool(spec.units)
        and min(sizes) > 0
        and len(static) == len(spec.static)
        and static <= set(range(spec.n_inputs))
        and spec.static_to in STATIC_TO
        and bool(spec.inputs)
        and spec.merge_mode in MERGE_MODES
        and (spec.bidirectional or spec.merge_mode == "concat")
        and (not spec.residual or len(set(spec.units)) == 1)
        and is_deep(model, spec)
        and is_dilated(model, spec)
        and (not spec.peephole or spec.kind.peepholes)
    )


def is_deep(model: Any, spec: NetworkSpec) -> bool:
    """Say whether there are as many transitions as there may be weights: more would only cost the time to count."""
    depth = spec.transition_depth
    return depth == 1 or (1 <= depth <= len(model.weights_) and spec.kind.recurrent_kernel)


def is_dilated(model: Any, spec: NetworkSpec) -> bool:
    """Say whether no state goes further back than a window: there would be chains without a step, of some memory."""
    return not spec.dilation or (
        len(spec.dilation) == len(spec.units) and min(spec.dilation) >= 1 and max(spec.dilation) < model.n_steps_in_
    )


# ---------------------------------------------------------------------- reservoirs


def check_reservoir(model: Any) -> None:
    """Check that the arrays of an echo state network fit each other."""
    model._check_parameters()
    check_windows(model)
    reservoir, segment = model._reservoir, model._segment
    n_inputs = segment * (model._n_features_per_step + len(model._missing.indicators))
    units, fan_in = np.shape(reservoir.bias)[0], np.shape(reservoir.sources)[-1]
    n_targets = model.n_outputs_ // (model.n_steps_in_ if model._sequences else 1)
    expected = [
        (reservoir.input_weights, np.float64, (units, n_inputs)),
        (reservoir.bias, np.float64, (units,)),
        (reservoir.sources, np.int32, (units, fan_in)),
        (reservoir.strengths, np.float64, (units, fan_in)),
        (model.coef_, np.float64, (n_inputs + units, n_targets)),
        (model.intercept_, np.float64, (n_targets,)),
    ]
    fit = all(array(dtype, len(shape)).holds(values) and values.shape == shape for values, dtype, shape in expected)
    require(fit and units > 0 and fan_in > 0, "_reservoir and its readout do not fit each other")
    require(0 < reservoir.leak_rate <= 1, f"_reservoir leaks {reservoir.leak_rate}")
    sources = reservoir.sources
    require(sources.min() >= 0 and sources.max() < units, f"_reservoir: a connection comes from none of {units} units")
    each = segment == 1 and model._target_shape[:1] == (model.n_steps_in_,)
    require(each or not model._sequences, "_sequences: there is no target for each step")
