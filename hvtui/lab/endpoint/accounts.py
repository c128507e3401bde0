"""The accounts of the simulated domain: who may log on, and how often each one tried."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Literal

import spnego._ntlm as provider
from spnego._ntlm_raw.crypto import ntowfv1
from spnego.exceptions import ErrorCode, SpnegoError

DOMAIN: Final = "LAB"
_NO_LM: Final = bytes(16)

Status = Literal["ok", "expired", "locked"]

# pyspnego's provider finds its passwords in a file that one variable of the process names, NTLM_USER_FILE. Several labs
# may live in one process, each with its own passwords; setting the variable for a moment breaks other threads that walk
# through the environment (requests does); and a file stays behind when the process is killed. So the provider is told
# to ask the lab whose log-on it is taking a step of, and only without one to look where it always does.
_Lookup = Callable[[str, str], bytes | None]
_asked: Final[ContextVar[_Lookup | None]] = ContextVar("hvtui_lab_accounts", default=None)
_own_file: Final = provider._get_credential_file
_own_credential: Final = provider._get_credential


def _credential_file() -> str | None:
    return "hvtui lab" if _asked.get() else _own_file()


def _credential(
    store: str | None, domain: str | None = None, username: str | None = None
) -> tuple[str | None, str | None, bytes, bytes]:
    lookup = _asked.get()
    if lookup is None:
        return _own_credential(store, domain, username)
    digest = lookup(domain or "", username or "")
    if digest is None:
        raise SpnegoError(ErrorCode.failure, context_msg="no such account in the lab")
    return domain, username, _NO_LM, digest


provider._get_credential_file = _credential_file
provider._get_credential = _credential


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
    """All accounts of one lab. Their passwords are in memory only.

    `lock_after`: an account is locked after this many refusals in a row; 0 never locks.
    """

    def __init__(self, accounts: list[Account], *, lock_after: int = 0) -> None:
        self._accounts = {account.name.lower(): account for account in accounts}
        self.lock_after = lock_after
        self.logons: dict[str, Logons] = {account.principal: Logons() for account in accounts}
        self._in_a_row: dict[str, int] = {}
        self.on_lock: Callable[[str], None] = lambda principal: None
        """Called with the principal of an account when it is locked."""

    def find(self, name: str) -> Account | None:
        """An account as a client names it: `LAB\\name`, `name` or `name@LAB`, in any case."""
        domain, _, rest = name.rpartition("\\")
        user, at, realm = rest.partition("@")
        return self._accounts.get(user.lower()) if (realm if at else domain).upper() in ("", DOMAIN) else None

    def set_password(self, name: str, password: str) -> None:
        """Change a password, as a domain does it under a running console."""
        self._accounts[name.lower()].password = password

    @contextlib.contextmanager
    def provider(self) -> Iterator[None]:
        """While inside, the NTLM provider asks this lab for accounts, in this thread or task alone."""
        token = _asked.set(self._digest)
        try:
            yield
        finally:
            _asked.reset(token)

    def _digest(self, domain: str, name: str) -> bytes | None:
        """The NT hash of an account's password, None without such an account."""
        known = self.find(f"{domain}\\{name}")
        if known is None:
            return None
        digest: bytes = ntowfv1(known.password)
        return digest

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
        if account and self.lock_after and row >= self.lock_after and account.status != "locked":
            account.status = "locked"
            self.on_lock(principal)

    def _counter(self, principal: str) -> Logons:
        return self.logons.setdefault(principal, Logons())
