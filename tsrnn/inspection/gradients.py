"""How far back the gradient reaches on its way through a window, and where it vanishes or explodes."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..engine.losses import loss_gradient
from ..exceptions import GradientWarning
from ..networks import CELLS
from ..networks.backward import backward
from ..networks.tracing import Trace
from ..plots import COLOURS
from ..regressors.base import NetworkRegressor
from ._draw import set_log, single, tidy
from ._source import choose_rows, find_network, read_examples, run_network, spec_of, take
from .gates import DIRECTIONS

__all__ = ["GradientFlowDisplay", "gradient_flow", "gradient_reach", "recurrent_spectrum"]

#: Share of its largest norm below which a gradient teaches next to nothing.
VANISHED = 0.01
#: Growth over its norm at the last step from which a gradient counts as exploding.
EXPLODED = 100.0
STATES = {"h": "hidden state h", "c": "memory cell c"}


def gradient_flow(
    estimator: Any, X: Any = None, y: Any = None, *, network: int = 0, fresh: bool = False, max_windows: int = 64
) -> pd.DataFrame:
    """Norm of the gradient of the loss by the state that a network had after each step: d loss / d h(t).

    Where it has vanished, what was read there no longer changes the weights, and training cannot find out that it
    matters; where it explodes, training is unstable. It is computed by an exact backward pass in double precision.

    Parameters
    ----------
    estimator : recurrent regressor or forecaster
        Fitted; a regressor that was not fitted is looked at as it is before training.
    X : WindowArray or array-like, optional
        Windows as for ``fit`` of a regressor. None for a forecaster, which has those that it was fitted on.
    y : array-like, optional
        Their targets; None for a forecaster.
    network : int, default=0
        Which of the networks of a forecaster.
    fresh : bool, default=False
        Look at the network as it was before training.
    max_windows : int, default=64
        Windows to average over, spread evenly over all.

    Returns
    -------
    DataFrame
        One row for each layer (counted from 1), direction, state ("h", of an LSTM "c" too) and lag. ``lag`` is how many
        steps of the window the layer had still to read; ``norm`` is the Euclidean norm of the gradient of a window's
        loss, averaged over windows, in the unit of the loss. Of a sequence of targets the last one counts, so that all
        lags are distances.

    Warns
    -----
    GradientWarning
        If the gradient of the first layer does not reach the whole window, or explodes in any.

    References
    ----------
    Bengio, Y., Simard, P. and Frasconi, P. (1994). Learning long-term dependencies with gradient descent is difficult.
    IEEE Transactions on Neural Networks 5(2), 157-166.

    Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8), 1735-1780.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import LSTMRegressor
    >>> from tsrnn.inspection import gradient_flow
    >>> X = np.random.default_rng(0).normal(size=(50, 4, 1))  # (n_windows, n_steps, n_features)
    >>> flow = gradient_flow(LSTMRegressor(units=3, random_state=0), X, X.sum(axis=1))  # before training
    >>> flow.loc[flow["state"] == "c", "lag"].tolist()
    [0, 1, 2, 3]
    """
    flow = _flow(*read_examples(estimator, X, y, network, fresh=fresh), max_windows)
    _warn(flow, stacklevel=3)
    return flow


def _flow(regressor: NetworkRegressor, X: Any, y: np.ndarray, max_windows: int) -> pd.DataFrame:
    rows = choose_rows(len(X), max_windows)
    spec, seen = spec_of(regressor), run_network(regressor, take(X, rows))
    gradients = backward(spec, regressor.weights_, seen, _loss_gradient(regressor, seen, y[rows]))
    frames = []
    for i, layer in enumerate(gradients.states):
        for run, states in zip(seen.layers[i], layer, strict=True):
            lags = np.arange(seen.empty.shape[1])[:: 1 if run.backward else -1] * spec.segment
            for name, values in zip(("h", "c"), states, strict=False):
                norms = _mean_norms(values, seen.empty)
                head = {"layer": i + 1, "direction": DIRECTIONS[run.backward], "state": name}
                frames.append(pd.DataFrame(head | {"lag": lags, "norm": norms}).dropna().sort_values("lag"))
    return pd.concat(frames, ignore_index=True)


def _mean_norms(gradient: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Average the norms over the windows that hold something: (n, S, units) -> (S,), NaN where none does."""
    norms = np.where(empty, 0.0, np.sqrt(np.square(gradient).sum(axis=2)))
    n = (~empty).sum(axis=0)
    return np.divide(norms.sum(axis=0), n, out=np.full(len(n), np.nan), where=n > 0)


