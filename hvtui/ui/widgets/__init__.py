"""Widgets painted line by line."""
