"""Lanes, authentication and the call contract."""
