"""A credential for guests: kept in memory, told to nobody but the node that is asked."""

from __future__ import annotations

from typing import NoReturn


class GuestCredential:
    """An account of guests and its password. Whatever shows, copies, compares or stores it does not get the password.

    Only `reveal` gives it, to what sends it encrypted. Accounts are `DOMAIN\\name`, `name@domain`, or a guest's own.
    """

    __slots__ = ("__password", "username")

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self.__password = password

    def reveal(self) -> str:
        """The password."""
        return self.__password

    def __repr__(self) -> str:
        return f"GuestCredential({self.username!r}, ***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential is neither copied nor stored")
