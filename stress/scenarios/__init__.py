"""The scenarios, one a file, in teaching order. The docstring is the lesson; the table of outcomes is data."""
