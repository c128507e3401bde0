"""Making plain lines of a `vssadmin list writers` text, however it was pasted, encoded or wrapped.

Nothing here knows a language: the result is what the writer parser can read by GUIDs, `[n]` and order.
"""

from __future__ import annotations

import html
import re
from typing import Final

import msgspec

LIMIT: Final = 2_000_000
"""Characters read at most; a node with a hundred writers prints 30,000."""
LINE_LIMIT: Final = 1_000
"""Characters of a line looked at; vssadmin's longest has about 80."""

_BREAKS: Final = re.compile(r"\r\n|[\n\r\x0b\x0c\u2028\u2029]")
_ESCAPED_BREAK: Final = re.compile(r"\\{1,8}r\\{1,8}n|\\{1,8}[nr]")
_ESCAPED_CHAR: Final = re.compile(r"\\{1,8}u([0-9a-fA-F]{4})")
_ESCAPED_QUOTE: Final = re.compile(r"""\\{1,8}(["'/])""")
_JSON_HEAD: Final = re.compile(r'\A\s*[{\[][^\\]{0,2000}"\s{0,9}:\s{0,9}"')
_JSON_TAIL: Final = re.compile(r'"\s*[,}\]].*\Z')
_MARKDOWN: Final = re.compile(r"\\{1,8}([`*_{}\[\]()#+\-.!>'\"|~])")
_TAG: Final = re.compile(r"</?(?:br|p|pre|code|b|i|em|strong|div|span|li|td|tr)\b[^<>]{0,80}>", re.IGNORECASE)
_LEADING: Final = re.compile(r"^(?:[\s>*`|#•·…‥~_=+.]|[-–—](?=[\s\-–—]|[A-Za-z]))+")
_TRAILING: Final = re.compile(r"[\s*`|\\~_…]+\Z")
_SPACES: Final = re.compile(r"\s+")
_MOJIBAKE: Final = re.compile(r"[^\x00-\x7f]{2}")

_FOLD: Final = {
    **dict.fromkeys(map(ord, "‘’‚‛′´＇ʼ"), "'"),
    **dict.fromkeys(map(ord, "“”„‟″«»‹›＂"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—−﹣－"), "-"),
    **dict.fromkeys(
        map(ord, "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"), " "
    ),
    **dict.fromkeys([0, 0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF], None),
    **{
        ord(wide): narrow
        for wide, narrow in zip("［］｛｝：（）０１２３４５６７８９", "[]{}:()0123456789", strict=True)
    },
}
"""Typographic characters → the ASCII ones they stand for; what has no width disappears."""


def decode(data: bytes) -> str:
    """Text of bytes whose encoding nobody told: UTF-8, UTF-16 with or without mark, ANSI or OEM code page."""
    data = data[: 2 * LIMIT + 2]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    head = data[:4000]
    if head.count(0) * 3 > len(head):
        return data.decode("utf-16-le" if head[1:2] == b"\0" else "utf-16-be", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 and len(data) >= LIMIT:
            return data.decode("utf-8-sig", "replace")
    ansi, oem = data.decode("cp1252", "replace"), data.decode("cp850", "replace")
    return ansi if _plausible(ansi) >= _plausible(oem) else oem


def _plausible(text: str) -> int:
    """How many non-ASCII characters of the first part are ones that vssadmin prints in some European language."""
    return sum(c in "éèêëàâçîïôûùœÉÈÀÇÊáíóúñÁÍÓÚÑäöüßÄÖÜåøæÅØÆãõ‘’“”„«»\u00a0–…" for c in text[:20_000] if c > "\x7f")


def plain_lines(text: str) -> tuple[list[str], bool]:
    """Non-empty lines, cleaned of quoting, markup and typography; and whether the last one was ended.

    An unended last line may be cut in the middle: a truncated paste ends anywhere.
    """
    # UTF-16 read as anything else has a NUL beside every character.
    text = _unescape(text[: 2 * LIMIT].replace("\0", "").lstrip("\ufeff")[:LIMIT])
    raw = _BREAKS.split(text)
    lines = []
    for line in raw:
        clean = _clean(line)
        if clean:
            lines.append(clean)
    return lines, not _clean(raw[-1])


def _unescape(text: str) -> str:
    """Undo JSON: a whole document that holds the text, or only its escapes."""
    start = text[:200].lstrip("\ufeff \t\r\n")[:1]
    if start and start in '{["':
        held = _from_json(text)
        if held:
            return held
    escaped = len(_ESCAPED_BREAK.findall(text))
    if escaped and escaped > text.count("\n"):
        text = _ESCAPED_BREAK.sub("\n", _JSON_HEAD.sub("", text))
        text = _ESCAPED_CHAR.sub(lambda match: chr(int(match[1], 16)), text)
        text = _ESCAPED_QUOTE.sub(r"\1", text)
        text = "\n".join(_JSON_TAIL.sub("", line) for line in text.split("\n"))
    return text


def _from_json(text: str) -> str:
    """All strings with a GUID's braces in a JSON document, one after the other; empty when it is none."""
    try:
        found: object = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return ""
    texts, todo = [], [found]
    while todo:
        item = todo.pop()
        if isinstance(item, str) and "{" in item:
            texts.append(item)
        elif isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return "\n".join(reversed(texts))


def spelled(line: str) -> str:
    """A line in plain characters: UTF-8 read as something else, and typography, are undone; blanks stay."""
    return line if line.isascii() else _repaired(line).translate(_FOLD)


def _clean(line: str) -> str:
    line = spelled(line[:LINE_LIMIT])
    if "&" in line:
        line = html.unescape(line).translate(_FOLD)
    if "<" in line:
        line = _TAG.sub(" ", line)
    if "\\" in line:
        line = _MARKDOWN.sub(r"\1", line)
    if "*" in line or "`" in line:
        line = line.replace("**", "").replace("`", "")
    line = _SPACES.sub(" ", _TRAILING.sub("", _LEADING.sub("", line)))
    # Rules, fences, brackets and quotes alone on a line say nothing.
    return line if any(map(str.isalnum, line)) else ""


def _repaired(line: str) -> str:
    """UTF-8 that was read as an ANSI or OEM code page, read again as what it is."""
    if not _MOJIBAKE.search(line):
        return line
    for wrong in ("cp1252", "cp850", "cp437", "latin-1"):
        try:
            return line.encode(wrong).decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
    return line
