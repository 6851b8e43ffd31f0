"""The process: what happens to a dataset, in order."""
