"""Facts that change: models and prices, each with a date and a source."""
