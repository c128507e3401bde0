"""Passwords: where they come from, and the gate that keeps a wrong one from locking an account."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hvtui.clock import SystemClock
from hvtui.config import ClusterConfig, Secret
from hvtui.errors import ConfigError, NotAuthenticated, Unreachable

COMMAND_SECONDS = 60.0
"""How long a password command may take; it may ask the user to touch a key."""


@dataclass(frozen=True)
class Credential:
    """An account and its password. Both empty: whoever is logged on here (Kerberos ticket, Windows session)."""

    username: str = ""
    password: str = field(default="", repr=False)

    def __repr__(self) -> str:
        return f"Credential({self.username!r}, {'***' if self.password else 'no password'})"


def load_credential(config: ClusterConfig, ask: Callable[[str], str] | None = None) -> Credential:
    """Get the credential of a cluster from the source its configuration names.

    `ask` is called with a prompt for the source `prompt`; None when nobody can be asked. Raises ConfigError.
    """
    if not config.username:
        return Credential()
    return Credential(config.username, _password(config.password, config, ask))


def _password(secret: Secret, config: ClusterConfig, ask: Callable[[str], str] | None) -> str:
    if secret.kind == "plain":
        return secret.value
    if secret.kind == "env":
        value = os.environ.get(secret.value)
        if value is None:
            raise ConfigError(f"The environment has no variable {secret.value}", hint=f"Set {secret.value}.")
        return value
    if secret.kind == "command":
        return _from_command(secret.value)
    if secret.kind == "keyring":
        return _from_keyring(secret.value or f"hvtui:{config.name}", config.username)
    if ask is None:
        raise ConfigError(
            f"Nobody can be asked for the password of {config.username}",
            hint="Run it in a terminal, or set `password` to a keyring, environment variable or command.",
        )
    return ask(f"Password of {config.username} for {config.name}: ")


def _from_command(command: str) -> str:
    # Windows programs split their own command line; a list made by POSIX rules would break its backslashes.
    line: str | list[str] = command if sys.platform == "win32" else shlex.split(command)
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"The password command did not run: {type(error).__name__}") from error
    if done.returncode != 0:
        raise ConfigError(f"The password command ended with exit code {done.returncode}")
    password = done.stdout.splitlines()[0] if done.stdout else ""
    if not password:
        raise ConfigError("The password command printed nothing")
    return password


def _from_keyring(service: str, username: str) -> str:
    try:
        import keyring  # noqa: PLC0415  # an extra, and slow to import
    except ImportError as error:
        raise ConfigError("The package keyring is not installed", hint="Install hvtui[keyring].") from error
    try:
        password = keyring.get_password(service, username)
    except Exception as error:  # each backend has errors of its own
        raise ConfigError(f"The keyring cannot be read: {type(error).__name__}: {error}") from error
    if password is None:
        raise ConfigError(
            f"The keyring has no password for {username} under {service}",
            hint=f"Store it: keyring set {service} {username}",
        )
    return str(password)


class Attempt:
    """One log-on in progress; the one who makes it reports how it ended."""

    def __init__(self, credential: Credential, version: int, began: float) -> None:
        self.credential = credential
        self.version = version
        self.began = began
        self.outcome: bool | None = None

    def ended(self, *, accepted: bool) -> None:
        """The node accepted or refused the credential; not called when the connection broke before it said so."""
        self.outcome = accepted


class CredentialGate:
    """Lets one log-on through at a time, so that a wrong password fails once, not once per node. Thread-safe.

    A refusal closes the gate for everybody until `replace` gives another credential. That holds at any time, not only
    at start: a password may be changed or expire while the console runs.
    """

    OVERTAKE_SECONDS = 3.0
    """Who takes longer for a log-on holds up the others no more, if the credential was good before."""

    def __init__(self, credential: Credential) -> None:
        self._clock = SystemClock()
        self._changed = threading.Condition()
        self._credential = credential
        self._version = 0
        self._at_work: Attempt | None = None
        self._refusal = ""
        self._listeners: list[Callable[[], None]] = []
        self.proven = False
        """Some node accepted the present credential."""

    @property
    def username(self) -> str:
        """Account of the present credential."""
        return self._credential.username

    def secrets(self) -> tuple[str, ...]:
        """The password in use, for whoever must make sure that it is written nowhere."""
        password = self._credential.password
        return (password,) if password else ()

    @property
    def refusal(self) -> str:
        """Why the gate is closed; empty while it is open."""
        return self._refusal

    def replace(self, credential: Credential) -> None:
        """Use another credential from now on."""
        with self._changed:
            self._credential = credential
            self._version += 1
            self._refusal = ""
            self.proven = False
            self._at_work = None
            self._changed.notify_all()
        self._tell()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener`, on any thread, when the gate closes or opens again."""
        self._listeners.append(listener)

    def check(self, node: str = "") -> None:
        """Raise NotAuthenticated when the gate is closed."""
        if self._refusal:
            raise self._refused(node)

    @contextmanager
    def attempt(self, node: str, abandoned: Callable[[], bool] = lambda: False) -> Iterator[Attempt]:
        """Around one log-on: waits for its turn, and takes note of its outcome.

        `abandoned` ends the wait with Unreachable. Raises NotAuthenticated when the gate is, or gets, closed.
        """
        attempt = self._enter(node, abandoned)
        try:
            yield attempt
        finally:
            self._leave(attempt, node)

    def _enter(self, node: str, abandoned: Callable[[], bool]) -> Attempt:
        with self._changed:
            while True:
                if self._refusal:
                    raise self._refused(node)
                now = self._clock.monotonic()
                other = self._at_work
                if other is None or (self.proven and now - other.began > self.OVERTAKE_SECONDS):
                    self._at_work = Attempt(self._credential, self._version, now)
                    return self._at_work
                if abandoned():
                    raise Unreachable("The connection was given up", node=node)
                self._changed.wait(0.2)

    def _leave(self, attempt: Attempt, node: str) -> None:
        closed = False
        with self._changed:
            if self._at_work is attempt:
                self._at_work = None
            if attempt.version == self._version:
                if attempt.outcome:
                    self.proven = True
                elif attempt.outcome is False and not self._refusal:
                    who = attempt.credential.username or "the present user"
                    self._refusal = f"{node} refused the log-on of {who}"
                    closed = True
            self._changed.notify_all()
        if closed:
            self._tell()

    def _refused(self, node: str) -> NotAuthenticated:
        return NotAuthenticated(
            self._refusal,
            node=node,
            hint="Nothing is tried again with this password, so that the account does not lock; give another.",
        )

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()
