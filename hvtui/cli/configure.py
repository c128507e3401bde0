"""`hvtui config`: show, check, find and begin the configuration; accept a cluster's new id."""

from __future__ import annotations

from typing import Final

from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit
from hvtui.cli.output import Cell, say, table
from hvtui.config import BackupWindow, ClusterConfig, Config
from hvtui.config_file import load_config
from hvtui.errors import InputError, UsageError
from hvtui.live.pins import Pins, accept_pin
from hvtui.paths import config_dir, config_file, log_file, state_dir

TEMPLATE: Final = """\
# hvtui's configuration. `hvtui config check` says what is wrong with it, all at once.

# The cluster that `hvtui` opens when none is named.
#default = "prod"
#theme = "dark"
#ascii = false
#bells = true                    # the terminal rings when the backup of what you watch (W) ends, fails or stalls

#[clusters.prod]
# Nodes asked first, by the names the cluster uses. One is enough to learn the others.
#seeds = ["HV01", "HV02"]
# A node is contacted only at an address given here: by a template, or one by one (`host` or `host:port`).
#template = "{node}.corp.example"
#addresses = { HV01 = "hv01.corp.example:5986" }
#auth = "negotiate"             # negotiate, kerberos or ntlm
#username = 'CORP\\alice'
# Where the password comes from: "prompt", "keyring", { keyring = "service" }, { env = "VARIABLE" } or
# { command = "program arguments" }. In clear, { plain = "…" }, only after `allow_plain_password = true` above.
#password = "keyring"
#endpoint = "Microsoft.PowerShell"   # name of the session configuration; a JEA endpoint has its own
#tls = true                      # HTTPS on 5986; false: HTTP on 5985, messages encrypted by the log-on
#ca = "corp-ca.pem"              # relative to this file; without it the system's own authorities
#verify = true
#refresh = 2.0                   # seconds between two looks of a node at itself
#windows = [{ start = "22:00", end = "04:00", zone = "Europe/Berlin" }]
#groups = { sql = ["SQL*", "REP01"] }   # VMs that a backup job wants on one node: `hvtui align --group sql`
#quiet = ["TEST*"]        # VMs, or names of groups, whose findings are recorded and not alarmed
#kept_checkpoints = ["ARCHIVE*"]   # VMs, or names of groups, whose Recovery checkpoint their product keeps on purpose
#actions = false                 # without actions a cluster is read-only
#protected = true                # production: marked in the header, asks more before it acts
"""


def run(arguments: Arguments) -> int:
    """One of `show`, `check`, `path`, `init`, `accept-id`."""
    if arguments.cluster and arguments.action not in {"show", "accept-id"}:
        raise UsageError(f"`config {arguments.action}` takes no cluster")
    actions = {"show": _show, "check": _check, "path": _path, "init": _init, "accept-id": _accept_id}
    return actions[arguments.action](arguments)


def _check(arguments: Arguments) -> int:
    config = load_config(arguments.config)
    if config.path is None:
        say(f"there is no configuration yet; `hvtui config init` writes {config_file()}")
        return Exit.NOTHING
    clusters = ", ".join(config.clusters) or "none"
    say(f"{config.path} is fine. Clusters: {clusters}", "ok")
    for cluster in config.clusters.values():
        for warning in warnings(cluster):
            say(f"{cluster.name}: {warning}", "warn")
    return Exit.FINE


def warnings(cluster: ClusterConfig) -> list[str]:
    """What is allowed but deserves a second thought."""
    found = []
    if cluster.tls and not cluster.verify:
        found.append("`verify = false`: any machine can pose as a node; give its CA as `ca` instead")
    if cluster.password.kind == "plain":
        found.append("the password is in the file in clear")
    if cluster.actions and not cluster.protected:
        found.append("actions are allowed and it is not `protected`")
    return found


def _path(arguments: Arguments) -> int:
    used = arguments.config or config_file()
    say(f"configuration  {used}{'' if used.exists() else '  (not there yet)'}")
    say(f"own themes     {config_dir() / 'themes'}")
    say(f"pinned ids     {state_dir()}")
    say(f"log of faults  {log_file()}")
    return Exit.FINE


