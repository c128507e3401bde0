"""The text of the packaged module: the one script that is ever sent to a node, and its hash."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from hvtui.remote.contract import FUNCTIONS, MODULE

_HELP = re.compile(r"^[ \t]*<#.*?#>[ \t]*\n", re.MULTILINE | re.DOTALL)


def _parts(folder: Traversable) -> list[str]:
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".ps1")), key=lambda f: f.name)
    # A checkout on Windows has CRLF; the hash must not depend on it.
    return [f.read_text(encoding="utf-8-sig").replace("\r\n", "\n") for f in files]


@cache
def module_text() -> str:
    """The one script that is ever sent: all parts of the packaged module without their help, as a module in memory."""
    root = resources.files("hvtui").joinpath("powershell", MODULE)
    parts = _parts(root.joinpath("Private")) + _parts(root.joinpath("Public"))
    body = "\n".join(_HELP.sub("", part).strip("\n") for part in parts)
    exported = ", ".join(f"'{name}'" for name in FUNCTIONS)
    return (
        f"New-Module -Name {MODULE} -ScriptBlock {{\n"
        f"{body}\n"
        f"Export-ModuleMember -Function {exported}\n"
        f"}} | Import-Module\n"
    )


@cache
def module_hash() -> str:
    """SHA-256 of exactly the script text that is sent, as lower-case hex: what an administrator may allow."""
    return hashlib.sha256(module_text().encode("utf-8")).hexdigest()
