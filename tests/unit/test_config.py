"""The configuration file: what it may say, and that everything wrong with it is said at once, with its line."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hvtui.config import BackupWindow, ClusterConfig, Config, Secret, split_address
from hvtui.config_file import load_config, parse_config
from hvtui.errors import ConfigError, UsageError
from hvtui.paths import config_file

FULL = """\
default = "prod"
theme = "light"
ascii = true
bells = false

[clusters.prod]
seeds = ["HV01", "HV02"]
template = "{node}.corp.example:5986"
auth = "kerberos"
username = 'CORP\\alice'
password = { keyring = "hvtui-prod" }
endpoint = "HvTui.Jea"
port = 443
tls = true
ca = "ca.pem"
verify = true
refresh = 5
windows = [
  { start = "22:00", end = "04:00", zone = "Europe/Berlin" },
  { start = 12:00:00, end = 12:30:00 },
]
groups = { sql = ["SQL*", "DC[1]"], "two words" = ["A"] }
quiet = ["TEST*", "sql"]
kept_checkpoints = ["ARCHIVE*"]
actions = true
protected = true

[clusters.lab]
seeds = ["N1"]
tls = false
password = "prompt"

[clusters.lab.addresses]
N1 = "127.0.0.1:50001"
N2 = "127.0.0.1:50002"
"""


def read(text: str, tmp_path: Path) -> Config:
    path = tmp_path / "hvtui.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def problems(text: str, tmp_path: Path) -> list[str]:
    """The problems, with the file's path taken off: `line: key: text`."""
    with pytest.raises(ConfigError) as caught:
        read(text, tmp_path)
    start = f"{tmp_path / 'hvtui.toml'}:"
    assert all(p.startswith(start) for p in caught.value.problems), caught.value.problems
    return [p.removeprefix(start) for p in caught.value.problems]


