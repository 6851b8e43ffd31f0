"""The command line: validates offline, speaks to the app over HTTP."""
