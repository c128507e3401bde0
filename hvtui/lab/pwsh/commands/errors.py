"""The errors Windows' commands end with, in the words, types and numbers they have there.

Sources: wbemcli.h (numbers), MMI's CimException (a number is in the record's id only), the `*-Service` and
`Get-WinEvent` commands of PowerShell (ids). What the cluster commands write is unverified: see docs/unverified.md.
"""

from __future__ import annotations

from typing import Final

from hvtui.lab.native.problems import Trouble
from hvtui.lab.pwsh.commands.answer import LabError

CIM: Final = "Microsoft.Management.Infrastructure.CimException"
CLUSTER: Final = "Microsoft.FailoverClusters.PowerShell.ClusterCmdletException"
HYPERV: Final = "Microsoft.HyperV.PowerShell.VirtualizationException"
SERVICE: Final = "Microsoft.PowerShell.Commands.ServiceCommandException"
WIN32: Final = "System.ComponentModel.Win32Exception"
DENIED: Final = "System.UnauthorizedAccessException"

INVALID_QUERY: Final = 0x80041017
INVALID_CLASS: Final = 0x80041010
INVALID_NAMESPACE: Final = 0x8004100E
INVALID_PARAMETER: Final = 0x80041008
NOT_FOUND: Final = 0x80041002
WMI_DENIED: Final = 0x80041003
PROVIDER_FAILURE: Final = 0x80041004
NOT_SUPPORTED: Final = 0x8004100C
METHOD_NOT_FOUND: Final = 0x80041055
TIMED_OUT: Final = 0x80041069
ACCESS_DENIED: Final = 0x80070005
RPC_UNAVAILABLE: Final = 0x800706BA

_WMI: Final[dict[int, tuple[str, str, str]]] = {
    # HRESULT: NativeErrorCode, category, words.
    INVALID_QUERY: ("InvalidQuery", "InvalidArgument", "Invalid query "),
    INVALID_CLASS: ("InvalidClass", "MetadataError", "Invalid class "),
    INVALID_NAMESPACE: ("InvalidNamespace", "MetadataError", "Invalid namespace "),
    INVALID_PARAMETER: ("InvalidParameter", "InvalidArgument", "Invalid parameter "),
    NOT_FOUND: ("NotFound", "ObjectNotFound", "Not found "),
    WMI_DENIED: ("AccessDenied", "PermissionDenied", "Access denied "),
    ACCESS_DENIED: ("AccessDenied", "PermissionDenied", "Access is denied. "),
    PROVIDER_FAILURE: ("Failed", "NotSpecified", "Provider failure "),
    NOT_SUPPORTED: ("NotSupported", "NotImplemented", "Not supported "),
    METHOD_NOT_FOUND: ("MethodNotFound", "ObjectNotFound", "This method is not implemented in any class "),
    TIMED_OUT: ("Failed", "OperationTimeout", "The operation has timed out."),
    RPC_UNAVAILABLE: ("Failed", "NotSpecified", "The RPC server is unavailable. "),
}
_UNSUPPORTED: Final = "not supported by this lab"


def cim(number: int, target: str = "", *, text: str = "") -> LabError:
    """An error of WMI: HRESULT, and the class or query it is about."""
    native, category, words = _WMI.get(number, ("Failed", "NotSpecified", "Generic failure "))
    return LabError(
        message=text or words,
        exception=CIM,
        hresult=number,
        category=category,
        id=f"HRESULT 0x{number:08x}",
        target=target,
        native=native,
    )


def cim_trouble(trouble: Trouble, target: str = "") -> LabError:
    """What is wrong with a provider, as CIM says it."""
    number = int(trouble.code, 16) if trouble.code else 0x80041001
    if trouble.kind == "denied" and number == ACCESS_DENIED:
        number = WMI_DENIED
    return cim(number, target, text=trouble.text)


def cluster(
    text: str, number: int, id: str, *, category: str = "NotSpecified", target: str = "", inner: str = ""
) -> LabError:
    """An error of a FailoverClusters command; `number` is the Win32 number of the exception inside."""
    return LabError(
        message=text,
        exception=CLUSTER,
        category=category,
        id=id,
        target=target,
        inner=LabError(message=inner or text, exception=WIN32, native=number),
    )


def cluster_trouble(trouble: Trouble) -> LabError:
    """What is wrong with the cluster service, as its commands say it."""
    number = int(trouble.code, 16) & 0xFFFF if trouble.code else 0
    id, category = {
        "denied": ("ClusterAccessDenied", "AuthenticationError"),
        "unavailable": ("ClusterEndpointNotRegistered", "ConnectionError"),
        "timeout": ("ClusterTimeout", "OperationTimeout"),
    }.get(trouble.kind, ("", "NotSpecified"))
    if trouble.code.startswith("0x8007"):
        return cluster(trouble.text, number, id, category=category)
    # A number that is no Win32 error of Windows' is carried by the exception itself.
    return LabError(
        message=trouble.text, exception=CLUSTER, hresult=int(trouble.code or "0", 16), category=category, id=id
    )


