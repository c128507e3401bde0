"""Errors a person can act on.

HvtuiError
├── ConfigError           the configuration cannot be used (exit 64)
├── UsageError            arguments that make no sense together (exit 64)
├── InputError            a file or pasted text cannot be read
├── NotDone               asked for, and refused before anything was begun (exit 3)
└── RemoteError           a node could not be asked, or said no
    ├── Unreachable       nothing answers, or the connection broke
    ├── Untrusted         TLS: certificate expired, unknown CA, wrong name
    ├── NotAuthenticated  the credential was refused
    ├── NotAuthorised     logged on, but not allowed to open a session
    ├── FunctionMissing   the node has no HvTui of this contract and does not take the packaged one
    ├── NodeRefused       the node answered with an error record
    ├── BadReply          the answer is not what the contract says
    ├── DeadlinePassed    no answer in time
    └── OutcomeUnknown    a change may have been made, and nobody said so
"""

from __future__ import annotations


class HvtuiError(Exception):
    """`text` says what failed; `hint` what to do about it, empty when there is nothing to do."""

    def __init__(self, text: str, *, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.text}. {self.hint}" if self.hint else self.text


class ConfigError(HvtuiError):
    """The configuration cannot be used; every problem is in `problems`, each with file, line and key."""

    def __init__(self, text: str, *, problems: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(text, hint=hint)
        self.problems = problems


class UsageError(HvtuiError):
    """The arguments do not fit."""


class InputError(HvtuiError):
    """A file or text given by the user cannot be read."""


class NotDone(HvtuiError):
    """What was asked for was not begun: it is not allowed, or it does not say what it is about."""


class RemoteError(HvtuiError):
    """Something about one node; `node` is its name."""

    def __init__(self, text: str, *, node: str = "", hint: str = "") -> None:
        super().__init__(text, hint=hint)
        self.node = node


class Unreachable(RemoteError):
    """Nothing answers at the node's address."""


class Untrusted(RemoteError):
    """The node's certificate is not accepted."""


class NotAuthenticated(RemoteError):
    """The credential was refused; it is not tried again until the user gives another."""


class NotAuthorised(RemoteError):
    """The account may not open a session on the node."""


class FunctionMissing(RemoteError):
    """HvTui of exactly this contract is not there and could not be sent."""


class NodeRefused(RemoteError):
    """A function ended with an error record; `code` is its FullyQualifiedErrorId or HRESULT."""

    def __init__(self, text: str, *, node: str = "", hint: str = "", code: str = "") -> None:
        super().__init__(text, node=node, hint=hint)
        self.code = code


class BadReply(RemoteError):
    """The answer is not JSON, or not of the contract's shape."""


class DeadlinePassed(RemoteError):
    """No answer in time."""


class OutcomeUnknown(RemoteError):
    """The answer to a change was lost after it may have reached the node; `cause` is what happened to it.

    It is never sent again: what became of it is read from the cluster.
    """

    def __init__(self, text: str, *, node: str = "", hint: str = "", cause: RemoteError | None = None) -> None:
        super().__init__(text, node=node, hint=hint)
        self.cause = cause
