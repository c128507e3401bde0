"""Asks for another password after a log-on was refused. Nothing is tried again by itself: accounts lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol, runtime_checkable

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from hvtui.text import safe_block, safe_text
from hvtui.ui.look import Look


@runtime_checkable
class LogsOn(Protocol):
    """A feed that logs on with a credential and stops when it is refused."""

    @property
    def refusal(self) -> str:
        """Why the credential is not used any more; empty while it is."""
        ...

    @property
    def username(self) -> str:
        """The account."""
        ...

    def give_credential(self, username: str, password: str) -> None:
        """Go on with another account or password."""
        ...


class SecretInput(Input):
    """An Input that shows one star per character: Textual's bullet is not ASCII."""

    @property
    def _value(self) -> Text:
        return Text("*" * len(self.value), no_wrap=True, overflow="ignore", end="")


class AskCredential(ModalScreen[None]):
    """An account and a password: Enter uses them once, Esc leaves. Nothing typed here is shown, logged or kept by it.

    `kept`: an empty password is handed over, too; it stands for one that was given before.
    """

    AUTO_FOCUS = "#password"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Not now", show=False),
        Binding("enter,tab", "to_password", "Password", show=False, priority=True),
    ]

    DEFAULT_CSS = """
    AskCredential {
        align: center middle; background: $hv-base 60%;
        & > Vertical {
            width: 76; max-width: 100%; height: auto; padding: 0 1; background: $hv-base; border: round $hv-warn;
        }
        &.-ascii > Vertical { border: ascii $hv-warn; }
        & Static { height: auto; color: $hv-text; }
        & .credential--head { color: $hv-warn; text-style: bold; }
        & .credential--dim { color: $hv-dim; }
        & Input { height: 1; border: none; padding: 0 1; background: $hv-head-bg; color: $hv-text; margin-bottom: 1; }
        & Input:focus { background: $hv-blur-bg; }
    }
    """

    def __init__(
        self,
        look: Look,
        username: str,
        give: Callable[[str, str], None],
        *,
        heading: str,
        told: str,
        note: str,
        foot: str,
        kept: bool = False,
    ) -> None:
        super().__init__(classes="-ascii" if look.ascii else "")
        self._look = look
        self._username = username
        self._give = give
        self._words = heading, told, note, foot
        self._kept = kept
        self._left = False

    def compose(self) -> ComposeResult:
        heading, told, note, foot = self._words
        with Vertical():
            yield Static(heading, classes="credential--head", markup=False)
            yield Static(Content(safe_block(self._look.plain(told))))
            yield Static(Content(safe_block(self._look.plain(note)) + "\n"), classes="credential--dim")
            yield Static("Account", markup=False)
            yield Input(safe_text(self._username), id="account", compact=True)
            yield Static("Password", markup=False)
            yield SecretInput(password=True, id="password", compact=True)
            yield Static(foot, classes="credential--dim", markup=False)

    def on_mount(self) -> None:
        if not self._username:
            self.set_focus(self.query_one("#account", Input))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "to_password" or self.focused is self.query_one("#account")

    def action_to_password(self) -> None:
        """Before the next key is looked at: one typed right behind belongs to the password, not into the open."""
        self.set_focus(self.query_one(SecretInput))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the password hands both over, once; without an account it leads there."""
        event.stop()
        if self._left:
            # Enter was pressed twice: what is below is not to be closed as well.
            return
        secret, field = self.query_one(SecretInput), self.query_one("#account", Input)
        account = field.value.strip()
        if not account:
            self.set_focus(field)
            return
        if event.input is not secret or not (secret.value or self._kept):
            self.set_focus(secret)
            return
        password = secret.value
        secret.value = ""
        self._left = True
        self.dismiss(None)
        self._give(account, password)

    def action_leave(self) -> None:
        """Close; nothing was given."""
        if not self._left:
            self._left = True
            self.dismiss(None)


class CredentialScreen(AskCredential):
    """Another password for the cluster: Enter uses it once, Esc leaves everything stopped."""

    def __init__(self, look: Look, username: str, refusal: str, give: Callable[[str, str], None]) -> None:
        super().__init__(
            look,
            username,
            give,
            heading="Log-on refused",
            told=refusal,
            note="hvtui has stopped every log-on of this cluster, so that the account does not get locked.",
            foot="Enter uses it once; Esc leaves everything stopped, r asks again.",
        )
