"""What mail, chat, wikis, code pages and copying do to a `vssadmin list writers` text.

Every mangler keeps what a person could still read: the same writers with the same states must come out.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Final

Mangler = Callable[[str], str]


def _quotes(opening: str, closing: str) -> Mangler:
    pattern = re.compile(r"(: ?|\u00a0: ?)(['\"])(.*)\2$", re.MULTILINE)
    return lambda text: pattern.sub(lambda m: f"{m[1]}{opening}{m[3]}{closing}", text)


def _each_line(change: Callable[[str], str]) -> Mangler:
    return lambda text: "\n".join(change(line) for line in text.split("\n"))


def _misread(right: str, wrong: str) -> Mangler:
    def change(text: str) -> str:
        # Windows puts an apostrophe where a code page has no curly one; what it lacks otherwise was never in the text.
        text = text if right == "utf-8" else text.replace("’", "'").replace("‘", "'")
        try:
            return text.encode(right).decode(wrong, "replace")
        except UnicodeEncodeError:
            return text

    return change


def _ascii(text: str) -> str:
    """Question marks for everything that is not ASCII, as a careless program writes."""
    return text if "［" in text else text.encode("ascii", "replace").decode("ascii")


def _markdown(text: str) -> str:
    return _each_line(lambda line: re.sub(r"([\[\]{}*_#+\-.()!])", r"\\\1", line))(text)


def _bold_labels(text: str) -> str:
    return _each_line(lambda line: re.sub(r"^(\s*)([^:\n]+:)", r"\1**\2**", line))(text)


QUOTES: Final[dict[str, Mangler]] = {
    "curly single quotes": _quotes("‘", "’"),
    "curly double quotes": _quotes("“", "”"),
    "low double quotes": _quotes("„", "“"),
    "guillemets": _quotes("« ", " »"),
    "straight double quotes": _quotes('"', '"'),
    "doubled single quotes": _quotes("''", "''"),
    "backtick quotes": _quotes("`", "`"),
    "no quotes": _quotes("", ""),
}
CHARACTERS: Final[dict[str, Mangler]] = {
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "narrow no-break spaces": lambda text: text.replace(": ", "\u202f: "),
    "tabs": lambda text: text.replace("   ", "\t"),
    "zero width": lambda text: text.replace(": ", ":\u200b "),
    "upper case guids": lambda text: re.sub(r"\{[^}]*\}", lambda m: m[0].upper(), text),
    "no braces": lambda text: text.replace("{", "").replace("}", ""),
    "en dashes": lambda text: re.sub(r"\{[^}]*\}", lambda m: m[0].replace("-", "–"), text),
    "two digits": lambda text: re.sub(r"\[([0-9])\]", r"[0\1]", text),
    "blanks in brackets": lambda text: re.sub(r"\[([0-9]+)\]", r"[ \1 ]", text),
    "full width brackets": lambda text: text.replace("[", "［").replace("]", "］"),
    "escaped brackets": lambda text: text.replace("[", "\\[").replace("]", "\\]"),
    "no heading": lambda text: text.split("\n\n", 1)[1],
}
LINES: Final[dict[str, Mangler]] = {
    "no indent": _each_line(str.lstrip),
    "trailing blanks": _each_line(lambda line: line + "   "),
    "blank lines between": lambda text: text.replace("\n", "\n\n"),
    "no blank lines": lambda text: re.sub(r"\n{2,}", "\n", text),
    "leading dots": _each_line(lambda line: "..." + line if line.strip() else line),
    "leading ellipsis": _each_line(lambda line: "… " + line if line.strip() else line),
    "middle dots for blanks": _each_line(lambda line: re.sub(r"^ +", lambda m: "·" * len(m[0]), line)),
    "mail quoting": _each_line(lambda line: "> " + line),
    "mail quoting twice": _each_line(lambda line: ">> " + line),
    "list items": _each_line(lambda line: "- " + line.strip() if line.strip() else line),
    "starred list items": _each_line(lambda line: "* " + line.strip() if line.strip() else line),
    "code spans": _each_line(lambda line: f"`{line}`" if line.strip() else line),
    "code fence": lambda text: f"```\n{text}```\n",
    "table": _each_line(lambda line: f"| {line} |" if line.strip() else line),
    "line breaks in markdown": _each_line(lambda line: line + "\\" if line.strip() else line),
    "line breaks in html": _each_line(lambda line: line + "<br/>" if line.strip() else line),
    "bold labels": _bold_labels,
    "a prompt before and after": lambda text: (
        f"PS C:\\Users\\admin> vssadmin list writers\n{text}PS C:\\Users\\admin> "
    ),
    "cmd prompts": lambda text: f"C:\\new>vssadmin list writers\n{text}\nC:\\new>",
}
WRAPPINGS: Final[dict[str, Mangler]] = {
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "crcrlf": lambda text: text.replace("\n", "\r\r\n"),
    "lone cr": lambda text: text.replace("\n", "\r"),
    "html": lambda text: f"<pre>{html.escape(text)}</pre>",
    "escaped markdown": _markdown,
    "json string": json.dumps,
    "json string, real characters": lambda text: json.dumps(text, ensure_ascii=False),
    "json object": lambda text: json.dumps({"v": 1, "text": text, "exit_code": 0}),
    "json with crlf": lambda text: json.dumps(text.replace("\n", "\r\n")),
    "json's inside": lambda text: json.dumps(text.replace("\n", "\r\n"))[1:-1],
    "json of PowerShell": lambda text: json.dumps(text).replace("'", "\\u0027").replace("<", "\\u003c"),
    "json object, end lost": lambda text: json.dumps({"v": 1, "text": text, "exit_code": 0})[:-1],
    "json in json": lambda text: json.dumps(json.dumps(text))[1:-1],
}
CODE_PAGES: Final[dict[str, Mangler]] = {
    "utf-8 read as ansi": _misread("utf-8", "cp1252"),
    "utf-8 read as latin-1": _misread("utf-8", "latin-1"),
    "utf-8 read as oem": _misread("utf-8", "cp850"),
    "utf-8 read as oem us": _misread("utf-8", "cp437"),
    "ansi read as oem": _misread("cp1252", "cp850"),
    "oem read as ansi": _misread("cp850", "cp1252"),
    "ansi read as utf-8": _misread("cp1252", "utf-8"),
    "oem read as utf-8": _misread("cp850", "utf-8"),
    "ascii only": _ascii,
    "nuls": "\0".join,
    "byte order mark": lambda text: "\ufeff" + text,
}
KINDS: Final = (QUOTES, CHARACTERS, LINES, WRAPPINGS, CODE_PAGES)
"""In the order in which a text suffers them."""
MANGLERS: Final = {name: change for kind in KINDS for name, change in kind.items()}
