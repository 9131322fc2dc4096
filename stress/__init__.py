"""The stress suite: many threads, every observable outcome graded, disturbances that a seed repeats.

Installed as `ftjit_stress`; run by `python -m ftjit stress` and `python -m ftjit soak`. README.md is the map."""
