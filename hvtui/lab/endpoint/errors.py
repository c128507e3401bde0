"""What goes wrong inside the endpoint, below the faults that a client sees."""

from __future__ import annotations


class BadMessage(Exception):
    """A request that cannot be opened: ends with HTTP 400, as nothing trustworthy can be said about it."""


class LogonFailed(Exception):
    """A credential was refused: ends with HTTP 401."""
