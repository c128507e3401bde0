"""HvTui on a node: how a session comes to have its functions."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from hvtui.errors import FunctionMissing
from hvtui.model.records import Info
from hvtui.remote.contract import CONTRACT, GET_INFO, MODULE
from hvtui.remote.packaged import module_hash, module_text
from hvtui.remote.session import OPEN_SECONDS, Control, PipelineFailed, Session
from hvtui.remote.wire import decode
from hvtui.text import safe_text

__all__ = ["Source", "check_contract", "module_hash", "module_text", "prepare"]

_CONTROL: Final = Control(deadline=OPEN_SECONDS)


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