def test_everything_a_file_may_say(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    config = read(FULL, tmp_path)
    assert (config.default, config.theme, config.ascii, config.bells) == ("prod", "light", True, False)
    assert config.clusters["prod"] == ClusterConfig(
        name="prod",
        seeds=("HV01", "HV02"),
        template="{node}.corp.example:5986",
        auth="kerberos",
        username="CORP\\alice",
        password=Secret("keyring", "hvtui-prod"),
        endpoint="HvTui.Jea",
        port=443,
        ca=tmp_path / "ca.pem",
        refresh=5,
        windows=(BackupWindow(time(22), time(4), "Europe/Berlin"), BackupWindow(time(12), time(12, 30))),
        actions=True,
        groups={"sql": ("SQL*", "DC[1]"), "two words": ("A",)},
        quiet=("TEST*", "sql"),
        kept_checkpoints=("ARCHIVE*",),
        protected=True,
    )
    assert config.clusters["lab"].addresses == {"N1": "127.0.0.1:50001", "N2": "127.0.0.1:50002"}
    assert config.cluster().name == "prod"
    assert config.cluster("LAB").name == "lab"


def test_all_problems_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = problems(
        """\
them = "dark"
ascii = "yes"
[clusters.prod]
seds = ["HV01"]
auth = "negotate"
port = 99999
[clusters.test]
seeds = ["A", "a", "B"]
addresses = { A = "127.0.0.1:1", B2 = "127.0.0.1:1" }
windows = [{ start = "25:00", end = "04:00" }]
[clusters.test2]
seeds = ["A", "a", "B"]
refresh = 0
[clusters.test3]
seeds = ["A", "a", "B"]
addresses = { A = "127.0.0.1:1", B2 = "127.0.0.1:1" }
""",
        tmp_path,
    )
    assert found == [
        "1: them: unknown key; did you mean `theme`? (known: default, theme, ascii, bells, allow_plain_password, "
        "clusters)",
        "2: ascii: must be true or false, not 'yes'",
        '3: clusters.prod: needs `seeds`, the nodes that are asked first, such as `seeds = ["HV01"]`',
        "4: clusters.prod.seds: unknown key; did you mean `seeds`? (known: seeds, addresses, template, auth, username, "
        "password, endpoint, port, tls, ca, verify, refresh, windows, groups, quiet, kept_checkpoints, actions, "
        "protected)",
        "5: clusters.prod.auth: must be one of negotiate, kerberos, ntlm, not 'negotate'; did you mean `negotiate`?",
        "6: clusters.prod.port: must be a whole number from 0 to 65535, not 99999",
        "10: clusters.test.windows.0: start must be a time of day such as \"22:00\", not '25:00'",
        "13: clusters.test2.refresh: must be a number from 0.5 to 60, not 0",
        "15: clusters.test3.seeds: names node `a` twice",
        "15: clusters.test3.seeds: `B` has no address: add it to `addresses` or give a `template` (known: A, B2)",
        "16: clusters.test3.addresses.B2: `B2` has the same address as `A`",
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("seeds = []", "must name at least one node"),
        ('seeds = "HV01"', "must be a list"),
        ('seeds = ["HV01.corp.example:5985"]', "must be a node's name"),
        ('template = "hv.corp.example"', "must contain `{node}`"),
        ('template = "{node}.{domain}"', "no other braces"),
        ('template = "{node}:99999"', "with a port from 1 to 65535"),
        ('addresses = { HV01 = "h:0" }', "with a port from 1 to 65535"),
        ('addresses = { HV01 = "http://h" }', "must be `host` or `host:port`"),
        ('addresses = { HV01 = "h:port" }', "must be `host` or `host:port`"),
        ('addresses = { HV01 = "a", hv01 = "b" }', "has two addresses"),
        ('ca = "nowhere.pem"', "there is no file"),
        ('endpoint = "a/b"', "must be the name of a session configuration"),
        ("tls = 1", "must be true or false, not 1"),
        ("refresh = true", "must be a number from 0.5 to 60, not true"),
        ("refresh = nan", "must be a number from 0.5 to 60"),
        ('password = { vault = "x" }', "one of keyring, env, command, plain"),
        ('password = { plain = "geheim" }', "allow_plain_password = true"),
        ('password = "geheim"', 'must be "prompt", "keyring", or a table'),
        ('windows = [{ start = "22:00" }]', "must be like"),
        ("groups = []", "must be a table"),
        ('quiet = "TEST*"', "must be a list"),
        ('quiet = ["TEST*", 7]', "must be text in quotes, not 7"),
        ('kept_checkpoints = "ARCHIVE*"', "must be a list"),
        ('groups = { sql = "SQL*" }', "must be a list of VMs"),
        ("groups = { sql = [] }", "must be a list of VMs"),
        ('groups = { sql = ["A", ""] }', "must be text in quotes"),
        ('windows = [{ start = "22:00", end = "22:00" }]', "starts and ends at the same time"),
        ('windows = [{ start = "22:00", end = "4:00", zone = "Europe/Berln" }]', "did you mean `Europe/Berlin`?"),
        (
            'windows = [{ start = "25:00", end = "4", zone = "Europe/Berln" }]',
            "not '25:00'; end must be a time of day such as \"22:00\", not '4'; zone must be",
        ),
        ('windows = [{ start = "22:00", end = "4:00", zone = "../etc" }]', "must be an IANA time zone"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(line: str, complaint: str, tmp_path: Path) -> None:
    rest = "" if line.startswith("seeds") else 'seeds = ["HV01"]\n'
    if not line.startswith(("template", "addresses")):
        rest += 'template = "{node}.corp.example"\n'
    found = problems(f"[clusters.x]\n{rest}{line}\n", tmp_path)
    assert len(found) == 1
    assert complaint in found[0]
    assert "geheim" not in found[0]
    assert found[0].startswith(f"{2 + rest.count(chr(10))}: clusters.x.{line.split(maxsplit=1)[0]}")


def test_a_secret_is_not_in_any_repr(tmp_path: Path) -> None:
    text = 'allow_plain_password = true\n[clusters.x]\nseeds=["A"]\ntemplate="{node}"\npassword={plain="geheim"}'
    config = read(text, tmp_path)
    assert config.clusters["x"].password.value == "geheim"
    assert "geheim" not in repr(config) + config.clusters["x"].password.describe()
    assert "s3cret" not in Secret("command", "vault read s3cret").describe()


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("a = 1\nb = [\n", 2, "not valid TOML"),
        ('x = "\n', 1, "not valid TOML"),
        ('[clusters.a]\nseeds = ["A"]\nseeds = ["B"]\n', 3, "Cannot overwrite a value"),
        ('clusters = "x"', 1, "must be a table"),
        ("[clusters]\nprod = 3", 2, "must be a table"),
        ('default = "prd"\n[clusters.prod]\nseeds=["A"]\ntemplate="{node}"', 1, "no cluster `prd` in this file"),
        ('note = """\n[clusters.x]\nseeds = 1\n"""\nascii = 3', 5, "ascii: must be true or false"),
    ],
)
def test_faults_of_the_file_as_a_whole(text: str, line: int, complaint: str, tmp_path: Path) -> None:
    found = problems(text, tmp_path)
    assert any(p.startswith(f"{line}: ") and complaint in p for p in found), found


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    binary = tmp_path / "b.toml"
    binary.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(binary)
    large = tmp_path / "l.toml"
    large.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="too large"):
        load_config(large)


