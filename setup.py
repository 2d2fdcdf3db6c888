"""The native engine, which pyproject.toml cannot describe yet. Everything else stands there.

The extension is optional: without a C compiler, or with one that knows no vector extensions (MSVC), tsrnn installs
without it and trains with Keras.
"""

import os
from glob import glob

from setuptools import Extension, setup

SOURCE = "tsrnn/engine/native/src"
# No -march: the instruction set is chosen at run time, and each kernel_*.c asks for its own. No -ffast-math: NaN must
# stay NaN, and sums must keep their order. What is given up is errno, floating-point traps, and separate rounding of a
# product and the sum that it goes into.
FLAGS = ["-std=c11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wno-psabi"]
# TSRNN_CFLAGS: for instance "-O1 -g -fsanitize=address,undefined", see .ci/sanitize
LINK = ["-pthread", "-lm"] if os.name == "posix" else []
EXTRA = os.environ.get("TSRNN_CFLAGS", "").split()

setup(
    ext_modules=[
        Extension(
            "tsrnn.engine.native._core",
            sources=["tsrnn/engine/native/_core.pyx"]
            + [
                f"{SOURCE}/{name}.c"
                for name in ("engine", "plan", "loss", "kernel_base", "kernel_avx2", "kernel_avx512")
            ],
            depends=glob(f"{SOURCE}/**/*.h", recursive=True),
            include_dirs=[SOURCE],
            extra_compile_args=FLAGS + EXTRA,
            extra_link_args=LINK + EXTRA,
            optional=True,
        )
    ]
)
