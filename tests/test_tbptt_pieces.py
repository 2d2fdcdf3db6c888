"""How sequences are cut: pieces in lanes, and the steps that early stopping holds out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tbptt_examples import data, largest_difference, needs_native, regressor, sequences

from tsrnn import load
from tsrnn.engine import WindowData
from tsrnn.engine.data import Sequences
from tsrnn.engine.examples import Examples, split_steps
from tsrnn.engine.pieces import Pieces

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.exceptions.CapacityWarning")


# -- lanes -----------------------------------------------------------------------------------------------------------


def cut(lengths, tbptt_steps, batch_size):
    X, y = sequences(lengths)
    windows = WindowData.from_windows(Sequences(np.concatenate(X), np.array(lengths)))
    flat = np.full((len(X), windows.n_steps), np.nan, np.float32)
    for row, target in zip(flat, y, strict=True):
        row[len(row) - len(target) :] = target
    return X, y, Pieces.cut(Examples(windows, flat, np.arange(1.0, len(X) + 1)), tbptt_steps, batch_size, n_states=2)


@settings(max_examples=100, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    tbptt_steps=st.integers(1, 12),
    batch_size=st.integers(1, 8),
)
def test_an_epoch_reads_each_step_once_and_in_order(lengths, tbptt_steps, batch_size):
    X, y, pieces = cut(lengths, tbptt_steps, batch_size)
    order = pieces.batches(batch_size, None)
    assert order.shape == (pieces.n_batches(batch_size), batch_size)
    assert sorted(order[order >= 0]) == list(range(len(pieces)))
    lanes = pieces.carry.lanes
    assert all(len(set(lanes[row[row >= 0]])) == (row >= 0).sum() for row in order)  # one piece of a lane at a time
    read: list[list[np.ndarray]] = [[] for _ in pieces.first]
    for piece in order.ravel()[order.ravel() >= 0]:
        full = slice(pieces.windows.lead[piece], None)
        values = pieces.windows.dense(np.array([piece]))[0, full]
        read[lanes[piece]].append(np.column_stack([values, pieces.y[piece, full]]))
        assert np.isnan(pieces.y[piece, : full.start]).all()
    joined = [np.concatenate(parts) for parts in read]
    starts = np.flatnonzero(~pieces.follows)
    again = [np.concatenate(joined[i:j]) for i, j in zip(starts, [*starts[1:], len(joined)], strict=True)]
    for x, target, got in zip(X, y, again, strict=True):
        np.testing.assert_allclose(got, np.column_stack([x, target]).astype(np.float32))
    assert len(joined) <= max(batch_size, len(lengths))
    np.testing.assert_array_equal(pieces.weight, np.searchsorted(starts, lanes, side="right"))


def test_a_lane_starts_where_the_one_before_it_ended_in_the_epoch_before():
    *_, pieces = cut([12, 4], tbptt_steps=2, batch_size=5)
    assert pieces.count.tolist() == [2, 2, 2, 2]
    pieces.batches(5, None)
    np.testing.assert_array_equal(pieces.carry.states, 0)
    pieces.carry.states[:] = [[1, 1], [2, 2], [3, 3], [4, 4]]
    pieces.batches(5, None)
    np.testing.assert_array_equal(pieces.carry.states, [[0, 0], [1, 1], [2, 2], [0, 0]])


@needs_native
def test_shuffling_permutes_sequences_and_their_order_in_X_does_not_matter():
    X, y = data(n_sequences=7)
    rows = np.random.default_rng(3).permutation(7)
    options = {"tbptt_steps": 5, "batch_size": 3}
    model, permuted = regressor(**options).fit(X, y), regressor(**options).fit(X[rows], y[rows])
    assert largest_difference(model.weights_, permuted.weights_) == 0
    np.testing.assert_array_equal(model.state_[0][rows], permuted.state_[0])
    assert largest_difference(model.weights_, regressor(shuffle=False, **options).fit(X, y).weights_) > 0


# -- early stopping --------------------------------------------------------------------------------------------------


def test_the_last_steps_of_each_sequence_are_held_out():
    X, y = sequences([10, 4, 1])
    windows = WindowData.from_windows(Sequences(np.concatenate(X), np.array([10, 4, 1])))
    flat = np.full((3, 10), np.nan, np.float32)
    for row, target in zip(flat, y, strict=True):
        row[10 - len(target) :] = target
    training, held_out = split_steps(Examples(windows, flat, np.ones(3)), fraction=0.25, gap=1)
    # round(0.25 * 10) = 2, round(0.25 * 4) = 1, round(0.25 * 1) = 0, and one step before each that is dropped
    kept = [x[: len(x) - n] for x, n in zip(X, (3, 2, 0), strict=True)]
    for i, x in enumerate(kept):
        lead = training.windows.lead[i]
        np.testing.assert_allclose(training.windows.dense(slice(None))[i, lead:], x.astype(np.float32))
        np.testing.assert_allclose(training.y[i, lead:], y[i][: len(x)].astype(np.float32))
        assert np.isnan(training.y[i, :lead]).all()
    np.testing.assert_array_equal(np.isnan(held_out.y).sum(axis=1), [8, 9])  # of the short one none
    np.testing.assert_array_equal(held_out.y[0, 8:], flat[0, 8:])
    np.testing.assert_array_equal(held_out.windows.lead, windows.lead[:2])


def split_one(y, fraction, gap):
    windows = WindowData.from_windows(np.random.default_rng(0).normal(size=(1, y.shape[1], 1)))
    return split_steps(Examples(windows, y.astype(np.float32), np.ones(1)), fraction, gap)


@given(
    known=st.lists(st.booleans(), min_size=4, max_size=40),
    fraction=st.sampled_from([0.1, 0.25, 0.5]),
    gap=st.integers(0, 3),
)
@settings(deadline=None, max_examples=60)
def test_the_last_share_of_the_known_targets_is_held_out(known, fraction, gap):
    y = np.where(known, np.arange(len(known)), np.nan)[None]
    rows = np.flatnonzero(known)
    n_held = round(fraction * len(rows))
    earlier = [] if n_held == 0 else [row for row in rows if row < rows[-n_held] - gap]
    if not earlier:
        with pytest.raises(ValueError, match="known targets on both sides"):
            split_one(y, fraction, gap)
        return
    training, held_out = split_one(y, fraction, gap)
    assert held_out.y[~np.isnan(held_out.y)].tolist() == rows[-n_held:].tolist()
    assert training.y[~np.isnan(training.y)].tolist() == earlier


@needs_native
@pytest.mark.parametrize("tail", [0, 300, 900])
def test_a_series_whose_last_targets_are_unknown_is_validated_on_the_last_known_ones(tail):
    X, y = data(1, 1000)
    y[:, 1000 - tail :] = np.nan
    model = regressor(tbptt_steps=50, epochs=3, early_stopping=True, n_iter_no_change=50).fit(X, y)
    n_held = round(0.1 * (1000 - tail))
    rows = slice(1000 - tail - n_held, 1000 - tail)
    best = min([model.initial_val_loss_, *model.history_["val_loss"]])
    assert best == pytest.approx(np.mean((model.predict(X)[0, rows] - y[0, rows]) ** 2), rel=1e-4)


@needs_native
def test_a_series_without_a_known_target_is_refused():
    X, y = data(1, 100)
    with pytest.raises(ValueError, match="the data have no window with both a weight above zero and a target"):
        regressor(tbptt_steps=10).fit(X, np.full_like(y, np.nan))


@needs_native
def test_the_validation_loss_is_that_of_the_last_steps_reached_from_those_before():
    X, y = data(n_sequences=1, n_steps=200)
    options = {"tbptt_steps": 8, "epochs": 3, "validation_gap": 2}
    model = regressor(early_stopping=True, n_iter_no_change=50, **options).fit(X, y)
    error = np.mean((model.predict(X)[0, 180:] - y[0, 180:]) ** 2)
    best = min([model.initial_val_loss_, *model.history_["val_loss"]])
    assert error == pytest.approx(best, rel=1e-5)
    alone = regressor(early_stopping=False, **options).fit(X[:, :178], y[:, :178])
    assert model.history_["loss"] == alone.history_["loss"]  # and nothing of them is trained on
    assert regressor(**options).fit(X, y).history_.keys() == {"loss", "learning_rate"}  # "auto": 25 pieces are few


@needs_native
def test_auto_stops_early_from_1000_pieces_on():
    X, y = data(n_sequences=1, n_steps=1000)
    assert "val_loss" in regressor(tbptt_steps=1, epochs=1).fit(X, y).history_
    assert "val_loss" not in regressor(tbptt_steps=2, epochs=1).fit(X, y).history_


@needs_native
def test_early_stopping_that_leaves_nothing_is_refused():
    X, y = data(n_sequences=2, n_steps=6)
    options = {"tbptt_steps": 2, "early_stopping": True}
    with pytest.raises(ValueError, match="known targets on both sides"):
        regressor(validation_gap=6, **options).fit(X, y)
    with pytest.raises(ValueError, match="takes the last 0"):
        regressor(validation_fraction=0.01, **options).fit(X, y)


# -- gaps and chunks -------------------------------------------------------------------------------------------------


def test_one_long_sequence_may_have_gaps_in_its_targets():
    X, y = data(1, 60)
    y[0, 20:40] = np.nan
    model = regressor(tbptt_steps=10, epochs=30, learning_rate=0.02).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert np.nanmean((model.predict(X) - y) ** 2) < np.nanvar(y) / 2
    again = regressor(tbptt_steps=10, epochs=30, learning_rate=0.02)
    again.__fit_windows__(X, y)  # as forecasters do, whose targets have always been allowed to be missing
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_short_first_chunk_does_not_shorten_the_pieces_of_later_ones(tmp_path):
    X, y = data(2, 60)
    model = regressor(tbptt_steps=20).partial_fit(X[:, :5], y[:, :5]).partial_fit(X[:, 5:], y[:, 5:])
    assert model._piece == 20
    assert model.n_windows_ == 2 * 3
    model.save(tmp_path / "model.tsrnn")
    np.testing.assert_array_equal(load(tmp_path / "model.tsrnn").predict(X), model.predict(X))
