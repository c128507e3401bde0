"""The accounts of the simulated domain: who may log on, and how often each one tried."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import spnego._ntlm as provider
from spnego._ntlm_raw.crypto import ntowfv1

DOMAIN: Final = "LAB"
_NO_LM: Final = "0" * 32

Status = Literal["ok", "expired", "locked"]

# pyspnego's provider finds its passwords through one variable of the process, NTLM_USER_FILE. Several labs may live in
# one process, each with its own passwords, and setting the variable for a moment breaks other threads that walk through
# the environment (requests does). So the provider is asked to look here first.
_user_file: Final[ContextVar[str | None]] = ContextVar("hvtui_lab_user_file", default=None)
_from_environment: Final = provider._get_credential_file


def _credential_file() -> str | None:
    return _user_file.get() or _from_environment()


provider._get_credential_file = _credential_file


@dataclass
class Account:
    """One account. `allowed`: it may open a shell; without that a log-on succeeds and Create is refused (code 5)."""

    name: str
    password: str = field(repr=False)
    status: Status = "ok"
    allowed: bool = True

    @property
    def principal(self) -> str:
        """As Windows writes it: `LAB\\oncall`."""
        return f"{DOMAIN}\\{self.name}"


@dataclass
class Logons:
    """How often an account logged on, and how often it was refused."""

    succeeded: int = 0
    failed: int = 0


class Accounts:
    """All accounts of one lab, with the temporary file of password hashes from which the NTLM provider reads them.

    `lock_after`: an account is locked after this many refusals in a row; 0 never locks.
    """

    def __init__(self, accounts: list[Account], *, lock_after: int = 0) -> None:
        self._accounts = {account.name.lower(): account for account in accounts}
        self.lock_after = lock_after
        self.logons: dict[str, Logons] = {account.principal: Logons() for account in accounts}
        self._in_a_row: dict[str, int] = {}
        handle, name = tempfile.mkstemp(prefix="hvtui-lab-", suffix=".ntlm")
        os.close(handle)
        self._file = Path(name)
        self._write()

    def find(self, name: str) -> Account | None:
        """An account by name, with or without the domain."""
        return self._accounts.get(name.rpartition("\\")[2].partition("@")[0].lower())

    def set_password(self, name: str, password: str) -> None:
        """Change a password, as a domain does it under a running console."""
        account = self._accounts[name.lower()]
        account.password = password
        self._write()

    def _write(self) -> None:
        """A line for each spelling of a name: the provider compares literally, and need not hash each time."""
        lines = []
        for account in self._accounts.values():
            digest = ntowfv1(account.password).hex().upper()
            for name in (account.principal, account.name, f"{account.name}@{DOMAIN}"):
                lines.append(f"{name}:0:{_NO_LM}:{digest}:[U]:LCT-0\n")
        self._file.write_text("".join(lines), encoding="utf-8")

    @contextlib.contextmanager
    def provider(self) -> Iterator[None]:
        """While inside, the NTLM provider reads this lab's accounts, for this thread alone."""
        token = _user_file.set(str(self._file))
        try:
            yield
        finally:
            _user_file.reset(token)

    def succeeded(self, account: Account) -> None:
        """Count a log-on."""
        self._counter(account.principal).succeeded += 1
        self._in_a_row[account.principal] = 0

    def failed(self, name: str) -> None:
        """Count a refusal under the account's principal, or under the name that was given when there is none."""
        account = self.find(name)
        principal = account.principal if account else name
        self._counter(principal).failed += 1
        row = self._in_a_row[principal] = self._in_a_row.get(principal, 0) + 1
        if account and self.lock_after and row >= self.lock_after:
            account.status = "locked"

    def _counter(self, principal: str) -> Logons:
        return self.logons.setdefault(principal, Logons())

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.unlink(missing_ok=True)
