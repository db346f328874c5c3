"""What every benchmark tells beside its figures: the machine, the versions of the libraries; as a table or as JSON."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

_LIBRARIES = (
    "torch", "transformers", "tokenizers", "onnxruntime", "numpy", "celery", "redis", "sqlalchemy", "psycopg",
)  # fmt: skip
_INSTRUCTION_SETS = (
    "avx2", "fma", "avx512f", "avx512bw", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile",
    "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip

Row = Sequence[object]


def machine() -> dict[str, Any]:
    """Describe this machine and what is installed on it."""
    told = _cpu()
    flags = set((told.get("flags") or told.get("Features") or "").split())
    return {
        "cpu": told.get("model name") or platform.processor() or platform.machine(),
        "cores": len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count(),
        "instruction_sets": [name for name in _INSTRUCTION_SETS if name in flags],
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
    }


def table(titles: Row, rows: Sequence[Row]) -> str:
    """Lay out rows: the first column to the left, the others to the right; numbers with three digits or more."""
    cells = [[_shown(cell) for cell in row] for row in (titles, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(line))
        for line in (list(zip(row, widths, strict=True)) for row in cells)
    )


def report(about: Mapping[str, Any], file: Path | None, figures: Mapping[str, Any]) -> None:
    """Print the machine's description under the figures, and write both as JSON where a file is given."""
    print(
        f"\n{about['cpu']}, {about['cores']} cores ({', '.join(about['instruction_sets'])}), load before "
        f"{about['load_before']}\nPython {about['python']}, "
        + ", ".join(f"{name} {found}" for name, found in about["libraries"].items())
    )
    if file:
        file.write_text(json.dumps({"machine": about, **figures}, indent=2) + "\n", encoding="utf-8")


def _shown(cell: object) -> str:
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"


def _cpu() -> dict[str, str]:
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").split("\n\n")[0].splitlines() if file.exists() else []
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
