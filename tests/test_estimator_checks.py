"""scikit-learn's own checks: all of them, none skipped, none expected to fail."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from tsrnn.regressors import (
    ConvRegressor,
    EchoStateRegressor,
    FeedForwardRegressor,
    GRURegressor,
    LSTMRegressor,
    MinGRURegressor,
    MinLSTMRegressor,
    OutputRecurrentRegressor,
    Seq2SeqRegressor,
    SimpleRNNRegressor,
)

# Seconds each on the native engine; with `pytest -m slow` once on Keras.
ESTIMATORS = [
    pytest.param(SimpleRNNRegressor(), id="rnn"),
    pytest.param(SimpleRNNRegressor(loss="student_t", optimizer="adamw"), id="distribution"),
    pytest.param(LSTMRegressor(), id="lstm"),
    pytest.param(GRURegressor(), id="gru"),
    pytest.param(LSTMRegressor(units=(8, 4), bidirectional=True), id="bidirectional"),
    pytest.param(GRURegressor(static_features=(0,)), id="static"),
    pytest.param(EchoStateRegressor(units=50), id="echo_state"),
    pytest.param(LSTMRegressor(engine="keras"), id="keras", marks=pytest.mark.slow),
    pytest.param(MinGRURegressor(), id="min_gru", marks=pytest.mark.slow),
    pytest.param(MinLSTMRegressor(), id="min_lstm", marks=pytest.mark.slow),
    pytest.param(LSTMRegressor(peephole=True, transition_depth=2), id="deep", marks=pytest.mark.slow),
    pytest.param(
        GRURegressor(
            units=(8, 8),
            bidirectional=True,
            merge_mode="sum",
            residual=True,
            input_layers=(8,),
            output_layers=(8,),
        ),
        id="axes",
        marks=pytest.mark.slow,
    ),
    pytest.param(FeedForwardRegressor(), id="feed_forward", marks=pytest.mark.slow),
    pytest.param(ConvRegressor(filters=16), id="conv", marks=pytest.mark.slow),
    pytest.param(OutputRecurrentRegressor(), id="output_recurrent", marks=pytest.mark.slow),
    pytest.param(Seq2SeqRegressor(attention="additive"), id="seq2seq", marks=pytest.mark.slow),
]


def _name(check):
    return getattr(check, "func", check).__name__


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=f"{case.id}-{_name(check)}-{i}", marks=case.marks)
        for case in ESTIMATORS
        for i, (estimator, check) in enumerate(estimator_checks_generator(case.values[0], mark=None))
    ],
)
def test_estimator_check(estimator, check):
    try:
        check(estimator)
    except pytest.skip.Exception as skipped:
        pytest.fail(f"the check was skipped: {skipped}")
