"""The least a Textual program can do: one line of text."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Trivial(App[None]):
    """Shows a word."""

    def compose(self) -> ComposeResult:
        yield Static("PAINTED")


if __name__ == "__main__":
    Trivial().run()
