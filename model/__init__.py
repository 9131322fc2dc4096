"""Model checking of the reclamation protocol. Plain Python 3.11; nothing of ftjit is imported."""
