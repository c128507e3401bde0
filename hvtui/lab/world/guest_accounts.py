"""The accounts that guests know, and every log-on to a guest that was tried."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from hvtui.lab.world.vm import Vm


@dataclass(slots=True)
class Account:
    """An account that guests know; one of a domain is the same in all of them."""

    name: str
    password: str = field(repr=False)
    failures: int = 0
    """Wrong passwords in a row."""
    locked: bool = False


@dataclass(frozen=True, slots=True)
class LogOn:
    """One log-on to a guest as its Windows saw it."""

    time: float
    vm: str
    account: str
    accepted: bool


class GuestAccounts:
    """All accounts of the guests, and every log-on that was tried."""

    def __init__(self, account: str, password: str, lockout: int) -> None:
        self.lockout = lockout
        self.domain = Account(account, password)
        self.local: dict[tuple[str, str], Account] = {}
        """By VM id and lower-case name."""
        self.log_ons: list[LogOn] = []

    def add(self, vm: str, name: str, password: str) -> None:
        """An account of one guest; that guest is in no domain."""
        self.local[vm, name.lower()] = Account(f"{vm}\\{name}", password)

    def find(self, vm: Vm, user: str) -> Account | None:
        """The account that a guest means by a name."""
        place, _, name = user.rpartition("\\")
        own = {key: account for key, account in self.local.items() if key[0] == vm.id}
        if place.lower() in {"", ".", "localhost", vm.name.lower()} and "@" not in user:
            return own.get((vm.id, name.lower()))
        return self.domain if not own and user.lower() == self.domain.name.lower() else None


def proof(password: str) -> str:
    """What stands for a password wherever it is compared or sent between the parts of the lab."""
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).hexdigest()