def _loss_gradient(regressor: NetworkRegressor, seen: Trace, y: np.ndarray) -> np.ndarray:
    """Gradient of each window's loss by the outputs; of a sequence, of the loss of its last step."""
    outputs, y = seen.outputs, np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    gradient = np.zeros_like(outputs)
    last = outputs[:, -1] if outputs.ndim == 3 else outputs
    view = regressor.__network_view__()
    n_targets = math.prod(view.step_shape)
    into = gradient[:, -1] if outputs.ndim == 3 else gradient
    # An empty window has no outputs in a sequence, and nothing to learn from.
    into[:] = np.nan_to_num(loss_gradient(view.loss, y[:, -n_targets:], last, view.quantiles))
    return gradient


def gradient_reach(flow: pd.DataFrame) -> pd.DataFrame:
    """Say of each state how far back its gradient reaches.

    Parameters
    ----------
    flow : DataFrame
        From `gradient_flow`.

    Returns
    -------
    DataFrame
        One row for each layer, direction and state. ``reach`` is the number of steps, counted back from the last, up to
        which the norm is at least 1 % of its largest value; ``length`` the number of steps there are. ``growth`` is the
        largest norm divided by that at the last step, ``factor`` the mean factor of the norm from one recurrent step to
        the one before (geometric; below 1 it vanishes, above 1 it explodes). NaN where all norms are 0.

    Examples
    --------
    >>> import pandas as pd
    >>> from tsrnn.inspection import gradient_reach
    >>> norms = pd.DataFrame({"layer": 1, "direction": "forward", "state": "h", "lag": range(5), "norm": 0.1})
    >>> norms["norm"] **= norms["lag"]
    >>> gradient_reach(norms)[["reach", "length", "growth", "factor"]]
       reach  length  growth  factor
    0      3       5     1.0     0.1
    """
    groups = flow.groupby(["layer", "direction", "state"], sort=False)
    keys = ["layer", "direction", "state"]
    return pd.DataFrame([dict(zip(keys, key, strict=True)) | _reach(rows) for key, rows in groups])


def _reach(rows: pd.DataFrame) -> dict[str, float]:
    lags, norms = rows["lag"].to_numpy(), rows["norm"].to_numpy()
    step = int(lags[1] - lags[0]) if len(lags) > 1 else 1
    reached = np.flatnonzero(norms >= VANISHED * norms.max()) if norms.any() else np.array([-1])
    reach = int(reached[-1]) * step + step
    moved = norms > 0
    growth = norms.max() / norms[0] if norms[0] else np.nan
    factor = np.nan
    if moved.sum() > 1 and moved[0]:
        last = np.flatnonzero(moved)[-1]
        factor = (norms[last] / norms[0]) ** (1 / last)
    return {"reach": reach, "length": int(lags[-1]) + step, "growth": growth, "factor": factor}


