"""Fuzzes every target for a while: `run.py --seconds 120 [--jobs 2] [TARGET ...]`.

Each target runs in a child process with limits of memory and of time for an input. What it
learns stays in .cache/fuzz/TARGET/corpus for the next time. Exit code 1 where anything was found;
the line says how to see it again.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from fuzz.targets import load, names  # noqa: E402 - found only by the path above

CACHE = ROOT / ".cache" / "fuzz"
LIMITS = (
    "-timeout=5",
    "-rss_limit_mb=768",
    "-max_len=8192",
    "-print_final_stats=1",
    "-entropic_scale_per_exec_time=1",
)
_CHILD = str(ROOT / "fuzz" / "child.py")


class Outcome(NamedTuple):
    """What came of one target's run."""

    name: str
    executions: int
    cpu_s: float
    coverage: int
    new_coverage: int
    finding: Path | None
    failed: bool


def main() -> int:
    """Run the targets, a line for each; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time (1)")
    parser.add_argument("target", nargs="*", help=" ".join(names()))
    chosen = parser.parse_args()
    if unknown := set(chosen.target) - set(names()):
        parser.error(f"no such target: {' '.join(sorted(unknown))}")
    print(f"{'target':16} {'executions':>11} {'CPU':>6} {'coverage':>9} {'new':>5}  result")
    bad = False
    with ThreadPoolExecutor(chosen.jobs) as pool:
        wanted = chosen.target or names()
        for outcome in pool.map(lambda name: fuzz(name, chosen.seconds), wanted):
            bad = bad or outcome.failed
            print(_line(outcome), flush=True)
    return 1 if bad else 0


def fuzz(name: str, seconds: int) -> Outcome:
    """Fuzz one target."""
    folder = CACHE / name
    corpus, found, seeds = folder / "corpus", folder / "found", folder / "seeds"
    for each in (corpus, found, seeds):
        each.mkdir(parents=True, exist_ok=True)
    for seed in load(name).seeds():
        (seeds / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    before = set(found.iterdir())
    log = folder / "log"
    arguments = [*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={found}/"]
    command = ["nice", sys.executable, _CHILD, name, *arguments, str(corpus), str(seeds)]
    with log.open("wb") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    first, last = _coverage(text, "INITED"), _coverage(text, "DONE")
    executions = re.search(r"number_of_executed_units:\s*(\d+)", text)
    new = [path for path in found.iterdir() if path not in before]
    return Outcome(
        name,
        int(executions[1]) if executions else 0,
        usage.ru_utime + usage.ru_stime,
        last or first,
        max(0, last - first),
        new[0] if new else None,
        child.returncode != 0,
    )


def _coverage(text: str, when: str) -> int:
    found = re.search(rf"#\d+\s+{when}\s+cov: (\d+)", text)
    return int(found[1]) if found else 0


def _line(outcome: Outcome) -> str:
    result = "ok"
    if outcome.failed:
        python, child = (Path(p).relative_to(ROOT) for p in (sys.executable, _CHILD))
        log = (CACHE / outcome.name / "log").relative_to(ROOT)
        result = f"FOUND, see {log}"
        if outcome.finding is not None:
            result += (
                f"; again: {python} {child} {outcome.name} {outcome.finding.relative_to(ROOT)}"
            )
    return (
        f"{outcome.name:16} {outcome.executions:11,} {outcome.cpu_s:5.0f}s "
        f"{outcome.coverage:9,} {outcome.new_coverage:5,}  {result}"
    )


if __name__ == "__main__":
    sys.exit(main())
