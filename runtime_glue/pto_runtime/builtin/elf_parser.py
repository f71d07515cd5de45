# SPDX-License-Identifier: MIT
"""extract_text_section(), with the interface of pto-runtime's module of this name. Unlike that one
it refuses code that would be wrong once it stands alone."""
from __future__ import annotations

import os
import struct

_SYMTAB, _RELA, _REL = 2, 4, 9


def extract_text_section(obj_input: str | os.PathLike[str] | bytes) -> bytes:
    """The bytes of section .text of an object file (ELF, 64 bit, little endian), a path or its
    bytes.

    FileNotFoundError; ValueError for what is no such object, has no .text, or has relocations
    against it: they are lost when only the code is taken, so that it would read constants that are
    not there."""
    name, data = _read(obj_input)
    try:
        return _text(name, data)
    except struct.error:
        raise ValueError(f"{name} is cut off: its section headers lie outside it") from None


def find_symbol(obj_input: str | os.PathLike[str] | bytes, symbol: str) -> int | None:
    """Where in .text a symbol of an object file is, None where it is not. ValueError as above.
    PtoWsp's own; pto-runtime's module has none."""
    name, data = _read(obj_input)
    try:
        sections = _sections(data)
        text = _text_section(name, data, sections)
        for section in sections:
            if section[1] != _SYMTAB:
                continue
            strings = sections[section[6]][4]
            for at in range(section[4], section[4] + section[5], section[9]):
                # name, info, other, section, value, size
                entry = struct.unpack_from("<IBBHQQ", data, at)
                begin = strings + entry[0]
                if data[begin:data.find(b"\0", begin)] == symbol.encode() and entry[3] == text:
                    return int(entry[4])
    except (struct.error, IndexError):
        raise ValueError(f"{name} is cut off: its symbols lie outside it") from None
    return None


def machine_of(obj_input: str | os.PathLike[str] | bytes) -> int:
    """The processor that an object file is for, as ELF numbers them (e_machine). PtoWsp's own."""
    name, data = _read(obj_input)
    if len(data) < 20:
        raise ValueError(f"{name} is cut off: it has no whole header")
    return int(struct.unpack_from("<H", data, 18)[0])


def _read(obj_input: str | os.PathLike[str] | bytes) -> tuple[str, bytes]:
    if isinstance(obj_input, bytes):
        name, data = "the object", obj_input
    else:
        name = os.fspath(obj_input)
        with open(name, "rb") as file:
            data = file.read()
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError(f"{name} is no object file (ELF, 64 bit, little endian)")
    return name, data


def _sections(data: bytes) -> list[tuple[int, ...]]:
    # name, type, flags, address, offset, size, link, info, alignment, entry size
    table, = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    return [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]


def _text_section(name: str, data: bytes, sections: list[tuple[int, ...]]) -> int:
    names, = struct.unpack_from("<H", data, 62)
    if names >= len(sections):
        raise ValueError(f"{name} has no names of sections")
    strings = data[sections[names][4]:sections[names][4] + sections[names][5]]
    for i, section in enumerate(sections):
        if section[5] and strings[section[0]:strings.find(b"\0", section[0])] == b".text":
            return i
    raise ValueError(f"{name} has no code in a section .text")


def _text(name: str, data: bytes) -> bytes:
    sections = _sections(data)
    text = _text_section(name, data, sections)
    for section in sections:
        if section[1] in (_RELA, _REL) and section[7] == text and section[5]:
            raise ValueError(f"{name}: .text has {section[5] // section[9]} relocations, which are "
                             "lost when only its bytes are loaded; a kernel calls no function and "
                             "has no constants or variables outside its code")
    start, length = sections[text][4], sections[text][5]
    if start + length > len(data):
        raise ValueError(f"{name} is cut off: .text lies outside it")
    return data[start:start + length]
