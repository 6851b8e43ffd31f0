"""A report document in words: for the terminal, pages and summaries alike."""
