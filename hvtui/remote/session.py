"""One PowerShell session on one node, over pypsrp. Not thread-safe: it belongs to its lane's thread."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
from pypsrp.complex_objects import ObjectMeta, PSCredential, PSInvocationState, RunspacePoolState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.shell import SignalCode
from pypsrp.wsman import WSMan

from hvtui.clock import SystemClock
from hvtui.errors import BadReply, DeadlinePassed, NodeRefused, NotAuthenticated, RemoteError
from hvtui.model.secret import GuestCredential
from hvtui.remote.faults import OPERATION_TIMED_OUT
from hvtui.remote.transport import Transport
from hvtui.text import safe_text

STOP_CODE: Final = "powershell/signal/crtl_c"
"""What Windows and the specification call the stop signal, misspelt; any other code closes the command."""

IDLE_SECONDS: Final = 180
"""The node ends a session nobody asks anything of, so that a crashed console does not use up the account's shells."""

OPEN_SECONDS: Final = 60.0
"""A loaded host starts a process and loads its modules ten times slower than an idle one; WinRM itself gives up after
a minute. A host that does not even let one log on is noticed much sooner."""
CREATE_SECONDS: Final = 50
"""What WinRM is told to spend on starting PowerShell; less than the wait for its answer."""
STOP_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 3.0
OPERATION_SECONDS: Final = 5
KEY_SECONDS: Final = 15.0
"""Within which the node has answered the key exchange of a session."""

Value = str | int | bool | GuestCredential | None
"""What a parameter of a function may be."""

_CLOCK: Final = SystemClock()

for _library in ("pypsrp", "spnego", "urllib3"):
    # Without any handler Python writes their warnings to the terminal, over the console.
    logging.getLogger(_library).addHandler(logging.NullHandler())
    # pypsrp tells every call, with whole messages.
    logging.getLogger(_library).setLevel(logging.WARNING)


