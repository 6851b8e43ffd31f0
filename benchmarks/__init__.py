"""Every figure of speed and memory in the README comes from here."""
