"""Gates, memory and hidden states of a network while it reads one window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._checks import check_choice, check_int
from ..networks.tracing import LayerTrace
from ..plots import COLOURS
from ._draw import panels, tidy
from ._source import read_some_windows, run_network, spec_of, take

__all__ = ["DIRECTIONS", "GateDisplay", "gate_trace"]

DIRECTIONS = ("forward", "backward")
#: What is drawn as a heat map, the gate that matters most on top.
GATES = ("forget", "update", "input", "reset", "output")
TITLES = {"c": "memory cell c", "h": "hidden state h"}
#: Lines of as many units as this stay legible.
MANY_UNITS = 12


def gate_trace(estimator: Any, X: Any = None, *, index: int = -1, network: int = 0) -> pd.DataFrame:
    """Follow gates and states through one window, in double precision.

    Parameters
    ----------
    estimator : recurrent regressor or forecaster
        Fitted.
    X : WindowArray or array-like, optional
        Windows as for ``predict`` of a regressor. None for a forecaster, which has all windows of the rows that it
        knows, the newest last.
    index : int, default=-1
        Which of the windows.
    network : int, default=0
        Which of the networks of a forecaster.

    Returns
    -------
    DataFrame
        One row for each layer (counted from 1), direction, step and unit, in the order of time. ``lag`` is how many
        steps of the window were still to come after the recurrent step (which reads ``segment`` of them at once).
        ``h`` is the hidden state after it, ``c`` the memory cell of an LSTM. The gates lie between 0 and 1: "input",
        "forget" and "output" of an LSTM; "update", which keeps the state where it is 1, and "reset" of a GRU; "update",
        which replaces the state where it is 1, of a minimal GRU, and of a minimal LSTM, where it is the share of
        "input" in "input" and "forget". "candidate" is what may enter the state; "step_1" and so on are h on its way
        through a deep transition. All of these are NaN where the window is empty.

    Raises
    ------
    IndexError
        If there is no window of this index.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import LSTMRegressor
    >>> from tsrnn.inspection import gate_trace
    >>> X = np.random.default_rng(0).normal(size=(50, 6, 1))  # (n_windows, n_steps, n_features)
    >>> model = LSTMRegressor(units=1, epochs=1, random_state=0).fit(X, X[:, -1, 0])
    >>> gates = gate_trace(model, X)
    >>> gates.columns.tolist()
    ['layer', 'direction', 'lag', 'unit', 'input', 'forget', 'output', 'candidate', 'c', 'h']
    >>> gates["lag"].tolist()
    [5, 4, 3, 2, 1, 0]
    """
    regressor, windows = read_some_windows(estimator, X, network)
    n_windows = len(windows)
    if not -n_windows <= index < n_windows:
        raise IndexError(
            f"index must be that of one of {n_windows} windows, from {-n_windows} to {n_windows - 1}, got {index}."
        )
    row = range(n_windows)[index]
    seen, segment = run_network(regressor, take(windows, slice(row, row + 1))), spec_of(regressor).segment
    return pd.concat(
        [_as_frame(run, number, segment) for number, layer in enumerate(seen.layers, 1) for run in layer],
        ignore_index=True,
    )


def _as_frame(run: LayerTrace, layer: int, segment: int) -> pd.DataFrame:
    """One layer in one direction, of one window: (1, S, units) -> S * units rows."""
    _, n_segments, units = run.states[0].shape
    columns: dict[str, Any] = {
        "layer": layer,
        "direction": DIRECTIONS[run.backward],
        "lag": np.repeat(np.arange(n_segments)[::-1] * segment, units),
        "unit": np.tile(np.arange(units), n_segments),
    }
    memory = {"c": run.states[1]} if len(run.states) > 1 else {}
    values = run.gates | memory | {"h": run.states[0]}
    return pd.DataFrame(columns | {name: array.ravel() for name, array in values.items()})


@dataclass(eq=False, repr=False)
class GateDisplay:
    """Heat maps of the gates, and the states, of one layer on its way through a window.

    Use `from_estimator` to make one.

    Parameters
    ----------
    gates : DataFrame
        From `gate_trace`.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        One for each panel, after `plot`.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from tsrnn import GRURegressor
    >>> from tsrnn.inspection import GateDisplay
    >>> X = np.random.default_rng(0).normal(size=(50, 6, 1))  # (n_windows, n_steps, n_features)
    >>> model = GRURegressor(units=2, epochs=1, random_state=0).fit(X, X[:, -1, 0])
    >>> display = GateDisplay.from_estimator(model, X, ax=Figure().subplots())
    >>> [ax.get_title(loc="left") for ax in display.axes_]
    ['update gate', 'reset gate', 'hidden state h']
    """

    gates: pd.DataFrame

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        index: int = -1,
        network: int = 0,
        layer: int = 1,
        direction: str = "forward",
        ax: Any = None,
    ) -> GateDisplay:
        """Follow one window through a fitted estimator and draw it; see `gate_trace` and `plot` for the parameters."""
        return cls(gate_trace(estimator, X, index=index, network=network)).plot(ax, layer=layer, direction=direction)

    def plot(self, ax: Any = None, *, layer: int = 1, direction: str = "forward") -> GateDisplay:
        """Draw one layer in one direction.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, optional
            Axes whose place the panels take, or one for each panel; a new figure by default.
        layer : int, default=1
            Which layer, counted from 1.
        direction : {"forward", "backward"}
            Of a bidirectional layer.

        Returns
        -------
        GateDisplay
        """
        check_int("layer", layer, 1, int(self.gates["layer"].max()))
        check_choice("direction", direction, tuple(self.gates["direction"].unique()))
        chosen = (self.gates["layer"] == layer) & (self.gates["direction"] == direction)
        rows = self.gates[chosen]
        maps = [name for name in GATES if name in rows]
        lines = [name for name in TITLES if name in rows]
        self.axes_ = panels(ax, len(maps) + len(lines), 9.0, 1.7)
        self.figure_ = self.axes_[0].figure
        for name, axes in zip(maps, self.axes_, strict=False):
            _draw_map(axes, _table(rows, name), f"{name} gate")
        for name, axes in zip(lines, self.axes_[len(maps) :], strict=True):
            _draw_lines(axes, _table(rows, name), TITLES[name])
        for axes in self.axes_[:-1]:
            axes.tick_params(labelbottom=False)
        self.axes_[-1].set_xlabel("steps before the end of the window")
        return self


def _table(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Units by time, the last step on the right."""
    return rows.pivot(index="unit", columns="lag", values=name).sort_index(axis=1, ascending=False)


