"""Charts of forecasts: each function draws on axes and returns them.

matplotlib is imported when a function is called. With `ax` given nothing outside it is touched: no global style, no
pyplot state. Imports the registry, metrics and exceptions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ._public import baseline_names
from .exceptions import DataError
from .metrics import USUAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_comparison", "plot_forecast", "plot_leaderboard"]

OBSERVED = "0.15"
#: Colours that stay apart for the colour-blind (Okabe and Ito), without black and yellow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
#: Names of baselines in tables, which are drawn in grey.
BASELINES = baseline_names()
#: Columns of which higher numbers are better, in a table that does not say.
HIGHER_IS_BETTER = {*(metric.name for metric in USUAL if metric.better == "higher"), "network_share"}
#: Rows of time that a chart of a comparison shows, about.
ROWS_SHOWN = 72


def plot_forecast(
    history: pd.DataFrame | pd.Series,
    forecast: pd.DataFrame | pd.Series,
    ax: Axes | None = None,
    target: Hashable | None = None,
    n_history: int | None = None,
) -> Axes:
    """Draw a forecast behind the end of the history, with its interval if it has one.

    Parameters
    ----------
    history : DataFrame or Series
        Observations, indexed by time.
    forecast : DataFrame or Series
        From ``forecast``, ``predict`` or ``predict_interval`` of a forecaster.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    target : str, optional
        The column to draw; the first of the forecast by default.
    n_history : int, optional
        Last rows of the history to show; three times the forecast, at least 60, by default.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> days = pd.date_range("2024-01-01", periods=12)
    >>> series = pd.Series(range(12), index=days, name="load", dtype=float)
    >>> ax = plot_forecast(series[:10], series[10:], ax=Figure().subplots())
    >>> ax.get_ylabel()
    'load'
    """
    for name, table in (("history", history), ("forecast", forecast)):
        if not isinstance(table.index, (pd.DatetimeIndex, pd.PeriodIndex)):
            raise DataError(
                f"{name} has no time index (got {type(table.index).__name__}). Of many series draw one at a time: "
                "df[df['site'] == 'a'].set_index('time')."
            )
    history, forecast = _as_frame(history, forecast), _as_frame(forecast)
    target = forecast.columns[0] if target is None else target
    for what, frame in (("history", history), ("forecast", forecast)):
        if target not in frame.columns:
            raise DataError(f"target {target!r} is not a column of the {what}: {list(frame.columns)!r}.")
    ax = _axes(ax, (9.0, 4.0))
    shown = history[target].iloc[-(max(3 * len(forecast), 60) if n_history is None else n_history) :]
    ax.plot(_times(shown.index), shown.to_numpy(), color=OBSERVED, lw=1.2, label="observed")
    _line(ax, forecast.index, forecast[target], color=COLOURS[0], lw=1.8, label="forecast")
    for lower, upper, percent in _bounds(forecast, prefix=f"{target}_"):
        _band(ax, forecast.index, forecast[lower], forecast[upper], COLOURS[0], label=f"{percent} % interval")
    return _finish(ax, history.index, target)


def plot_comparison(
    forecasts: pd.DataFrame,
    history: pd.DataFrame | pd.Series | None = None,
    ax: Axes | None = None,
    target: Hashable | None = None,
    models: Sequence[str] | None = None,
    n_origins: int | None = None,
) -> Axes:
    """Draw what several models said from the last origins, and what came.

    Parameters
    ----------
    forecasts : DataFrame
        Tidy, as in ``Comparison.forecasts``.
    history : DataFrame or Series, optional
        Observations, to show some before the first origin; those in the forecasts by default.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    target : str, optional
        The target to draw; the first by default.
    models : list of str, optional
        The models to draw; all by default. Intervals are drawn when these are two at most.
    n_origins : int, optional
        How many of the last origins whose forecasts do not overlap; as many as fill about 72 rows by default.

    Returns
    -------
    matplotlib Axes
    """
    forecasts = _in_stamps(forecasts)
    target = forecasts["target"].iloc[0] if target is None else target
    rows = forecasts[forecasts["target"] == target]
    models = list(rows["model"].unique() if models is None else models)
    unknown = [name for name in models if name not in set(rows["model"])]
    if rows.empty or unknown:
        raise DataError(f"nothing to draw for target {target!r} and models {unknown or models!r} in these forecasts.")
    cutoffs = _last_origins(rows, n_origins)
    rows = rows[rows["cutoff"].isin(cutoffs)]
    ax = _axes(ax, (11.0, 4.5))
    seen = _observations(rows, history, target, cutoffs[0])
    ax.plot(_times(seen.index), seen.to_numpy(), color=OBSERVED, lw=1.6, label="observed", zorder=3)
    for colour, dash, name in zip(*_styles(models), models, strict=True):
        _draw_model(ax, rows[rows["model"] == name], colour, dash, name, bands=len(models) <= 2)
    for cutoff in _times(pd.DatetimeIndex(cutoffs)):
        ax.axvline(cutoff, color="0.8", lw=0.8, ls=":", zorder=0)
    return _finish(ax, pd.DatetimeIndex(rows["ds"]), target)


def plot_leaderboard(leaderboard: pd.DataFrame, metric: str = "MAE", ax: Axes | None = None) -> Axes:
    """Draw one metric of each model as a bar, the best on top; a dash for those that have none.

    Parameters
    ----------
    leaderboard : DataFrame
        From ``Comparison.leaderboard()``.
    metric : str, default="MAE"
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    if metric not in leaderboard.columns:
        raise DataError(f"metric {metric!r} is not a column of the leaderboard: {list(leaderboard.columns)!r}.")
    ax = _axes(ax, (5.0, 0.45 * len(leaderboard) + 1.2))
    higher = leaderboard.attrs.get("higher_is_better", HIGHER_IS_BETTER)
    best_last = metric in higher  # the last bar is on top, and what failed at the bottom
    table = leaderboard.sort_values(metric, ascending=best_last, kind="stable", na_position="first")
    colours = ["0.7" if _is_baseline(name) else COLOURS[0] for name in table["model"]]
    bars = ax.barh(table["model"], table[metric].fillna(0.0), color=colours, height=0.65)
    labels = ["-" if np.isnan(value) else f"{value:.4g}" for value in table[metric]]
    ax.bar_label(bars, labels, padding=3, fontsize="small")
    ax.margins(x=0.18)
    ax.set_xlabel(metric)
    ax.tick_params(left=False)
    ax.spines[["top", "right", "left"]].set_visible(False)
    return ax


