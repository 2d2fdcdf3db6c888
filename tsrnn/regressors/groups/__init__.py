"""The parameters of networks, group by group, for regressors and forecasters alike.

Where defaults differ, the line is written again in the class, or in the forecasters' groups.
"""

from .network import (
    Convolutions,
    Decoder,
    EachStep,
    Feedback,
    FutureFeatures,
    Head,
    MemoryCell,
    MinimalRecurrence,
    MissingValues,
    NonRecurrentNetwork,
    OutputCell,
    Reading,
    Recurrence,
    Reservoir,
    Segment,
    Sequences,
    Width,
)
from .training import (
    Cost,
    Descent,
    Engine,
    Loss,
    RegressorTraining,
    Seed,
    Stopping,
    TeacherForcing,
    Training,
)

__all__ = [
    "NonRecurrentNetwork",
    "Convolutions",
    "Cost",
    "Decoder",
    "Descent",
    "EachStep",
    "Engine",
    "Feedback",
    "FutureFeatures",
    "Head",
    "Loss",
    "MemoryCell",
    "MinimalRecurrence",
    "MissingValues",
    "OutputCell",
    "Reading",
    "Recurrence",
    "RegressorTraining",
    "Reservoir",
    "Seed",
    "Segment",
    "Sequences",
    "Stopping",
    "TeacherForcing",
    "Training",
    "Width",
]
