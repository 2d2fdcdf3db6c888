"""What the benchmarks that print Markdown share: table rows, and the memory of a process."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

__all__ = ["head", "peak_mb", "row"]


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def head(*cells: str) -> None:
    row(*cells)
    print("|---" * len(cells) + "|", flush=True)


def peak_mb() -> float:
    """The largest resident set of this process."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage would count what the parent held when it started this process.
        high_water = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(high_water.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)
