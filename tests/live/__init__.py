"""Supervision, staleness and the store."""
