"""The one DICOM file in an answer to a question for it (PS3.18 8.7.4): in an envelope of MIME, or bare."""

from __future__ import annotations

from email.message import Message


def only_part(content_type: str, content: bytes) -> bytes:
    """The bytes of the file, as they were sent. Raises ValueError for what is no whole envelope with one part."""
    said = Message()
    said["Content-Type"] = content_type
    kind = said.get_content_type()
    if kind == "application/dicom":  # not as the standard has it, but some servers send it so
        return content
    boundary = said.get_boundary()
    if kind != "multipart/related" or not boundary:
        raise ValueError
    line = b"--" + boundary.encode("ascii")
    begin = content.index(line)
    first = content.index(b"\r\n\r\n", begin) + 4
    last = content.index(b"\r\n" + line, first)
    end = last + 2 + len(line)
    if content[end : end + 2] != b"--":
        raise ValueError  # another part
    return content[first:last]
