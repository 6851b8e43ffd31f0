"""Activities with fakes around them."""
