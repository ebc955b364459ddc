"""``camkeep archive reindex``."""

from __future__ import annotations

import argparse
from pathlib import Path

from camkeep.archive.catalog import Catalog
from camkeep.archive.layout import INDEX
from camkeep.archive.reindex import Rebuilt, rebuild
from camkeep.archive.root import Lock, open_root
from camkeep.cli.archive_common import ProgressLine, print_json
from camkeep.cli.common import counted, data_from, folded, in_bytes, say
from camkeep.errors import IndexDamaged


def add_reindex(parser: argparse.ArgumentParser) -> None:
    """``archive reindex``."""
    parser.set_defaults(run=run_reindex)


def run_reindex(args: argparse.Namespace) -> int:
    """Make the index anew. No recorder may run meanwhile: it does that by itself where need be."""
    root = open_root(data_from(args))
    lock = Lock(root)
    try:
        line = ProgressLine("reindexing", quiet=args.json)
        rebuilt = rebuild(
            root.path, root.path / INDEX, lambda count: line.tell(counted(count, "segment"))
        )
        line.end()
        size = _kept_bytes(root.path)
    finally:
        lock.leave()
    if args.json:
        print_json(_rebuilt_json(rebuilt, size))
        return 0
    say(
        f"{counted(rebuilt.cameras, 'camera')}, {counted(rebuilt.segments, 'segment')} "
        f"({in_bytes(size)}), {counted(rebuilt.gaps, 'gap')}, {counted(rebuilt.clips, 'clip')}"
    )
    for problem in rebuilt.problems:
        say("\n".join(folded(problem, "  ", "    ")))
    return 0


def _kept_bytes(root: Path) -> int:
    try:
        with Catalog.open(root / INDEX) as catalog:
            return sum(total.bytes for total in catalog.totals().values())
    except IndexDamaged:
        return 0


def _rebuilt_json(rebuilt: Rebuilt, size: int) -> dict[str, object]:
    return {
        "cameras": rebuilt.cameras,
        "segments": rebuilt.segments,
        "bytes": size,
        "gaps": rebuilt.gaps,
        "clips": rebuilt.clips,
        "problems": rebuilt.problems,
    }
