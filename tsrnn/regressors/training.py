"""From the parameters of a regressor and a lesson to what training left: what stands between `fit` and the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._progress import work
from ..engine import ForwardKey, Missing, ProgramKey, TrainerKey, WindowData, choose_engine, lease
from ..engine.callbacks import KerasCallbacks, ProgressHook, fresh_callbacks
from ..engine.examples import Examples
from ..engine.pieces import Pieces
from ..engine.program import Numbers
from ..engine.resumption import TrainerState
from ..engine.training import EpochState, Hook, Outcome, TrainingPlan, train
from .groups import Cost, RegressorTraining
from .lesson import Lesson
from .sklearn_callbacks import CallbackSupportMixin, SklearnCallbacks

__all__ = ["TrainsNetwork"]

# XLA's compilation takes about 2 s (and, once per process, 150 MB) and saves 0.03-0.1 ms in each recurrent step of a
# batch, if the matrices are so small that the overhead of TensorFlow's operations counts.
_COMPILE_FROM_STEPS = 100_000
_COMPILE_UP_TO_SIZE = 8192  # batch_size * units


class TrainsNetwork(CallbackSupportMixin, Cost, RegressorTraining):
    """The parameters of training, and the training that they describe."""

    weights_: list[np.ndarray]
    history_: dict[str, list[float]]
    n_steps_in_: int
    model_: Any
    engine: Any
    dropout: float
    recurrent_dropout: float
    teacher_forcing: Any = 0.0  # of the networks that read their own outputs
    _spec: Any  # a `Spec`
    _missing: Missing
    _quantiles: tuple[float, ...]
    _trainer_state: TrainerState | None
    _piece: int | None

    def _train(
        self,
        lesson: Lesson,
        feed: Examples | Pieces,
        plan: TrainingPlan,
        rng: np.random.Generator,
        resume: bool,
        shown: Any,
    ) -> Outcome:
        """Train from `weights_` on; `shown` are X, y and sample_weight for callbacks."""
        n_batches = feed.n_batches(plan.batch_size, plan.most)
        parts = [feed.windows, *lesson.parts[1:]]
        key = ProgramKey(self._forward_key(parts), self._trainer_key(plan, n_batches))
        self.engine_, reason = choose_engine(key, self.engine)
        engine = f" (Keras: {reason})" if reason else " (native engine)"
        title = type(self).__name__ + ("" if self.verbose == "auto" else engine)
        hooks = self._hooks(plan, n_batches, *shown)
        at_most = lesson.held_out is not None
        with (
            work(title, plan.end - plan.start, show=self.verbose, at_most=at_most, detail=True) as epochs,
            lease(key, self.engine) as program,
        ):
            return train(
                program,
                feed,
                lesson.held_out,
                self._missing,
                plan,
                self.weights_,
                rng,
                trainer_state=self._trainer_state if resume else None,
                hooks=[*hooks, ProgressHook(epochs)],
            )

    # -- what programs are made for ----------------------------------------------------------------------------------

    def _forward_key(self, parts: list[WindowData]) -> ForwardKey:
        """Describe the forward pass that reads all of these parts."""
        centred = {part.offset is not None for part in parts}
        if len(centred) > 1:
            raise ValueError("either both or neither of the training and validation windows must have an offset.")
        carried = self._piece is not None
        return ForwardKey(
            self._spec,
            self.n_steps_in_ if self._piece is None else self._piece,
            parts[0].n_features,
            self._missing.indicators,
            # The last piece of a sequence may be shorter.
            ragged=carried or any(part.ragged for part in parts),
            centred=centred.pop(),
            carried=carried,
        )

    def _trainer_key(self, plan: TrainingPlan, n_batches: int) -> TrainerKey:
        sgd = self.optimizer == "sgd"
        return TrainerKey(
            batch_size=plan.batch_size,
            optimizer=self.optimizer,
            momentum=float(self.momentum) if sgd else 0.0,
            nesterov=sgd and bool(self.nesterov),
            loss=self.loss,
            quantiles=self._quantiles,
            dropout=self.dropout > 0,
            recurrent_dropout=float(self.recurrent_dropout),
            teacher={0.0: "never", 1.0: "always"}.get(self.teacher_forcing, "sometimes"),
            compiled=self._compiles(n_batches * (plan.end - plan.start), plan.batch_size),
        )

    def _compiles(self, n_batches: int, batch_size: int) -> bool:
        """Say whether XLA is used; "auto" goes by sizes alone, so that a fit repeats bit by bit."""
        if self.jit_compile != "auto":
            return bool(self.jit_compile)
        n_steps = n_batches * self._spec.small_steps(self.n_steps_in_ if self._piece is None else self._piece)
        return n_steps >= _COMPILE_FROM_STEPS and batch_size * max(self._spec.units) <= _COMPILE_UP_TO_SIZE

    def _plan(self, n_rows: int, done: int | None) -> TrainingPlan:
        """Describe the training; after `done` epochs of `partial_fit` one more, otherwise all of a fit."""
        numbers = Numbers(
            learning_rate=float(self.learning_rate),
            l1=float(self.l1),
            l2=float(self.l2),
            clipnorm=float("inf") if self.clipnorm is None else float(self.clipnorm),
            dropout=float(self.dropout),
            weight_decay=float(self.weight_decay),
        )
        plan = TrainingPlan(
            epochs=int(self.epochs),
            batch_size=min(int(self.batch_size), n_rows),  # more would be padding
            loss=self.loss,
            numbers=numbers,
            shuffle=bool(self.shuffle),
            most=None if self.max_windows is None else int(self.max_windows),
            schedule=self.learning_rate_schedule,
            patience=int(self.n_iter_no_change),
            tol=float(self.tol),
            quantiles=self._quantiles,
            teacher_forcing=self.teacher_forcing,
        )
        # A fit begins its schedules anew; partial_fit goes on with them.
        return plan if done is None else replace(plan, start=done, n_epochs=1)

    # -- who looks on ------------------------------------------------------------------------------------------------

    def _hooks(self, plan: TrainingPlan, n_batches: int, X: Any, y: Any, sample_weight: Any) -> list[Hook]:
        hooks: list[Hook] = []
        self.callbacks_ = fresh_callbacks(self.callbacks)
        if self.callbacks_:
            hooks.append(self._keras_callbacks(plan, n_batches))
        if getattr(self, "_skl_callbacks", None) or hasattr(self, "_parent_callback_ctx"):
            metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
            context = self._init_callback_context(max_subtasks=plan.epochs)
            hooks.append(SklearnCallbacks(context, self._as_fitted, estimator=self, X=X, y=y, metadata=metadata))
        return hooks

    def _keras_callbacks(self, plan: TrainingPlan, n_batches: int) -> KerasCallbacks:
        from ..engine.keras_ import make_optimizer

        model = self.model_
        # Keras has no losses of distributions; the model is there for callbacks to read, and is not trained.
        loss = self.loss if self.loss in ("mse", "mae", "huber") else None
        model.compile(make_optimizer(self.optimizer, plan.rate(plan.start), self.momentum, self.nesterov), loss)
        verbose = 0 if self.verbose == "auto" else int(self.verbose)
        return KerasCallbacks(self.callbacks_, model, {"epochs": plan.end, "steps": n_batches, "verbose": verbose})

    def _as_fitted(self, state: EpochState) -> dict[str, Any]:
        """Return the attributes of a regressor whose training stopped now."""
        return {
            "weights_": state.program.weights(),
            "n_iter_": state.epoch,
            "best_iteration_": state.epoch,
            "history_": self._whole_history(state.history, state.epoch - len(state.history["loss"])),
        }

    def _whole_history(self, history: dict[str, list[float]], done: int) -> dict[str, list[float]]:
        """Return what was measured by epoch, in the `done` epochs before as well."""
        before = self.history_ if done else {}
        return {name: before.get(name, []) + values for name, values in history.items()}
