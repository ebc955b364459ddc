"""The commands. `main` parses and dispatches; one module per command."""

from __future__ import annotations


def main() -> int:
    """Run the command line; returns the exit code (docs/commands.md)."""
    raise NotImplementedError