def recurrent_spectrum(estimator: Any, *, network: int = 0) -> pd.DataFrame:
    """Spectral radius and largest singular value of each recurrent kernel, block by block.

    In Elman's network the gradient must vanish if the largest singular value of W is below 1, and can only explode if
    its spectral radius is above 1 [1]_. In gated cells the gates decide more than the kernels.

    Parameters
    ----------
    estimator : recurrent regressor or forecaster
        Fitted.
    network : int, default=0
        Which of the networks of a forecaster.

    Returns
    -------
    DataFrame
        One row for each layer (counted from 1), direction and block ("state" of Elman's network, else the gate), with
        "spectral_radius" and "largest_singular_value".

    Raises
    ------
    ValueError
        If the cell has no recurrent kernel.

    References
    ----------
    .. [1] Pascanu, R., Mikolov, T. and Bengio, Y. (2013). On the difficulty of training recurrent neural networks.
       ICML, section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import SimpleRNNRegressor
    >>> from tsrnn.inspection import recurrent_spectrum
    >>> X = np.random.default_rng(0).normal(size=(50, 4, 1))  # (n_windows, n_steps, n_features)
    >>> model = SimpleRNNRegressor(units=3, epochs=1, learning_rate=1e-9, random_state=0).fit(X, X[:, 0, 0])
    >>> recurrent_spectrum(model)  # the initial kernel is orthogonal
       layer direction  block  spectral_radius  largest_singular_value
    0      1   forward  state             1.00                    1.00
    """
    return _spectrum(find_network(estimator, network)[0])


