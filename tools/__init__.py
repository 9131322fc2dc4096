"""Set-up of a checkout: finds or builds the interpreter, fills .venv, runs the jobs of `./dev`.

Everything here runs before the project's own interpreter exists: Python 3.11, standard library only.
"""
