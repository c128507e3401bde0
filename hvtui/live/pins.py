"""The id a cluster had when it was first contacted: another one behind the same name is a reason to stop."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hvtui import paths
from hvtui.errors import ConfigError

FILE = "pins.json"


class Pins:
    """Pinned cluster ids of one configuration file, kept in `folder`."""

    def __init__(self, folder: Path, config: Path | None) -> None:
        self._file = folder / FILE
        self._config = str(config.resolve()) if config else ""
        self._default = config is None or config.resolve() == paths.config_file().resolve()

    def get(self, cluster: str) -> str | None:
        """The pinned id, None before the first contact. Raises ConfigError for a file that cannot be read."""
        pinned = self._of_config(self._load()).get(cluster, {}).get("id")
        return str(pinned) if pinned else None

    def pin(self, cluster: str, cluster_id: str) -> None:
        """Remember the id of a first contact, or one that the user accepted."""
        self._write(cluster, {"id": cluster_id})

    def offer(self, cluster: str, cluster_id: str) -> None:
        """Remember that another id was met, so that `accept_pin` knows which one the user was told about."""
        pinned = self.get(cluster)
        self._write(cluster, {"id": pinned, "offered": cluster_id} if pinned else {"offered": cluster_id})

    def offered(self, cluster: str) -> str | None:
        """The other id that was met last, None when there is nothing to accept."""
        offered = self._of_config(self._load()).get(cluster, {}).get("offered")
        return str(offered) if offered else None

    def accept_command(self, cluster: str) -> str:
        """The command line that accepts the other id."""
        file = "" if self._default else f" --config {_quoted(self._config)}"
        return f"hvtui config accept-id {_quoted(cluster)}{file}"

    def _of_config(self, everything: dict[str, Any]) -> dict[str, dict[str, Any]]:
        clusters = everything.get(self._config, {})
        if not isinstance(clusters, dict) or not all(isinstance(c, dict) for c in clusters.values()):
            raise self._unreadable("it is not what hvtui writes")
        return clusters

    def _load(self) -> dict[str, Any]:
        try:
            everything = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise self._unreadable(str(error)) from error
        if not isinstance(everything, dict):
            raise self._unreadable("it is not what hvtui writes")
        return everything

    def _unreadable(self, why: str) -> ConfigError:
        return ConfigError(
            f"The pinned cluster ids in {self._file} cannot be read: {why}",
            hint="Repair or delete the file; each cluster is then pinned anew at its next contact.",
        )

    def _write(self, cluster: str, entry: dict[str, Any]) -> None:
        everything = self._load()
        everything[self._config] = {**self._of_config(everything), cluster: entry}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and moved over: a crash leaves the old file or the new one, never half of one.
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=self._file.parent, prefix=FILE, delete=False
        ) as beside:
            json.dump(everything, beside, indent=2, sort_keys=True)
        Path(beside.name).replace(self._file)


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


def accept_pin(pins: Pins, cluster: str) -> str | None:
    """Make the id that was met last the pinned one and return it; None when no other id was met."""
    offered = pins.offered(cluster)
    if offered is not None:
        pins.pin(cluster, offered)
    return offered