def cluster_missing(kind: str, name: str) -> LabError:
    """No node, group, resource of that name (ERROR_CLUSTER_..._NOT_FOUND)."""
    number, id = {
        "node": (5042, "ClusterNodeNotFound"),
        "group": (5013, "ClusterGroupNotFound"),
        "resource": (5007, "ClusterResourceNotFound"),
        "resource type": (5078, "ClusterResourceTypeNotFound"),
        "parameter": (2, "ClusterParameterNotFound"),
    }[kind]
    return cluster(f"The cluster {kind} '{name}' was not found.", number, id, category="ObjectNotFound", target=name)


def hyperv(text: str, id: str, *, category: str = "NotSpecified", target: str = "", number: int = 0) -> LabError:
    """An error of a Hyper-V command."""
    return LabError(message=text, exception=HYPERV, category=category, id=id, target=target, hresult=number)


def hyperv_trouble(trouble: Trouble) -> LabError:
    """What is wrong with VMMS, as the Hyper-V commands say it."""
    if trouble.kind == "denied":
        text = (
            "You do not have the required permission to complete this task. Contact the administrator of the "
            "authorization policy for the computer."
        )
        return hyperv(text, "AccessDenied", category="PermissionDenied")
    return hyperv(trouble.text, "OperationFailed", number=int(trouble.code or "0", 16))


def log_denied() -> LabError:
    """What reading an event log without the right to it ends with: .NET's words for error 5."""
    text = "Attempted to perform an unauthorized operation."
    return LabError(text, DENIED, ACCESS_DENIED, "NotSpecified", DENIED, terminating=True)


def log_refused() -> LabError:
    """What writing into an event log, or registering a source, without the right to it ends with."""
    return LabError("Access is denied.", DENIED, ACCESS_DENIED, "PermissionDenied", "AccessDenied")


def log_trouble(trouble: Trouble) -> LabError:
    """What is wrong with the event log service."""
    if trouble.kind == "denied":
        return log_denied()
    name = "System.Diagnostics.Eventing.Reader.EventLogException"
    return LabError(trouble.text, name, int(trouble.code or "0", 16), "NotSpecified", name, terminating=True)


def no_service(name: str) -> LabError:
    """Get-Service of a service that is not installed."""
    text = f"Cannot find any service with service name '{name}'."
    return LabError(text, SERVICE, category="ObjectNotFound", id="NoServiceFoundForGivenName", target=name)


def no_command(name: str) -> LabError:
    """What the engine says of a command that is not there: its module is missing."""
    text = (
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. "
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again."
    )
    exception = "System.Management.Automation.CommandNotFoundException"
    return LabError(text, exception, category="ObjectNotFound", id="CommandNotFoundException", target=name)


def unsupported(what: str) -> LabError:
    """Asked for something real that this lab does not simulate: said loudly, never answered with nothing."""
    return LabError(
        f"{what} is {_UNSUPPORTED}",
        "System.NotSupportedException",
        category="NotImplemented",
        id="HvTuiLabNotSupported",
        target=what,
        terminating=True,
    )


def unsupported_cim(what: str) -> LabError:
    """The same, in CIM's clothes."""
    return cim(NOT_SUPPORTED, what, text=f"{what} is {_UNSUPPORTED}")


def named(kind: str, command: str) -> LabError:
    """An error by its short name, as the given command would end with it.

    Kinds: `denied unavailable stopped provider gone timeout missing elevation generic`. Raises ValueError.
    """
    if command in {"Get-CimInstance", "Get-CimAssociatedInstance", "Invoke-CimMethod"}:
        number = {
            "denied": WMI_DENIED,
            "elevation": ACCESS_DENIED,
            "unavailable": RPC_UNAVAILABLE,
            "stopped": 0x80041015,
            "provider": PROVIDER_FAILURE,
            "gone": NOT_FOUND,
            "timeout": TIMED_OUT,
            "missing": INVALID_NAMESPACE,
            "generic": 0x80041001,
        }.get(kind)
        if number is not None:
            return cim(number, command)
    if kind == "missing":
        return no_command(command)
    number, text = _PLAIN.get(kind, (0, ""))
    if not text:
        raise ValueError(f"no kind of error is named {kind!r}")
    trouble = Trouble({"elevation": "denied", "stopped": "unavailable"}.get(kind, kind), text, f"0x{number:08x}")
    if command == "Get-WinEvent":
        return log_trouble(trouble)
    if "-Cluster" in command:
        return cluster_trouble(trouble)
    if "-VM" in command:
        return hyperv_trouble(trouble)
    return LabError(text, DENIED if trouble.kind == "denied" else "System.InvalidOperationException", number)


_PLAIN: Final = {
    "denied": (ACCESS_DENIED, "Access is denied."),
    "elevation": (ACCESS_DENIED, "Access is denied."),
    "unavailable": (RPC_UNAVAILABLE, "The RPC server is unavailable."),
    "stopped": (0x800713AC, "The cluster service is not running."),
    "provider": (0x80041004, "Provider failure"),
    "gone": (0x80070002, "The system cannot find the file specified."),
    "timeout": (0x800705B4, "This operation returned because the timeout period expired."),
    "generic": (0x80004005, "Unspecified error"),
}
