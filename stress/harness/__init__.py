"""How a scenario is declared (scenario), run in a process of its own (engine, child, processes), and judged
(grading)."""
