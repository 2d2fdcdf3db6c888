"""Keras models that users write: built without touching their random generators, checked, and described."""

from __future__ import annotations

import inspect
import json
import random
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state  # Keras's global generator has no public door

from ...networks import ModelSpec
from ..weights import check_weights

__all__ = ["check_build", "describe_model", "initial_model_weights", "make_user_model"]

_SEED_GENERATOR = "global_seed_generator"
_lock = threading.RLock()  # the generators are global: one model at a time


@contextmanager
def _generators(seed: int) -> Iterator[None]:
    """Seed the global generators that Keras's initialisers and users draw from; give them back as they were."""
    with _lock:
        python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
        generator = global_state.get_global_attribute(_SEED_GENERATOR)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        global_state.set_global_attribute(_SEED_GENERATOR, None)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
            global_state.set_global_attribute(_SEED_GENERATOR, generator)


_HOW = (
    "Pass a function that makes a new one at each call:\n"
    "    def build(n_steps, n_inputs, n_outputs):\n"
    "        return keras.Sequential([keras.Input((n_steps, n_inputs)), keras.layers.LSTM(8), "
    "keras.layers.Dense(n_outputs)])"
)
_made: weakref.WeakSet[Any] = weakref.WeakSet()  # models that a build has returned


def check_build(build: Any, params: dict[str, Any]) -> None:
    """Raise `TypeError` unless `build` is a function that can be called with sizes and these parameters."""
    if isinstance(build, keras.layers.Layer):  # models are layers
        raise TypeError(
            f"build must be a function that returns a Keras model, but it is a {type(build).__name__} itself. Each fit "
            f"begins with new weights. {_HOW}"
        )
    if isinstance(build, type) and build.__module__.split(".")[0] == "keras":
        raise TypeError(
            f"build must be a function that returns a Keras model, but it is the class {build.__name__}. {_HOW}"
        )
    if not callable(build):
        raise TypeError(f"build must be a function that returns a Keras model, got {build!r}. {_HOW}")
    try:
        signature = inspect.signature(build)
    except (TypeError, ValueError):  # of some functions in C it is not known
        return
    try:
        signature.bind(1, 1, 1, **params)
    except TypeError as exc:
        given = "".join(f", {name}=..." for name in params)
        raise TypeError(
            f"build must be a function that can be called as build(n_steps, n_inputs, n_outputs{given}), but it takes "
            f"{signature} ({exc}). {_HOW}"
        ) from exc


def _build(build: Callable, n_steps: int, n_inputs: int, n_outputs: int, params: dict[str, Any], seed: int = 0):
    with _generators(seed):
        model = build(n_steps, n_inputs, n_outputs, **params)
    if not isinstance(model, keras.Model):
        hint = " Does the function end with `return model`?" if model is None else ""
        raise TypeError(f"build must return a keras.Model, got {type(model).__name__}: {model!r}.{hint}")
    with _lock:
        again = model in _made
        _made.add(model)
    if again:
        raise TypeError(
            "build must be a function that makes a new model at each call, but it returned the same one twice: fits "
            "would share its weights. Let it return keras.models.clone_model(model)."
        )
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise TypeError(
            f"build returned a {type(model).__name__} whose input is not known. Return a functional model, or a "
            "Sequential one that begins with keras.Input((n_steps, n_inputs))."
        )
    _check_tensors("take one input", inputs, (n_steps, n_inputs))
    _check_tensors("return one output", model.outputs, (n_outputs,))
    return model


def _check_tensors(what: str, tensors: list[Any], shape: tuple[int, ...]) -> None:
    shapes = [tuple(tensor.shape) for tensor in tensors]
    fits = len(shapes) == 1 and len(shapes[0]) == 1 + len(shape)
    if not fits or any(got not in (None, length) for got, length in zip(shapes[0], (None, *shape), strict=True)):
        raise ValueError(
            f"the model of build must {what} of shape {(None, *shape)}, got {shapes}. build is called with n_steps, "
            "n_inputs and n_outputs; use them."
        )
    if tensors[0].dtype != "float32":
        raise ValueError(f"the model of build must {what} of dtype float32, got {tensors[0].dtype}.")


def make_user_model(spec: ModelSpec, n_steps: int, weights: list[np.ndarray] | None = None) -> keras.Model:
    """Build the model of a description, with the given weights."""
    model = _build(spec.build, n_steps, spec.n_inputs, spec.n_outputs, spec.build_params)
    if weights is not None:
        model.set_weights(check_weights(weights, [tuple(weight.shape) for weight in model.weights]))
    return model


def initial_model_weights(spec: ModelSpec, n_steps: int, seed: int) -> list[np.ndarray]:
    """Return the weights that the model's own initialisers draw from a seed."""
    model = _build(spec.build, n_steps, spec.n_inputs, spec.n_outputs, spec.build_params, seed)
    return [np.array(weight, dtype=np.float32) for weight in model.get_weights()]


def describe_model(build: Callable, n_steps: int, n_inputs: int, n_outputs: int, params: dict[str, Any]) -> ModelSpec:
    """Build the model once and describe it.

    Raises
    ------
    TypeError
        If `build` returns no Keras model, or one that Keras cannot describe.
    ValueError
        If the shapes of its input and output are not those of the windows and targets.
    """
    model = _build(build, n_steps, n_inputs, n_outputs, params)
    try:
        config = json.loads(model.to_json())
    except (NotImplementedError, TypeError, ValueError) as exc:
        raise TypeError(f"Keras cannot describe the model of build; give its layers a get_config. ({exc})") from exc
    trainable = model.trainable_variables
    if not trainable:
        raise ValueError("the model of build has no trainable weights.")
    return ModelSpec(
        config=json.dumps(_rename(config, {name: str(i) for i, name in enumerate(_layer_names(config))})),
        code=build if _runs_other_code(config) else None,
        n_inputs=n_inputs,
        n_outputs=n_outputs,
        kernel_positions=tuple(i for i, v in enumerate(trainable) if v.name.endswith("kernel")),
        n_parameters=sum(int(np.prod(v.shape)) for v in trainable),
        build=build,
        build_params=params,
    )


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Yield all JSON objects in a configuration, outer ones first."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(child)


def _layer_names(config: Any) -> dict[str, None]:
    """Return the names of the layers in the order of their first mention: Keras numbers them through the process."""
    objects = [node for node in _objects(config) if "class_name" in node]
    # A policy has a name as well, and that one counts.
    configs = [node["config"] for node in objects if not str(node["class_name"]).endswith("DTypePolicy")]
    names = [inner["name"] for inner in configs if isinstance(inner, dict) and isinstance(inner.get("name"), str)]
    return dict.fromkeys(names)


def _rename(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _rename(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [_rename(value, names) for value in node]
    return names.get(node, node) if isinstance(node, str) else node


def _runs_other_code(config: Any) -> bool:
    """Say whether the model runs functions or classes that are not Keras's: these are only named in its JSON."""
    return any(
        "Lambda" in str(node.get("class_name"))
        or not str(node.get("module") or "keras").startswith("keras")
        or (node.get("registered_name") is not None and node["registered_name"] != node.get("class_name"))
        for node in _objects(config)
    )
