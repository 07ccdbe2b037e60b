"""Pictures for tests, honest and not, and the browser that uploads them."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

from chalicelib.domain.ids import ID_LENGTH, base62
from chalicelib.services.media import pictures
from infra.local.api_client import post_form
from tests.callers import Caller, Reply


def encoded(image: Image.Image, form: str = "JPEG", **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **more)
    return file.getvalue()


def photograph(width: int = 64, height: int = 48, form: str = "JPEG", **more: Any) -> bytes:
    """Something to be seen: red at the left, green at the right."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    image.paste((30, 160, 30), (width // 2, 0, width, height))
    return encoded(image, form, **more)


def huge_png(side: int) -> bytes:
    """A few kilobytes that say they are side x side pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100_000), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def accepted(merchant_id: str, owner: str = pictures.SHOP, serial: int = 0) -> str:
    """The address of a picture that was accepted long ago."""
    digest = base62(serial, ID_LENGTH)
    return pictures.address(pictures.name_of(merchant_id, owner, digest), merchant_id)


def uploaded(caller: Caller, content: bytes, base: str = "/v1/merchant/pictures") -> str:
    """The id of a picture that was uploaded and waits to be accepted."""
    asked = {"content_type": "image/jpeg", "size": len(content)}
    form = caller.post(base, asked).body
    assert post_form(form["url"], form["fields"], content) == 204
    return str(form["picture_id"])


def accept(caller: Caller, content: bytes, base: str = "/v1/merchant/pictures") -> Reply:
    """Upload a picture and ask for its acceptance."""
    return caller.post(f"{base}/{uploaded(caller, content, base)}/acceptance")
