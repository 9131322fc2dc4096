"""The command line: run a program under ftjit, or ask about it."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from ftjit.cli import main
else:
    from ftjit.absent import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
