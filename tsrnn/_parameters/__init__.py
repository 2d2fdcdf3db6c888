"""Parameters of estimators, each stated once: type, default and rule in one line, its text in the docstring above.

`declare` makes constructors and checks of such lines, `rules` holds what a rule is made of, `document` puts docstrings
together. Imports checks.
"""

from .declare import COST, FORECAST, NETWORK, READING, TRAINING, check_parameters, estimator, group, param, parameters
from .rules import auto_or, choice, none_or, unchecked

__all__ = [
    "COST",
    "FORECAST",
    "NETWORK",
    "READING",
    "TRAINING",
    "auto_or",
    "check_parameters",
    "choice",
    "estimator",
    "group",
    "none_or",
    "param",
    "parameters",
    "unchecked",
]
