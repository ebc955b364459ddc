"""``python -m camkeep``."""

import sys

from camkeep.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
