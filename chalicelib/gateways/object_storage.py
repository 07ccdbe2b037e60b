"""Files that staff take away: kept in the bucket under exports/, private, for some days.

Nobody reads them but by a link that we signed, which soon expires.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from chalicelib.errors import Busy
from chalicelib.gateways import media
from chalicelib.settings import settings

PREFIX = "exports/"
PART_MIN = 5 * 1024 * 1024  # bytes; S3 takes no smaller part, but the last
_TYPE = "text/csv; charset=utf-8"


def put(key: str, content: bytes) -> None:
    """Put a file, whatever was there. Raises Busy."""
    _call("put_object", Key=key, Body=content, ContentType=_TYPE, CacheControl="private, no-store")


def get(key: str) -> bytes:
    """A file's bytes. Raises Busy."""
    with _call("get_object", Key=key)["Body"] as body:
        content: bytes = body.read()
    return content


def put_in_parts(key: str, pieces: Iterable[bytes]) -> int:
    """Put one file together out of pieces, holding some of them at a time; its size in bytes.

    Until it is whole there is nothing at `key`, or what was there before. Raises Busy.
    """
    kept, size, upload_id = b"", 0, ""
    tags: list[dict[str, Any]] = []
    for piece in pieces:
        kept, size = kept + piece, size + len(piece)
        if len(kept) < PART_MIN:
            continue
        if not upload_id:
            begun = _call(
                "create_multipart_upload",
                Key=key,
                ContentType=_TYPE,
                CacheControl="private, no-store",
            )
            upload_id = begun["UploadId"]
        tags.append(_part(key, upload_id, len(tags) + 1, kept))
        kept = b""
    if not upload_id:
        put(key, kept)
        return size
    if kept:
        tags.append(_part(key, upload_id, len(tags) + 1, kept))
    _call("complete_multipart_upload", Key=key, UploadId=upload_id, MultipartUpload={"Parts": tags})
    return size


def signed_url(key: str, name: str, *, expires_s: int) -> str:
    """An address from which anybody can save the file as `name` for so many seconds."""
    shown = f"attachment; filename*=UTF-8''{quote(name)}"
    url: str = media.client().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": settings.media_bucket,
            "Key": key,
            "ResponseContentDisposition": shown,
        },
        ExpiresIn=expires_s,
    )
    return url


def _part(key: str, upload_id: str, number: int, content: bytes) -> dict[str, Any]:
    answer = _call("upload_part", Key=key, UploadId=upload_id, PartNumber=number, Body=content)
    return {"PartNumber": number, "ETag": answer["ETag"]}


def _call(what: str, **more: Any) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return getattr(media.client(), what)(Bucket=settings.media_bucket, **more)
    except ClientError as error:
        media.refuse(error)
    except BotoCoreError as error:
        raise Busy from error