def _spectrum(regressor: NetworkRegressor) -> pd.DataFrame:
    spec = spec_of(regressor)
    if not spec.kind.recurrent_kernel:
        known = [name for name, cell in CELLS.items() if cell.in_windows and cell.recurrent_kernel]
        raise ValueError(f"cell={spec.cell!r} has no recurrent kernel, which {', '.join(known)} have.")
    kernels = [w for w, of in zip(regressor.weights_, spec.weights, strict=True) if of.role == "recurrent_kernel"]
    blocks, rows = spec.kind.blocks, []
    for i, kernel in enumerate(kernels):
        place = {"layer": i // spec.directions + 1, "direction": DIRECTIONS[i % spec.directions]}
        for name, block in zip(blocks, np.split(kernel.astype(float), len(blocks), 1), strict=True):
            radius = float(np.abs(np.linalg.eigvals(block)).max())
            singular = float(np.linalg.norm(block, 2))
            rows.append(place | {"block": name, "spectral_radius": radius, "largest_singular_value": singular})
    return pd.DataFrame(rows)


# ---------------------------------------------------------------------- in words


def _verdict(reach: pd.DataFrame) -> list[str]:
    """Say in plain words what is wrong with a gradient; nothing if nothing is."""
    first = reach[reach["layer"] == 1]
    length = int(first["length"].iloc[0])
    if not first["reach"].any():
        return [
            "No gradient reaches the recurrent layers: the dense layer behind them is zero, or there is nothing to "
            "correct."
        ]
    words = []
    # What a step holds enters each direction once: the farthest state of a direction counts, and directions add up.
    covered = int(first.groupby("direction")["reach"].max().sum())
    remedy = "a higher forget_bias" if "c" in set(first["state"]) else "an LSTM, whose memory cell can hold on"
    if covered < length:
        words.append(
            f"The window is longer than the reach of the gradient: of {length} steps it reaches {covered}, and is "
            "below 1 % of its largest norm beyond. What lies there teaches the network next to nothing. Use a shorter "
            f"window, read several steps at once (segment=), or use {remedy}."
        )
    growth = reach["growth"].max()
    if growth > EXPLODED:
        words.append(
            f"The gradient explodes: on its way back it grows to {growth:.3g} times its norm at the last step. Use "
            "clipnorm=, a smaller learning_rate, an orthogonal recurrent_initializer, or an LSTM or GRU."
        )
    return words


def _warn(flow: pd.DataFrame, stacklevel: int) -> None:
    for words in _verdict(gradient_reach(flow)):
        warnings.warn(words, GradientWarning, stacklevel=stacklevel)


def _describe(flow: pd.DataFrame, spectrum: pd.DataFrame | None) -> str:
    reach = gradient_reach(flow)
    lines = [_sentence(**row) for row in reach.to_dict("records")]  # type: ignore[arg-type]
    if spectrum is not None:
        kernels = spectrum[spectrum["block"] == "state"].drop(columns="block")
        lines += [_spectral_sentence(**row) for row in kernels.to_dict("records")]  # type: ignore[arg-type]
    return "\n".join([*lines, *(_verdict(reach) or ["The gradient reaches the whole window and does not explode."])])


def _sentence(layer: int, direction: str, state: str, reach: int, length: int, growth: float, factor: float) -> str:
    far = "the whole window" if reach >= length else f"{reach} of {length} steps"
    rate = "" if np.isnan(factor) else f", times {factor:.3g} in each step back"
    return f"Layer {layer}, {direction}, {STATES[state]}: reaches {far}{rate}."


def _spectral_sentence(layer: int, direction: str, spectral_radius: float, largest_singular_value: float) -> str:
    outcome = "it can explode" if spectral_radius > 1 else "it cannot grow for long"
    outcome = "the gradient must vanish" if largest_singular_value < 1 else outcome
    return (
        f"Layer {layer}, {direction}, W: spectral radius {spectral_radius:.3g}, largest singular value "
        f"{largest_singular_value:.3g}: {outcome}."
    )


# ---------------------------------------------------------------------- picture


@dataclass(eq=False, repr=False)
class GradientFlowDisplay:
    """Norm of the gradient by lag, on a logarithmic scale, and what it means in words.

    Use `from_estimator` to make one.

    Parameters
    ----------
    flow : DataFrame
        From `gradient_flow`.
    spectrum : DataFrame, optional
        From `recurrent_spectrum`.

    Attributes
    ----------
    text : str
        The summary in words.
    ax_ : matplotlib Axes
        After `plot`.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from tsrnn import LSTMRegressor
    >>> from tsrnn.inspection import GradientFlowDisplay
    >>> X = np.random.default_rng(0).normal(size=(50, 4, 1))  # (n_windows, n_steps, n_features)
    >>> model = LSTMRegressor(units=3, random_state=0)
    >>> display = GradientFlowDisplay.from_estimator(model, X, X.sum(axis=1), ax=Figure().subplots())
    >>> print(display.text)
    Layer 1, forward, hidden state h: reaches the whole window, times 0.338 in each step back.
    Layer 1, forward, memory cell c: reaches the whole window, times 0.777 in each step back.
    The gradient reaches the whole window and does not explode.
    """

    flow: pd.DataFrame
    spectrum: pd.DataFrame | None = None

    @property
    def text(self) -> str:
        return _describe(self.flow, self.spectrum)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        network: int = 0,
        fresh: bool = False,
        max_windows: int = 64,
        ax: Any = None,
    ) -> GradientFlowDisplay:
        """Compute the flow in an estimator and draw it; see `gradient_flow` for the parameters."""
        regressor, X, y = read_examples(estimator, X, y, network, fresh=fresh)
        flow = _flow(regressor, X, y, max_windows)
        _warn(flow, stacklevel=3)
        return cls(flow, _spectrum(regressor) if spec_of(regressor).kind.recurrent_kernel else None).plot(ax)

    def plot(self, ax: Any = None, *, label: str = "") -> GradientFlowDisplay:
        """Draw a line for each layer, direction and state.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default. Several networks can be drawn on the same axes.
        label : str
            Put before the names in the legend, to tell networks apart.

        Returns
        -------
        GradientFlowDisplay
        """
        self.ax_ = single(ax, (8.0, 4.0))
        self.figure_ = self.ax_.figure
        drawn = len(self.ax_.get_lines())
        many = self.flow["layer"].nunique() > 1, self.flow["direction"].nunique() > 1
        for i, ((layer, direction, state), rows) in enumerate(
            self.flow.groupby(["layer", "direction", "state"], sort=False)
        ):
            words = [label, f"layer {layer}" * many[0], str(direction) * many[1], STATES[str(state)]]
            norms = rows["norm"].where(rows["norm"] > 0)  # 0 has no logarithm
            self.ax_.plot(
                rows["lag"],
                norms,
                color=COLOURS[(drawn + i) % len(COLOURS)],
                ls="--" if state == "c" else "-",
                marker="o" if len(rows) == 1 else None,
                label=", ".join(filter(None, words)),
            )
        set_log(self.ax_)
        self.ax_.set_xlabel("lag: steps of the window between a state and the last")
        self.ax_.set_ylabel("norm of the gradient of the loss")
        self.ax_.margins(x=0.01)
        self.ax_.legend(frameon=False)
        tidy(self.ax_)
        return self
