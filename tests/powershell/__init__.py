"""The HvTui module."""
