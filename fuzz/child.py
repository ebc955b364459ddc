"""One target under atheris, or one input without it: `child.py TARGET [libFuzzer's arguments]`.

`run.py` starts these; a file among the arguments is tried and no other, as libFuzzer has it.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

MEMORY = 2 << 30
"""Bytes of address space, beyond what libFuzzer itself watches: one huge allocation fails at
once instead of being noticed a second later."""


def main() -> None:
    """Fuzz, or try the files that are named."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    name, *arguments = sys.argv[1:]
    files = [Path(argument) for argument in arguments if Path(argument).is_file()]
    if files:
        from fuzz.targets import load

        for path in files:
            load(name).one_input(path.read_bytes())
            print(f"{path}: nothing found")
        return
    import atheris

    with atheris.instrument_imports(include=["camkeep"]):
        from fuzz.targets import load

        target = load(name)
    atheris.Setup([sys.argv[0], *arguments], target.one_input, enable_python_coverage=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
