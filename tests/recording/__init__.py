"""Measures recordings: `python -m tests.recording`."""
