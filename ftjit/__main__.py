"""The command line: run a program under ftjit, or ask about it."""

from __future__ import annotations

import sys

from ftjit.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
