"""The tracker of a backup window."""
