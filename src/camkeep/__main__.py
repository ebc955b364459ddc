"""``python -m camkeep``, and the command itself."""

import sys


def main() -> int:
    """Load the command and run it. Ctrl-C while it loads, which takes a small board a second, is
    as calm as later."""
    try:
        from camkeep.cli.main import main as command

        return command()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
