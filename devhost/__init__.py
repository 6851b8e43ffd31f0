"""A local Functions host: runs an app's functions without Core Tools."""
