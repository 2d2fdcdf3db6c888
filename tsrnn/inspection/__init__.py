"""Instruments to see inside fitted recurrent networks. A leaf: nothing of tsrnn imports from here.

Each function returns a table; the display beside it, in scikit-learn's manner, draws the table:
``XDisplay.from_estimator(...)``, ``.plot(ax=None)``. matplotlib is loaded when something is drawn.
"""

from ..networks.elman import ElmanGradients, elman_gradients, elman_states
from .gates import GateDisplay, gate_trace
from .gradients import GradientFlowDisplay, gradient_flow, gradient_reach, recurrent_spectrum
from .importance import PermutationImportanceDisplay, permutation_importance
from .learning import LearningCurveDisplay, learning_curve
from .learning_rates import LearningRateRangeDisplay, learning_rate_range_test, suggest_learning_rate
from .memory import EffectiveMemoryDisplay, effective_memory, memory_reach

__all__ = [
    "EffectiveMemoryDisplay",
    "ElmanGradients",
    "GateDisplay",
    "GradientFlowDisplay",
    "LearningCurveDisplay",
    "LearningRateRangeDisplay",
    "PermutationImportanceDisplay",
    "effective_memory",
    "elman_gradients",
    "elman_states",
    "gate_trace",
    "gradient_flow",
    "gradient_reach",
    "learning_curve",
    "learning_rate_range_test",
    "memory_reach",
    "permutation_importance",
    "recurrent_spectrum",
    "suggest_learning_rate",
]
