"""JSON Schemas as they are published and served."""