class PipelineFailed(NodeRefused):
    """A pipeline ended with an error record; `code` is its FullyQualifiedErrorId."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Control:
    """How a running pipeline is ended early. The functions are asked between two answers of the node.

    Answers come at least every `poll` seconds. `stopped`: stop the pipeline, the session stays usable. `abandoned`:
    leave it, because the session is closed next, which ends it as well. `deadline` is in seconds from now.
    """

    stopped: Callable[[], bool] = _never
    abandoned: Callable[[], bool] = _never
    deadline: float | None = None
    poll: float = 1.0


class Session:
    """A runspace pool with one runspace."""

    def __init__(self, transport: Transport, *, node: str, endpoint: str) -> None:
        self.node = node
        self.where = f"{transport.server}:{transport.port}"
        self.broken = False
        """It cannot be used any more."""
        self.lost = False
        """The node cannot be reached through it either, so there is no use in telling it good-bye."""
        self.heard: float | None = None
        """When the node last answered anything here, by the monotonic clock; also that there is nothing to tell yet."""
        self._transport = transport
        self._wsman = WSMan(transport.server, operation_timeout=OPERATION_SECONDS, no_proxy=True)
        self._wsman.transport = transport
        self._pool = RunspacePool(self._wsman, configuration_name=endpoint, idle_timeout=IDLE_SECONDS)

    def open(self) -> None:
        """Log on and start PowerShell on the node; a loaded one may take long for it."""
        until = _CLOCK.monotonic() + OPEN_SECONDS
        self._wsman.operation_timeout = CREATE_SECONDS
        self._transport.read_seconds = OPEN_SECONDS
        try:
            try:
                self._pool.open()
            except WSManFaultError as fault:
                if fault.code != OPERATION_TIMED_OUT or self._pool.state != RunspacePoolState.NEGOTIATION_SENT:
                    raise
            except requests.RequestException:
                self.lost = True
                raise
            while self._pool.state == RunspacePoolState.NEGOTIATION_SENT:
                if _CLOCK.monotonic() > until:
                    raise DeadlinePassed(
                        f"PowerShell on {self.node} did not start within {OPEN_SECONDS:.0f} s", node=self.node
                    )
                self._wait_for_pool()
            self.heard = _CLOCK.monotonic()
        finally:
            self._wsman.operation_timeout = OPERATION_SECONDS
            self._transport.read_seconds = OPERATION_SECONDS + 5.0

    def run(
        self,
        command: str,
        parameters: Mapping[str, Value],
        sink: Callable[[str], None],
        control: Control,
        *,
        script: bool = False,
    ) -> None:
        """Run a command to its end; each string it writes goes to `sink`.

        Raises PipelineFailed for a terminating error, and for a non-terminating one without any output;
        DeadlinePassed; BadReply. A pipeline that was stopped just returns.
        """
        pipeline = PowerShell(self._pool)
        if script:
            pipeline.add_script(command)
        else:
            pipeline.add_cmdlet(command)
        try:
            for name, value in parameters.items():
                pipeline.add_parameter(name, self._argument(value))
            pipeline.begin_invoke()
            self._follow(pipeline, sink, control)
        except RemoteError as error:
            if isinstance(error, NotAuthenticated):
                self.broken = self.lost = True
            raise
        except BaseException as error:
            self.broken = True
            self.lost = isinstance(error, requests.RequestException)
            raise

    def close(self) -> None:
        """End the session on the node, so that it does not count against the account until it times out."""
        self._transport.read_seconds = CLOSE_SECONDS
        try:
            if not self.lost and self._pool.state not in {RunspacePoolState.BEFORE_OPEN, RunspacePoolState.CLOSED}:
                self._pool.shell.close()
        finally:
            self._transport.reset()

    def _argument(self, value: Value) -> Any:
        if isinstance(value, GuestCredential):
            self._share_key()
            return PSCredential(username=value.username, password=value.reveal())  # type: ignore[no-untyped-call]
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**31:
            return self._pool.serialize(value, ObjectMeta("I64"))
        return value

    def _share_key(self) -> None:
        """Let the node make a key for this session, once; secrets cross the wire encrypted with it (MS-PSRP)."""
        until = _CLOCK.monotonic() + KEY_SECONDS
        try:
            self._pool.exchange_keys()
        except WSManFaultError as fault:
            # The node had nothing to say yet.
            if fault.code != OPERATION_TIMED_OUT:
                raise
        while not self._pool._key_exchanged:
            if _CLOCK.monotonic() > until:
                self.broken = True
                raise DeadlinePassed(f"{self.node} did not share a key for secrets", node=self.node)
            self._wait_for_pool()
        self.heard = _CLOCK.monotonic()

    def _wait_for_pool(self) -> None:
        try:
            self._pool._receive()
        except WSManFaultError as fault:
            if fault.code != OPERATION_TIMED_OUT:
                raise

    def _follow(self, pipeline: PowerShell, sink: Callable[[str], None], control: Control) -> None:
        """Hand on what the pipeline writes until it ends; pypsrp's lists are emptied, they would grow for ever."""
        until = None if control.deadline is None else _CLOCK.monotonic() + control.deadline
        errors: list[PipelineFailed] = []
        wrote = False
        while pipeline.state == PSInvocationState.RUNNING:
            if control.abandoned():
                self.broken = True
                return
            if control.stopped():
                self._stop(pipeline)
                return
            if until is not None and _CLOCK.monotonic() > until:
                self._stop(pipeline)
                text = f"{self.node} did not finish within {control.deadline:.0f} s"
                raise DeadlinePassed(text, node=self.node, hint="The call was stopped on the node.")
            pipeline.poll_invoke(timeout=math.ceil(control.poll))
            self.heard = _CLOCK.monotonic()
            output, pipeline.output = pipeline.output, []
            errors += [self._refusal(record) for record in pipeline.streams.error]
            pipeline.clear_streams()
            for item in output:
                if not isinstance(item, str):
                    self._stop(pipeline)
                    raise BadReply(f"{self.node} sent {type(item).__name__} where a string belongs", node=self.node)
                wrote = True
                try:
                    sink(item)
                except RemoteError:
                    self._stop(pipeline)
                    raise
        failed = pipeline.state != PSInvocationState.COMPLETED
        pipeline.close()
        if failed or (errors and not wrote):
            raise errors[0] if errors else PipelineFailed(f"The call failed on {self.node}", node=self.node)

    def _stop(self, pipeline: PowerShell) -> None:
        """Stop a pipeline whose output is of no use any more; one that does not stop makes the session unusable."""
        until = _CLOCK.monotonic() + STOP_SECONDS
        command = pipeline._command_id or pipeline.id
        if pipeline.state == PSInvocationState.RUNNING:
            self._pool.shell.signal(STOP_CODE, command)
        while pipeline.state == PSInvocationState.RUNNING and _CLOCK.monotonic() < until:
            pipeline.poll_invoke(timeout=1)
            pipeline.clear_streams()
            pipeline.output = []
        if pipeline.state == PSInvocationState.RUNNING:
            self.broken = True
            self._pool.shell.signal(SignalCode.TERMINATE, command)
        else:
            pipeline.close()

    def _refusal(self, record: Any) -> PipelineFailed:
        text = record.details_message or str(record) or record.message or "an error without a text"
        code = str(record.fq_error or "")
        return PipelineFailed(f"{self.node}: {safe_text(text)}", node=self.node, code=code)