def _edges(lags: np.ndarray) -> np.ndarray:
    """The limits of the recurrent steps on the axis of lags, which are as far apart as a segment is long."""
    step = lags[-2] - lags[-1] if len(lags) > 1 else 1
    return np.append(lags, lags[-1] - step) + step / 2


def _draw_map(ax: Any, table: pd.DataFrame, title: str) -> None:
    edges = _edges(table.columns.to_numpy())
    mesh = ax.pcolormesh(edges, np.arange(len(table) + 1) - 0.5, table.to_numpy(), vmin=0, vmax=1, cmap="viridis")
    mesh.set_rasterized(True)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylabel("unit")
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.set_title(title, loc="left", fontsize="medium")
    bar = ax.figure.colorbar(mesh, ax=ax, ticks=[0, 0.5, 1], pad=0.01, aspect=12)
    bar.ax.set_yticklabels(["0 shut", "0.5", "1 open"], fontsize="small")


def _draw_lines(ax: Any, table: pd.DataFrame, title: str) -> None:
    style = {"lw": 0.7, "alpha": 0.5} if len(table) > MANY_UNITS else {"lw": 1.3}
    edges = _edges(table.columns.to_numpy())
    for i, values in enumerate(table.to_numpy()):
        ax.plot(table.columns, values, color=COLOURS[i % len(COLOURS)], **style)
    ax.axhline(0, color="0.8", lw=0.8, zorder=0)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_title(title, loc="left", fontsize="medium")
    tidy(ax)
