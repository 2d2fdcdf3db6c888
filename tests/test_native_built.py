"""The native engine is there wherever it can be compiled: without it, its tests are skipped and nothing fails."""

from __future__ import annotations

import importlib
import os
import shutil
import sys

import pytest

COMPILERS = ("cc", "gcc", "clang")


@pytest.mark.skipif(os.environ.get("TSRNN_WITHOUT_NATIVE") == "1", reason="TSRNN_WITHOUT_NATIVE=1: left out on purpose")
@pytest.mark.skipif(sys.platform == "win32", reason="MSVC has no vector extensions: the engine is not compiled")
@pytest.mark.skipif(not any(map(shutil.which, COMPILERS)), reason=f"no C compiler: none of {', '.join(COMPILERS)}")
def test_the_native_engine_is_compiled_where_there_is_a_compiler():
    try:
        importlib.import_module("tsrnn.engine.native._core")
    except ImportError as exc:
        pytest.fail(
            f"the native engine is not there although a C compiler is ({exc}). Install again and see why: "
            f"{sys.executable} -m pip install --verbose --editable . ; or set TSRNN_WITHOUT_NATIVE=1."
        )
