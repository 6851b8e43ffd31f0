"""Token counts, format rules and the report of a dataset, from one pass over its bytes."""
