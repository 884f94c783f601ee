"""Lambda functions that iamd runs itself: Python in child processes, each with its role's credentials."""
