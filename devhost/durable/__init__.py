"""A Durable engine that speaks the extension's out-of-process protocol."""
