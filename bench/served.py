"""The service as `camkeep serve` runs it, whose meter of the loop's pauses looks every 5 ms.

    python bench/served.py FOLDER CONFIG

The usual meter looks every 100 ms, and so misses most of a pause.
"""

from __future__ import annotations

import sys

from camkeep.cli.main import main
from camkeep.server.looplag import LoopLag

LoopLag.__init__.__defaults__ = (0.005,)

sys.exit(main(["serve", "--data", sys.argv[1], "--config", sys.argv[2]]))
