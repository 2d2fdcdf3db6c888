"""Callbacks of Keras and scikit-learn in fits of regressors, and the progress bar."""

import pickle
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from regressor_examples import data, regressor, same
from sklearn.base import clone

from tsrnn import LSTMForecaster
from tsrnn.persistence import load


def test_keras_callbacks_see_epochs_logs_and_current_weights(keras):
    X, y = data()
    seen = []

    class Recorder(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            y_pred = self.model.predict(X, verbose=0)[:, 0]
            seen.append((epoch, sorted(logs), np.mean((y_pred - y) ** 2)))

    model = regressor(epochs=3, callbacks=[Recorder()]).fit(X, y)
    assert [epoch for epoch, _, _ in seen] == [0, 1, 2]
    assert seen[0][1] == ["learning_rate", "loss"]
    assert seen[-1][2] == pytest.approx(np.mean((model.predict(X) - y) ** 2), rel=1e-4)
    assert same(model, regressor(epochs=3).fit(X, y))


def test_keras_callbacks_are_fresh_in_each_fit_and_may_be_factories(keras):
    X, y = data()

    class StopAtSecond(keras.callbacks.Callback):
        calls = 0

        def on_epoch_end(self, epoch, logs=None):
            self.calls += 1
            self.model.stop_training = self.calls == 2

    for callbacks in ([StopAtSecond()], StopAtSecond(), StopAtSecond, [lambda: StopAtSecond()]):
        model = regressor(epochs=5, callbacks=callbacks)
        assert [model.fit(X, y).n_iter_ for _ in range(2)] == [2, 2]
    with pytest.raises(TypeError, match="callbacks"):
        regressor(callbacks=[3]).fit(X, y)


def recorder(keras, **held):
    class Record(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            vars(self).update(held)
            self.calls = 0

        def on_epoch_end(self, epoch, logs=None):
            self.calls += 1
            for out in held.values():
                out.append(logs["loss"]) if isinstance(out, list) else out.put(logs["loss"])

    return Record()


def test_callbacks_report_to_the_objects_that_they_hold(keras):
    import queue

    X, y = data()
    seen, lined_up = [], queue.Queue()  # which holds locks, and cannot be copied deeply
    record = recorder(keras, seen=seen, lined_up=lined_up)
    model = regressor(epochs=4, callbacks=[record]).fit(X, y)
    assert seen == model.history_["loss"] == list(lined_up.queue)
    assert model.callbacks_[0].calls == 4 and record.calls == 0
    model.fit(X, y)
    assert len(seen) == 8 and model.callbacks_[0].calls == 4
    clone(model).partial_fit(X, y)
    assert len(seen) == 9


def test_callbacks_report_from_searches_and_forecasters(keras):
    from sklearn.model_selection import GridSearchCV

    X, y = data()
    seen = []
    search = GridSearchCV(regressor(epochs=2, callbacks=[recorder(keras, seen=seen)]), {"units": [2, 3]}, cv=2)
    search.fit(X, y)
    assert len(seen) == 2 * (2 * 2 + 1)
    assert search.best_estimator_.callbacks_[0].calls == 2
    del seen[:]
    table = pd.DataFrame({"y": np.sin(np.arange(150) / 3)}, pd.date_range("2024-01-01", periods=150, freq="D"))
    model = LSTMForecaster(window=8, units=2, epochs=3, callbacks=[recorder(keras, seen=seen)], random_state=0)
    model.fit(table)
    assert len(seen) == 3 * len(model.callbacks_)
    assert [callback.calls for (callback,) in model.callbacks_] == [3] * len(model.callbacks_)


def test_callbacks_after_the_fit_say_what_they_did_and_do_not_go_into_files(keras, tmp_path):
    X, y = data(60)
    stop = keras.callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=100.0)
    model = regressor(epochs=9, callbacks=[stop, lambda: recorder(keras, seen=[])]).fit(X, y)
    stopped, made = model.callbacks_
    assert stopped.stopped_epoch == 1 and stop.stopped_epoch == 0
    assert made.calls == 2 and made._model is None
    assert regressor().fit(X, y).callbacks_ == []
    model.set_params(callbacks=None)
    made.held = lambda: None  # what no pickle and no file can hold
    model.save(tmp_path / "model")
    for again in (pickle.loads(pickle.dumps(model)), load(tmp_path / "model")):
        assert again.callbacks_ == [] and same(again, model)


def test_a_callback_that_cannot_be_copied_is_named_with_the_way_out(keras):
    class Stubborn(keras.callbacks.Callback):
        def __copy__(self):
            raise RuntimeError("it holds the only key")

    X, y = data()
    with pytest.raises(TypeError, match=r"copy of Stubborn.*the only key.*callbacks=\[lambda: Stubborn\(...\)\]"):
        regressor(callbacks=[Stubborn()]).fit(X, y)
    assert len(regressor(callbacks=[lambda: Stubborn()]).fit(X, y).callbacks_) == 1


def test_batch_hooks_are_called_and_change_nothing(keras):
    X, y = data()
    batches = []

    class Batches(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            batches.append((batch, logs["loss"]))

    model = regressor(batch_size=16, callbacks=Batches()).fit(X, y)
    assert [batch for batch, _ in batches] == [0, 1, 2] * 2
    assert same(model, regressor(batch_size=16).fit(X, y))


def test_what_callbacks_do_to_the_model_counts(keras):
    X, y = data(60)
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, factor=0.5, min_delta=100.0)
    model = regressor(epochs=4, callbacks=plateau).fit(X, y)
    np.testing.assert_allclose(model.history_["learning_rate"], np.array([1, 1, 0.5, 0.25]) * 3e-3, rtol=1e-6)
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))
    model = regressor(epochs=2, callbacks=scheduler).fit(X, y)
    np.testing.assert_allclose(model.history_["learning_rate"], [0.1, 0.05], rtol=1e-6)

    class Zero(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([np.zeros_like(w) for w in self.model.get_weights()])

    assert not regressor(callbacks=Zero()).fit(X, y).predict(X).any()


@pytest.mark.skipif(find_spec("sklearn.callback") is None, reason="scikit-learn before 1.9 has no callbacks")
def test_sklearn_callbacks_get_one_subtask_per_epoch_and_may_stop():
    X, y = data()
    calls = []

    class Stop:
        def setup(self, estimator, context):
            calls.append("setup")

        def teardown(self, estimator, context):
            calls.append("teardown")

        def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
            calls.append(f"begin {context.task_name}")

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            calls.append(f"end {context.task_name} {fitted_estimator.n_iter_}")
            assert fitted_estimator.predict(X).shape == y.shape
            return fitted_estimator.n_iter_ == 2 and context.task_name == "epoch"

    model = regressor(epochs=5)
    model.set_callbacks(Stop())
    model.fit(X, y)
    epochs = ["begin epoch", "end epoch 1", "begin epoch", "end epoch 2"]
    assert calls == ["setup", "begin fit", *epochs, "end fit 2", "teardown"]
    assert model.n_iter_ == 2


@pytest.mark.skipif(find_spec("sklearn.callback") is None, reason="scikit-learn before 1.9 has no callbacks")
def test_sklearn_scoring_monitor_follows_the_epochs():
    from sklearn.callback import ScoringMonitor

    X, y = data()
    monitor = ScoringMonitor(scoring="r2")
    regressor(epochs=3).set_callbacks(monitor).fit(X, y)
    logs = monitor.get_logs()
    assert logs is not None


def test_progress_bar_is_shown_only_if_asked_for(capsys):
    X, y = data()
    regressor().fit(X, y)
    assert capsys.readouterr() == ("", "")
    regressor(verbose=1).fit(X, y)
    out, err = capsys.readouterr()
    assert (out, "GRURegressor (native engine)" in err) == ("", True)
