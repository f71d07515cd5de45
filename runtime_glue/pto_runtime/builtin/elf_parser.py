# SPDX-License-Identifier: MIT
"""extract_text_section(), with the interface of pto-runtime's module of this name. Unlike that one
it refuses code that would be wrong once it stands alone."""
from __future__ import annotations

import os
import struct

_RELA, _REL = 4, 9


def extract_text_section(obj_input: str | os.PathLike[str] | bytes) -> bytes:
    """The bytes of section .text of an object file (ELF, 64 bit, little endian), a path or its
    bytes.

    FileNotFoundError; ValueError for what is no such object, has no .text, or has relocations
    against it: they are lost when only the code is taken, so that it would read constants that are
    not there."""
    if isinstance(obj_input, bytes):
        name, data = "the object", obj_input
    else:
        name = os.fspath(obj_input)
        with open(name, "rb") as file:
            data = file.read()
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError(f"{name} is no object file (ELF, 64 bit, little endian)")
    try:
        return _text(name, data)
    except struct.error:
        raise ValueError(f"{name} is cut off: its section headers lie outside it") from None


def _text(name: str, data: bytes) -> bytes:
    table, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    # name, type, flags, address, offset, size, link, info, alignment, entry size
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]
    if names >= count:
        raise ValueError(f"{name} has no names of sections")
    strings = data[sections[names][4]:sections[names][4] + sections[names][5]]

    def name_of(section: tuple[int, ...]) -> bytes:
        return strings[section[0]:strings.find(b"\0", section[0])]

    texts = [i for i, section in enumerate(sections) if name_of(section) == b".text" and section[5]]
    if not texts:
        raise ValueError(f"{name} has no code in a section .text")
    text = texts[0]
    for section in sections:
        if section[1] in (_RELA, _REL) and section[7] == text and section[5]:
            raise ValueError(f"{name}: .text has {section[5] // section[9]} relocations, which are "
                             "lost when only its bytes are loaded; a kernel calls no function and "
                             "has no constants or variables outside its code")
    start, length = sections[text][4], sections[text][5]
    if start + length > len(data):
        raise ValueError(f"{name} is cut off: .text lies outside it")
    return data[start:start + length]