def test_without_a_file_there_are_no_clusters_and_the_way_on_is_said(home: Path) -> None:
    assert home in config_file().parents
    config = load_config()
    assert config == Config(path=None, clusters={})
    with pytest.raises(UsageError, match="hvtui config init"):
        config.cluster()


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "hvtui.toml"
    path.write_bytes(b'\xef\xbb\xbftheme = "light"\r\n')
    assert load_config(path).theme == "light"


def test_choosing_a_cluster() -> None:
    two = Config(path=Path("f"), clusters={n: ClusterConfig(n, ("A",)) for n in ("prod", "test")})
    with pytest.raises(UsageError, match="say one of: prod, test"):
        two.cluster()
    with pytest.raises(UsageError, match="did you mean `prod`"):
        two.cluster("prodd")
    one = Config(path=Path("f"), clusters={"prod": two.clusters["prod"]})
    assert one.cluster().name == "prod"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("hv01", ("hv01", 0)),
        ("hv01:5985", ("hv01", 5985)),
        ("[::1]:5985", ("::1", 5985)),
        ("::1", ("::1", 0)),
        ("[::1]", ("::1", 0)),
    ],
)
def test_addresses(address: str, expected: tuple[str, int]) -> None:
    assert split_address(address) == expected


def test_the_port_of_a_node() -> None:
    made = ClusterConfig("x", ("A",), addresses={"A": "h", "B": "h:1"}, template="{node}.t")
    assert made.address("a") == ("h", 5986)
    assert made.address("B") == ("h", 1)
    assert made.address("C") == ("C.t", 5986)
    assert ClusterConfig("x", ("A",), addresses={"A": "h"}, tls=False).address("A") == ("h", 5985)
    assert ClusterConfig("x", ("A",), addresses={"A": "h"}, port=99).address("A") == ("h", 99)
    assert ClusterConfig("x", ("A",)).address("A") is None


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from(["seeds", "addresses", "template", "auth", "password", "port", "ca", "refresh", "windows", "x"])


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(str(k))} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool) or value is None:
        return str(bool(value)).lower()
    if isinstance(value, str):
        return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value) + '"'
    return repr(value)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_any_value_anywhere_is_read_or_reported(values: dict[str, object]) -> None:
    text = "[clusters.x]\n" + "\n".join(f"{key} = {_toml(value)}" for key, value in values.items())
    found: tuple[str, ...] = ()
    try:
        parse_config(text, Path("f.toml"))
    except ConfigError as error:
        found = error.problems or ("none",)
    assert all(p.startswith("f.toml:") and "\x1b" not in p and "\n" not in p for p in found)
