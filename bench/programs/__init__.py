"""The programs that are timed: ordinary Python, one file each, none of which knows about ftjit.

Each has ``SIZES`` (the sizes called "quick" and "full") and ``run(size)``, which does all of the work and
returns a checksum that depends on all of it. Each is a script as well: ``python nbody.py --threads 4``.
"""
