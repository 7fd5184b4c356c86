"""What a figure was measured on: without it the figure says nothing."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

PARTS = ("psycopg", "uvicorn", "msgspec", "redis")


def described() -> dict[str, str]:
    """The processors, the memory, the system and the parts that matter, by name."""
    return {
        "processors": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{_memory_gib():.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()} "
        f"of {sys.base_prefix}",
        "parts": ", ".join(f"{name} {version(name)}" for name in PARTS),
        "postgresql": "fsync = on, synchronous_commit = on",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _memory_gib() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return 0.0
