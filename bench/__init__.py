"""Real programs timed side by side: the interpreter and ftjit, with 1, 2 and 4 threads in the same code at once.

Run it with ``python -m ftjit bench``; ``README.md`` in this folder says how the numbers are obtained.
"""
