"""Run benchmarks: ``python -m benchmarks NAME... [--quick]``, or ``--list``.

What is being done goes to standard error, every figure as one line of JSON to standard output.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Figure

BENCHMARKS: dict[str, tuple[str, ...]] = {
    "loop": ("benchmarks.loop", "benchmarks.replay"),
    "kpi": ("benchmarks.kpi",),
    "replay": ("benchmarks.replay",),
    "fidelity": ("benchmarks.fidelity",),
    "calibration": ("benchmarks.calibration",),
    "twin": ("benchmarks.twin",),
    "scenarios": ("benchmarks.scenarios",),
    "robust": ("benchmarks.robust",),
    "scheduler": ("benchmarks.scheduler",),
    "simulate": ("benchmarks.simulate",),
    "reschedule": ("benchmarks.reschedule",),
    "theory": ("benchmarks.theory",),
    "tardiness": ("benchmarks.tardiness",),
}
"""Benchmarks by name, each made of modules with ``run(quick) -> Iterable[Figure]``; `all` runs every module once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line names; return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in (*BENCHMARKS, "all")]:
        parser.error(f"unknown benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)} and all")
    if options.list or not options.names:
        for name, modules in BENCHMARKS.items():
            print(f"{name:12} {'; '.join(_purpose(module) for module in modules)}")
        return 0
    figures = []
    for module in _modules(options.names):
        for figure in _run(module, options.quick):
            print(figure.line(), flush=True)
            figures.append(figure)
    if options.results is not None:
        options.results.write_text(results(figures, quick=options.quick), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="see --list; `all` runs every one")
    parser.add_argument("--list", action="store_true", help="list the benchmarks")
    parser.add_argument("--quick", action="store_true", help="smaller counts: a rough answer in under a minute")
    parser.add_argument("--results", type=Path, metavar="FILE", help="also write the figures as Markdown to FILE")
    return parser


def _modules(names: Iterable[str]) -> list[str]:
    wanted = [name for given in names for name in (BENCHMARKS if given == "all" else (given,))]
    return list(dict.fromkeys(module for name in wanted for module in BENCHMARKS[name]))


def _purpose(module: str) -> str:
    return (importlib.import_module(module).__doc__ or module).split("\n", 1)[0].rstrip(".")


def _run(module: str, quick: bool) -> Iterable[Figure]:
    print(f"{_purpose(module)} ...", file=sys.stderr, flush=True)
    run: Callable[[bool], Iterable[Figure]] = importlib.import_module(module).run
    began = time.perf_counter()
    for figure in run(quick):
        verdict = {True: "reached", False: "MISSED", None: "for information"}[figure.reached]
        print(f"  {figure.name} {figure.value:.4g} {figure.unit} ({figure.reach}: {verdict})", file=sys.stderr)
        yield figure
    print(f"  {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)


def results(figures: Sequence[Figure], *, quick: bool) -> str:
    """Return the figures as a Markdown page with the machine they were measured on."""
    rows = [
        f"| {figure.name} | {figure.value:.4g} | {figure.unit} | {figure.reach or '-'} |"
        f" {', '.join(f'{key}: {value}' for key, value in figure.detail.items())} |"
        for figure in figures
    ]
    head = [
        "# Benchmark results",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, `python -m benchmarks`{' --quick' if quick else ''}.",
        "",
        "| figure | value | unit | reach | detail |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def machine() -> str:
    """Describe the machine: processor, cores, memory, system, Python."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {memory_gib:.0f} GiB, "
        f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
