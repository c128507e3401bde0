"""A program of Windows in the lab: asks the lab what it prints. Killed like any program, its connection then closes."""

import base64
import json
import os
import socket
import sys
from pathlib import Path


def main() -> int:
    """Runs the program whose name this file has; the exit code is the lab's answer."""
    host, port = os.environ["HVTUI_LAB_CONTROL"].rsplit(":", 1)
    name = Path(sys.argv[0]).name.removesuffix(".py")
    request = {
        "token": os.environ.get("HVTUI_LAB_TOKEN", ""),
        "id": 1,
        "command": name,
        "parameters": {"Arguments": sys.argv[1:]},
        "set": "",
        "pipeline": [],
    }
    with socket.create_connection((host, int(port))) as line, line.makefile("rwb") as stream:
        stream.write(json.dumps(request).encode() + b"\n")
        stream.flush()
        text = stream.readline()
    if not text:
        return 1
    answer = json.loads(text)
    page = "utf-8" if answer.get("codepage") == 65001 else f"cp{answer.get('codepage', 437)}"
    for part in answer.get("output", ()):
        data = base64.b64decode(part["$bytes"]) if isinstance(part, dict) else part.encode(page, "replace")
        sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(answer.get("stderr", "").encode(page, "replace"))
    return int(answer.get("exit", 0))


if __name__ == "__main__":
    sys.exit(main())
