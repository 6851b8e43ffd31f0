"""The specification of droptune, as tests."""