def _init(arguments: Arguments) -> int:
    path = arguments.config or config_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # `x`: an existing file is never overwritten.
        with path.open("x", encoding="utf-8") as file:
            # Only its owner may read it, where the system knows that; on Windows the profile's own rights do.
            path.chmod(0o600)
            file.write(TEMPLATE)
    except OSError as error:
        if path.is_file():
            raise UsageError(f"{path} is there already", hint="`hvtui config check` looks it over") from None
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    say(f"wrote {path}; take away the `#` where you need it, then `hvtui config check`, then `hvtui doctor`")
    return Exit.FINE


def _show(arguments: Arguments) -> int:
    config = load_config(arguments.config)
    if config.path is None:
        return _check(arguments)
    chosen = [config.cluster(arguments.cluster)] if arguments.cluster else list(config.clusters.values())
    table(str(config.path), ("", "", ""), _general(config))
    for cluster in chosen:
        table(f"cluster {cluster.name}", ("", "", ""), _cluster_rows(cluster))
    return Exit.FINE


def _general(config: Config) -> list[tuple[Cell, ...]]:
    rows = (
        ("default", config.default or "(none)"),
        ("theme", config.theme),
        ("ascii", _word(config.ascii)),
        ("bells", _word(config.bells)),
    )
    return [(name, value, "") for name, value in rows]


def _cluster_rows(cluster: ClusterConfig) -> list[tuple[Cell, ...]]:
    blank = ClusterConfig(cluster.name, ())
    rows: list[tuple[str, str, bool]] = [
        ("seeds", ", ".join(cluster.seeds), False),
        *((f"address of {node}", address, False) for node, address in cluster.addresses.items()),
        ("template", cluster.template or "(none)", not cluster.template),
        ("auth", cluster.auth, cluster.auth == blank.auth),
        ("username", cluster.username or "(the one you are logged on as)", not cluster.username),
        ("password", cluster.password.describe(), cluster.password == blank.password),
        ("endpoint", cluster.endpoint, cluster.endpoint == blank.endpoint),
        ("port", str(cluster.port or (5986 if cluster.tls else 5985)), not cluster.port),
        ("tls", _word(cluster.tls), cluster.tls == blank.tls),
        ("ca", str(cluster.ca or "(the system's)"), cluster.ca is None),
        ("verify", _word(cluster.verify), cluster.verify == blank.verify),
        ("refresh", f"{cluster.refresh:g} s", cluster.refresh == blank.refresh),
        ("windows", ", ".join(map(_window, cluster.windows)) or "(none)", not cluster.windows),
        *((f"group {name}", ", ".join(vms), False) for name, vms in cluster.groups.items()),
        ("quiet", ", ".join(cluster.quiet) or "(none)", not cluster.quiet),
        ("kept_checkpoints", ", ".join(cluster.kept_checkpoints) or "(none)", not cluster.kept_checkpoints),
        ("actions", "allowed" if cluster.actions else "no: read-only", cluster.actions == blank.actions),
        ("protected", _word(cluster.protected), cluster.protected == blank.protected),
    ]
    return [(name, value, ("default" if by_default else "", "dim")) for name, value, by_default in rows]


def _window(window: BackupWindow) -> str:
    return f"{window.start:%H:%M}–{window.end:%H:%M} {window.zone}"


def _word(value: bool) -> str:
    return "true" if value else "false"


def _accept_id(arguments: Arguments) -> int:
    if not arguments.cluster:
        raise UsageError("which cluster?", hint="`hvtui config accept-id CLUSTER`")
    config = load_config(arguments.config)
    cluster = config.cluster(arguments.cluster)
    pins = Pins(state_dir(), config.path)
    before = pins.get(cluster.name)
    after = accept_pin(pins, cluster.name)
    if after is None:
        say(f"no other id of {cluster.name} was met; nothing to accept" + (f" ({before} is pinned)" if before else ""))
        return Exit.WRONG
    say(f"{cluster.name}: {before or 'no id'} → {after}")
    return Exit.FINE
