"""The app's own functions under virtual time, in one process, with everything failing that can."""
