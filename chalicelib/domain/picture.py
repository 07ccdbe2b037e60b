"""What a picture may be that somebody uploads, and where an accepted one is kept."""

import re
from urllib.parse import urlsplit

from chalicelib.errors import InvalidRequest
from chalicelib.text import Text

BYTES_MAX = 5 * 1024 * 1024
PIXELS_MAX = 40_000_000  # as decoded; a few kilobytes can claim to be billions
SCANS_MAX = 60  # of a JPEG; a progressive one has ten, and each costs a pass over all pixels
SIDE_MAX = 1600  # pixels of the longer side, as kept
THUMBNAIL_SIDE = 400
CONTENT_TYPE = "image/jpeg"  # of what is kept, whatever was uploaded
FACES_HOST = ".qlogo.cn"  # where WeChat keeps its users' pictures
SHOP = "shop"  # whose a picture is that staff uploaded; a buyer's is the buyer's own

_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
# Within a scan, a marker is what 0xFF begins when no stuffing, restart or fill byte follows.
_JPEG_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PNG = b"\x89PNG\r\n\x1a\n"
# What makes a picture something else as well, to whom it is given under another name. Each is
# long enough, or sought in so few bytes, that pixels hold it by chance in one of 10,000 at most.
_MARKUP = re.compile(rb"<(?:script|html|iframe|!doctype|\?php|svg[\s>])", re.IGNORECASE)
_PDF, _PDF_WITHIN = b"%PDF-", 1024
_ZIP_END, _ZIP_END_WITHIN = b"PK\x05\x06", 65_557

_WORDS = {
    "too_large": Text("图片不能超过 {max_mb} MB，请压缩后再传。", max_mb=BYTES_MAX // 1024**2),
    "type": "只能上传 JPEG、PNG 或 WebP 格式的静态图片，请换一张。",
    "too_many_pixels": Text(
        "图片的像素太多（最多 {max} 万），请缩小后再传。", max=PIXELS_MAX // 10000
    ),
    "stowaway": "图片里夹带了别的内容。请换一张，或截图后再传。",
    "broken": "图片打不开，可能没有传完整。请换一张，或重新上传。",
}


def is_face(url: str, *, media_url: str) -> bool:
    """Whether everybody may be shown this picture of a buyer: it is one of ours, or WeChat's. Any
    other host would hear of each phone that looks at the buyer's groups."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = port is None and "@" not in parts.netloc
    of_wechat = parts.scheme == "https" and plain and host.endswith(FACES_HOST)
    return of_wechat or url.startswith(f"{media_url}/")


class PictureRefused(InvalidRequest):
    """`details.reason`: a key of _WORDS."""

    code = "picture_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(_WORDS[reason], reason=reason)


def check_size(size: int) -> None:
    """size: bytes. Raises PictureRefused."""
    if size > BYTES_MAX:
        raise PictureRefused("too_large")


def picture_in(content: bytes) -> bytes:
    """Return the JPEG, PNG or WebP that the file begins with, without what follows its end.

    Phones append films, depth maps and second pictures, editors their notes. What the file is
    called does not matter: a .jpg that is a WebP is common, and harmless.
    Raises PictureRefused: too large, of another type by its own first bytes, cut off, or
    something else besides a picture.
    """
    check_size(len(content))
    if content.startswith(b"\xff\xd8\xff"):
        end = _end_of_jpeg(content)
    elif content.startswith(_PNG):
        end = _end_of_png(content)
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        size = int.from_bytes(content[4:8], "little")
        end = 8 + size + size % 2
    else:
        raise PictureRefused("type")
    if end > len(content):
        raise PictureRefused("broken")
    picture = content[:end]
    if _is_something_else(picture):
        raise PictureRefused("stowaway")
    return picture


def check_pixels(width: int, height: int) -> None:
    if width * height > PIXELS_MAX:
        raise PictureRefused("too_many_pixels")


def upload_key(merchant_id: str, owner: str, picture_id: str) -> str:
    """Where an upload waits for a day to be accepted."""
    return f"uploads/{merchant_id}/{owner}/{picture_id}"


def kept_key(merchant_id: str, name: str) -> str:
    return f"media/{merchant_id}/{name}.jpg"


def code_key(merchant_id: str, name: str) -> str:
    """Where a mini-program code is kept, until the bucket deletes it."""
    return f"media/codes/{merchant_id}/{name}.jpg"


def thumbnail_name(name: str) -> str:
    return f"{name}-{THUMBNAIL_SIDE}"


def _end_of_jpeg(content: bytes) -> int:
    """The offset after its end marker; beyond the content when there is none, or there are more
    scans than any camera makes.

    By the markers and their lengths (ITU-T T.81, B.1.1), so that bytes which look like markers
    within a thumbnail or a comment count for nothing.
    """
    at, scans = 2, 0
    while at + 2 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == _JPEG_END:
            return at + 2
        if marker == 0xFF:  # fill
            at += 1
        elif marker in _JPEG_ALONE:
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4], "big"))
        if marker == _JPEG_SCAN:
            scans += 1
            found = _JPEG_AFTER_SCAN.search(content, at)
            if found is None or scans > SCANS_MAX:
                break
            at = found.start()
    return len(content) + 1


def _end_of_png(content: bytes) -> int:
    """The offset after its last chunk; beyond the content when that is cut off."""
    at = len(_PNG)
    while at < len(content):
        kind = content[at + 4 : at + 8]
        at += 12 + int.from_bytes(content[at : at + 4], "big")
        if kind == b"IEND":
            return at
    return len(content) + 1


def _is_something_else(content: bytes) -> bool:
    return (
        _MARKUP.search(content) is not None
        or _PDF in content[:_PDF_WITHIN]
        or _ZIP_END in content[-_ZIP_END_WITHIN:]
    )
