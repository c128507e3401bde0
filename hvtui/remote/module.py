"""HvTui on a node: the text of the packaged module, and how a session comes to have its functions."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from hvtui.errors import FunctionMissing
from hvtui.model.records import Info
from hvtui.remote.contract import CONTRACT, FUNCTIONS, GET_INFO, MODULE
from hvtui.remote.session import Control, PipelineFailed, Session
from hvtui.remote.wire import decode
from hvtui.text import safe_text

_CONTROL: Final = Control(deadline=30.0)

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


class Source(StrEnum):
    """How a session came to have the functions."""

    INSTALLED = "installed module"
    ENDPOINT = "restricted endpoint"
    SCRIPT = "packaged module"


def prepare(session: Session) -> Source:
    """Give a session the functions of exactly this contract; raises FunctionMissing with what to install.

    First the installed module of exactly this version. An endpoint where Import-Module cannot be seen (JEA) shows its
    functions directly, if it has them. Else the packaged text, the only script that is ever sent.
    """
    try:
        session.run("Import-Module", {"Name": MODULE, "RequiredVersion": CONTRACT}, _ignore, _CONTROL)
    except PipelineFailed as failure:
        if "CommandNotFound" in failure.code:
            return _restricted(session)
    else:
        return Source.INSTALLED
    try:
        session.run(module_text(), {}, _ignore, _CONTROL, script=True)
    except PipelineFailed as failure:
        raise _missing(session.node, f"{session.node} does not take the packaged module: {failure.text}") from failure
    return Source.SCRIPT


def _restricted(session: Session) -> Source:
    answer: list[str] = []
    try:
        session.run(GET_INFO.name, {"Part": "Basic"}, answer.append, _CONTROL)
    except PipelineFailed as failure:
        if "CommandNotFound" in failure.code:
            raise _missing(
                session.node, f"The restricted endpoint of {session.node} has no {GET_INFO.name}"
            ) from failure
        raise
    check_contract(decode(GET_INFO, "".join(answer), session.node), session.node)
    return Source.ENDPOINT


def check_contract(info: Info, node: str) -> None:
    """Raise FunctionMissing when a node's module is of another version."""
    if info.contract != CONTRACT:
        raise _missing(node, f"HvTui on {node} is {safe_text(info.contract)}, this hvtui needs exactly {CONTRACT}")


def _missing(node: str, text: str) -> FunctionMissing:
    return FunctionMissing(
        text,
        node=node,
        hint=f"Install HvTui {CONTRACT} on {node}: copy the module's folder to "
        rf"C:\Program Files\WindowsPowerShell\Modules\HvTui\{CONTRACT} (see docs/module.md).",
    )


def _ignore(_: str) -> None:
    """Neither Import-Module nor the packaged text writes anything of interest."""
