"""What all tests share."""

import os

import pytest

# scikit-learn reads it when SciPy is first imported; without it the array API checks of check_estimator are skipped.
os.environ.setdefault("SCIPY_ARRAY_API", "1")


def pytest_configure(config):
    # Tests fit networks on a handful of windows; the warning has its own test.
    config.addinivalue_line("filterwarnings", "ignore::tsrnn.exceptions.CapacityWarning")


@pytest.fixture
def load_csv(tmp_path):
    """A file of two columns on 300 hours, for the terminal."""
    from terminal import write_load

    return write_load(tmp_path)
