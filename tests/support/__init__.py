"""What the tests share. Everything a child process needs is importable with `tests/` on its path."""
