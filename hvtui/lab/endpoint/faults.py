"""The faults of WinRM, with its numbers (wsmerror.h, winerror.h).

The words of time-out, unknown shell, unknown command and bad time-out are Windows' own (recorded exchanges); of the
others only the number is certain, and clients go by that.
"""

from __future__ import annotations

from typing import Final

TIMED_OUT: Final = 2150858793
UNKNOWN: Final = 2150858843
DISCONNECTED: Final = 2150859204
OTHER_CLIENT: Final = 2150859213
QUOTA: Final = 2150859173
ABORTED: Final = 995
DENIED: Final = 5
BAD_HEADER: Final = 2150858767
MALFORMED: Final = 2150858817
BAD_ACTION: Final = 2150858753
BAD_PARAMETER: Final = 87
BAD_RESOURCE: Final = 2150858811


class Fault(Exception):
    """Ends a request with HTTP 500 and a WSManFault of this code."""

    def __init__(self, code: int, subcode: str, text: str, *, about: str = "", sender: bool = True) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.subcode = subcode
        self.text = text
        self.about = about
        self.sender = sender
        self.relates_to = ""


def timed_out() -> Fault:
    """Nothing to receive within OperationTimeout: the client asks again."""
    text = "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  "
    return Fault(TIMED_OUT, "w:TimedOut", text, sender=False)


def unknown_shell() -> Fault:
    """No such shell, or it is another user's: WinRM does not tell the difference."""
    text = (
        "The WS-Management service cannot process the request because the request contained invalid selectors for "
        "the resource. "
    )
    return Fault(UNKNOWN, "w:InvalidSelectors", text, about="UnexpectedSelectors")


def unknown_command() -> Fault:
    """No such command in the shell; same number as an unknown shell."""
    text = (
        "The Windows Remote Shell received a request to perform an operation on a command identifier that does not "
        "exist. Either the command has completed execution or the client specified an invalid command identifier. "
    )
    return Fault(UNKNOWN, "w:InvalidSelectors", text, about="UnexpectedSelectors")


def disconnected() -> Fault:
    """ERROR_WINRS_SHELL_DISCONNECTED: an operation on a shell that a client disconnected from."""
    text = "The Windows Remote Shell cannot process the request because the shell is in disconnected state. "
    return Fault(DISCONNECTED, "w:InvalidParameter", text)


def other_client() -> Fault:
    """ERROR_WINRS_SHELL_CONNECTED_TO_DIFFERENT_CLIENT: the shell belongs to a client that is still connected."""
    text = "The Windows Remote Shell cannot process the request because the shell is connected to a different client. "
    return Fault(OTHER_CLIENT, "w:InvalidParameter", text)


def aborted() -> Fault:
    """ERROR_OPERATION_ABORTED: what was waiting ends because the shell or command goes away."""
    text = "The I/O operation has been aborted because of either a thread exit or an application request. "
    return Fault(ABORTED, "w:InternalError", text, sender=False)


def denied() -> Fault:
    """ERROR_ACCESS_DENIED: the account may log on, but not use this endpoint."""
    return Fault(DENIED, "w:AccessDenied", "Access is denied. ")


def quota(limit: int) -> Fault:
    """ERROR_WSMAN_QUOTA_MAX_SHELLS: MaxShellsPerUser."""
    text = (
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user. "
    )
    return Fault(QUOTA, "w:QuotaLimit", text)


def bad_timeout(value: str, relates_to: str) -> Fault:
    """An OperationTimeout that is no duration."""
    text = (
        "The WS-Management service cannot process the request. The XML contains an invalid timeout field in the SOAP "
        f"header: {value}. "
    )
    error = Fault(BAD_HEADER, "a:InvalidMessageInformationHeader", text)
    error.relates_to = relates_to
    return error


def malformed() -> Fault:
    """ERROR_WSMAN_SCHEMA_VALIDATION_ERROR: a body that is no SOAP envelope."""
    text = "The WS-Management service cannot process the request because the XML is invalid. "
    return Fault(MALFORMED, "w:SchemaValidationError", text)


def unsupported() -> Fault:
    """ERROR_WSMAN_INVALID_ACTIONURI: an action that this resource does not have."""
    text = "The WS-Management service cannot process the request. The action is not supported by the resource. "
    return Fault(BAD_ACTION, "a:ActionNotSupported", text)


def unknown_resource() -> Fault:
    """ERROR_WSMAN_INVALID_RESOURCE_URI: such as a session configuration that is not registered on the node."""
    text = "The WS-Management service cannot process the request. The resource URI is missing or is not registered. "
    return Fault(BAD_RESOURCE, "a:DestinationUnreachable", text, about="InvalidResourceURI")


def bad_parameter() -> Fault:
    """ERROR_INVALID_PARAMETER."""
    return Fault(BAD_PARAMETER, "w:InvalidParameter", "The parameter is incorrect. ", about="InvalidValue")