# ---------------------------------------------------------------------- inside


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def _as_frame(data: pd.DataFrame | pd.Series, like: pd.DataFrame | pd.Series | None = None) -> pd.DataFrame:
    """A series as frame, periods as stamps; a series without a name is named after the other data."""
    if isinstance(data.index, pd.PeriodIndex):
        data = data.to_timestamp()
    if isinstance(data, pd.DataFrame):
        return data
    name: Hashable | None = data.name
    if name is None and like is not None:
        name = like.columns[0] if isinstance(like, pd.DataFrame) else like.name
    return data.to_frame("y" if name is None else name)


def _in_stamps(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Tidy forecasts, periods as stamps."""
    columns = [name for name in ("cutoff", "ds") if isinstance(forecasts[name].dtype, pd.PeriodDtype)]
    return forecasts.assign(**{name: forecasts[name].dt.to_timestamp() for name in columns})


def _times(index: pd.Index) -> np.ndarray:
    """Stamps as matplotlib reads them: in UTC where they have a zone, so that no hour is drawn twice in autumn."""
    stamps = pd.DatetimeIndex(index)
    return (stamps if stamps.tz is None else stamps.tz_convert("UTC").tz_localize(None)).to_numpy()


def _bounds(frame: pd.DataFrame, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (lower column, upper column, percent) of each interval, the widest first."""
    start = f"{prefix}lower_"
    percents = [column.removeprefix(start) for column in map(str, frame.columns) if column.startswith(start)]
    for percent in sorted(percents, key=float, reverse=True):
        yield f"{start}{percent}", f"{prefix}upper_{percent}", percent


def _line(ax: Axes, index: pd.Index, values: pd.Series, **style: Any) -> None:
    """A line, or a dot where there is one point."""
    ax.plot(_times(index), values.to_numpy(), marker="o" if len(index) == 1 else None, **style)


def _band(ax: Axes, index: pd.Index, lower: pd.Series, upper: pd.Series, colour: str, label: str = "") -> None:
    """A band, or a bar where there is one point."""
    draw, width = (ax.vlines, 6.0) if len(index) == 1 else (ax.fill_between, 0.0)
    draw(_times(index), lower.to_numpy(), upper.to_numpy(), color=colour, alpha=0.18, lw=width, label=label)


def _last_origins(rows: pd.DataFrame, n_origins: int | None) -> list[pd.Timestamp]:
    """The last origins, each at least one horizon before the next, in time order."""
    horizon = int(rows["step"].max())
    most = max(2, -(-ROWS_SHOWN // horizon)) if n_origins is None else n_origins
    ends = rows.groupby("cutoff")["ds"].max()
    kept = [ends.index[-1]]
    for cutoff in ends.index[-2::-1]:
        if len(kept) < most and ends[cutoff] <= kept[0]:
            kept.insert(0, cutoff)
    return kept


def _observations(
    rows: pd.DataFrame, history: pd.DataFrame | pd.Series | None, target: Hashable, first: pd.Timestamp
) -> pd.Series:
    """What was observed in the rows shown, and half a horizon before them where the history is given."""
    if history is None:
        seen = rows.drop_duplicates("ds").set_index("ds")["y_true"].sort_index()
    else:
        seen = _as_frame(history)[target]
        before = int(rows["step"].max()) // 2 + 1
        seen = seen.iloc[max(0, seen.index.searchsorted(first) - before) :]
    return seen.loc[: rows["ds"].max()]


def _is_baseline(name: str) -> bool:
    return name in BASELINES


def _styles(models: Sequence[str]) -> tuple[list[str], list[str]]:
    """Colours and dashes: baselines in grey, so that the eye goes to the rest."""
    greys, colours = iter(["0.45", "0.65", "0.8"] * len(models)), iter(COLOURS * len(models))
    picked = [next(greys) if _is_baseline(name) else next(colours) for name in models]
    return picked, ["--" if _is_baseline(name) else "-" for name in models]


def _draw_model(ax: Axes, rows: pd.DataFrame, colour: str, dash: str, name: str, bands: bool) -> None:
    """One line per origin, the first of them in the legend."""
    for k, (_, origin) in enumerate(rows.groupby("cutoff")):
        index = pd.DatetimeIndex(origin["ds"])
        _line(ax, index, origin["y_pred"], color=colour, ls=dash, lw=1.4, label=name if k == 0 else None)
        for lower, upper, percent in _bounds(origin) if bands else ():
            text = f"{name} {percent} % interval" if k == 0 else ""
            _band(ax, index, origin[lower], origin[upper], colour, text)


def _finish(ax: Axes, index: pd.Index, target: Hashable) -> Axes:
    """Axis labels, short dates, and the legend above the data."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    tz = pd.DatetimeIndex(index).tz
    locator = AutoDateLocator(tz=tz)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=tz))
    ax.set_xlabel("time" if tz is None else f"time ({tz})")
    ax.set_ylabel(str(target))
    ax.margins(x=0.01)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=7, frameon=False, borderaxespad=0.2, columnspacing=1.2)
    return ax
