"""How sure ARIMA forecasts are, given which rows were observed. Imports arima_model.

The variance of the predicted state follows from the pattern of missing rows alone, not from what was observed. One pass
over the rows serves all cutoffs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arima_model import DIFFUSE_VARIANCE, RESOLUTION, SMALLEST_DIRECTION, Spec, forecast_deviation, standard_model


def deviation_after_gaps(
    observed: np.ndarray, params: np.ndarray, spec: Spec, cutoffs: np.ndarray, steps: int
) -> np.ndarray:
    """Standard deviation of forecast errors from each cutoff, given which rows were observed: (n_cutoffs, steps).

    The variance of the predicted state follows from the pattern of missing rows alone, by the exact initial Kalman
    filter; once it has settled it stays as it is until the next row is missing.

    Parameters
    ----------
    observed : ndarray of bool, shape (n_rows,)
        From the first observation on, up to the last cutoff at least.

    References
    ----------
    Durbin & Koopman (2012), "Time series analysis by state space methods", 2nd ed., sections 4.3.1 and 5.2.2.
    """
    model = standard_model(np.zeros(2), params[len(params) - 1 - spec.n_lags :], spec)
    first = model.ssm.filter()
    diffuse = first.initial_diffuse_state_cov  # None where nothing is
    filtered = StateVariance(
        model.ssm["design"][0],
        model.ssm["transition"],
        first.selection[..., 0] @ first.state_cov[..., 0] @ first.selection[..., 0].T,
        first.initial_state_cov,
        np.zeros_like(first.initial_state_cov) if diffuse is None else diffuse,
    )
    wanted, out = np.zeros(len(observed), dtype=bool), {}
    wanted[cutoffs] = True
    for row in range(int(np.max(cutoffs)) + 1):
        filtered.advance(bool(observed[row]))
        if wanted[row]:
            out[row] = filtered.ahead(steps)
    deviation = np.sqrt(params[-1] * np.stack([out[row] for row in np.asarray(cutoffs).tolist()]))
    # The shocks to come are the least of it; next to a unit root little more can be computed.
    return np.fmax(deviation, forecast_deviation(params, spec, steps))


@dataclass(eq=False)
class StateVariance:
    """Variance of the predicted state, in two parts: what is known of it, and what is diffuse."""

    observation: np.ndarray
    transition: np.ndarray
    shocks: np.ndarray
    known: np.ndarray
    diffuse: np.ndarray
    settled: bool = False
    last: np.ndarray | None = None

    def advance(self, observed: bool) -> None:
        """Take in a row and predict the next one."""
        if observed and self.settled:
            return
        before, known_before, self.last = self.known, not self.diffuse.any(), None
        if observed:
            self._update()
        T = self.transition
        self.known = T @ self.known @ T.T + self.shocks
        self.diffuse = T @ self.diffuse @ T.T if self.diffuse.any() else self.diffuse
        change = np.abs(self.known - before).max()
        self.settled = observed and known_before and bool(change <= RESOLUTION * np.abs(self.known).max())

    def _update(self) -> None:
        known, diffuse = self.known @ self.observation, self.diffuse @ self.observation
        size, unknown = known @ self.observation, diffuse @ self.observation
        if unknown > SMALLEST_DIRECTION:
            gain = diffuse / unknown
            # P* + K0 K0' F* - K0 M*' - M* K0', and the diffuse part loses the direction that was seen
            cross = np.outer(gain, known)
            self.known = self.known + np.outer(gain, gain) * size - cross - cross.T
            self.diffuse = self.diffuse - np.outer(gain, gain) * unknown
            self.diffuse[np.abs(self.diffuse) < SMALLEST_DIRECTION] = 0.0
        else:
            # (I - K Z) P (I - K Z)', which rounding cannot make negative
            seen = np.eye(len(known)) - np.outer(known / size, self.observation)
            self.known = seen @ self.known @ seen.T

    def ahead(self, steps: int) -> np.ndarray:
        """Variance of the observation 1 .. steps rows ahead."""
        if self.last is None or len(self.last) < steps:
            Z, T, P = self.observation, self.transition, self.known + DIFFUSE_VARIANCE * self.diffuse
            out = np.empty(steps)
            for h in range(steps):
                out[h] = Z @ P @ Z
                P = T @ P @ T.T + self.shocks
            self.last = out
        return self.last[:steps]
