"""The runtime: which code objects are hot, their doors, their executors; and the process-wide switch."""
