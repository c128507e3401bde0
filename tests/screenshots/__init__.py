"""Pictures of the console for the README: `python -m tests.screenshots`."""
