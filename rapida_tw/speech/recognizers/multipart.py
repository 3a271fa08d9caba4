"""A form with a file, as servers take uploads (RFC 7578)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4


def form(
    fields: Sequence[tuple[str, str]], file: bytes, filename: str, content_type: str
) -> tuple[str, bytes]:
    """The Content-Type and the body; the file is the field `file`, and the last one."""
    boundary = uuid4().hex  # in sixteen random bytes, sound has no luck
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    parts.append(
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    body = b"".join(("".join(parts).encode(), file, f"\r\n--{boundary}--\r\n".encode()))
    return f"multipart/form-data; boundary={boundary}", body
