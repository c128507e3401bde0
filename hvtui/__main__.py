"""`python -m hvtui`."""

import sys

from hvtui.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
