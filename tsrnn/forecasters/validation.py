"""The last windows in time, kept from training to judge what was learnt. Imports exceptions only."""

from __future__ import annotations

from ..exceptions import DataError

__all__ = ["split_in_time"]

#: Windows from which a validation part is set aside unasked, if it leaves half of them to train on.
ENOUGH_WINDOWS = 200


def split_in_time(n_windows: int, fraction: float, gap: int, wanted: bool | str = "auto") -> tuple[slice, slice | None]:
    """Return the rows of the training part and of the validation part, which is the last in time.

    Parameters
    ----------
    n_windows : int
        Windows in the order of time.
    fraction : float
        Share of them that the validation part has.
    gap : int
        Windows left out between the two parts, whose targets overlap.
    wanted : {"auto", True, False}
        Whether there is to be a validation part. "auto": of 200 windows or more, if half of them are left to train on.

    Returns
    -------
    training, held : slice, slice or None
        None for no validation part; training takes all windows then.

    Raises
    ------
    DataError
        If a validation part is wanted and leaves nothing to train on.

    Examples
    --------
    >>> split_in_time(1000, fraction=0.2, gap=24)
    (slice(None, 776, None), slice(-200, None, None))
    >>> split_in_time(100, fraction=0.2, gap=24)
    (slice(None, None, None), None)
    """
    n_held = max(1, round(fraction * n_windows))
    n_training = n_windows - n_held - gap
    few = n_windows < ENOUGH_WINDOWS or n_training < n_windows / 2
    if wanted is False or (wanted == "auto" and few):
        return slice(None), None
    if n_training < 1:
        raise DataError(
            f"of {n_windows} windows, early stopping takes the last {n_held} and leaves out the {gap} before them, "
            "whose targets overlap, so none are left to train on. Pass more history, a shorter horizon or window, a "
            "smaller validation_fraction, or early_stopping=False."
        )
    return slice(n_training), slice(-n_held, None)
