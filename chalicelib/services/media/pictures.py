"""Pictures: uploaded by a signed form, accepted once they are drawn anew, then used by address.

An accepted picture's name proves itself: the hash of its contents, and a mark that only we can
make for this merchant and this owner. So no list of pictures has to be kept, or read, to tell
an accepted one from an address that somebody made up.
"""

import hashlib
import hmac
from dataclasses import dataclass

from chalicelib.domain import picture
from chalicelib.domain.ids import BASE62, ID_LENGTH, base62, derived_id, new_id
from chalicelib.domain.picture import SHOP, PictureRefused
from chalicelib.errors import NotFound
from chalicelib.gateways import secrets
from chalicelib.gateways.media import Bucket, Form, Media, TooLarge
from chalicelib.services.media.reencoding import Drawn, redraw
from chalicelib.settings import settings
from chalicelib.tables.base import get_or_none, put_new, retried
from chalicelib.tables.catalogue import PictureItem

FORM_S = 600  # how long a form can be used
REMEMBERED_S = 7 * 86400  # how long a repeated acceptance gets the first answer

_media: Media = Bucket()


@dataclass(frozen=True)
class Upload:
    """A picture that may be uploaded."""

    picture_id: str
    form: Form
    expires_at_s: int


def invite(merchant_id: str, owner: str, content_type: str, size: int, *, now_s: int) -> Upload:
    """A form to upload one picture of `size` bytes. Raises PictureRefused when that is too much.

    owner: SHOP, or the buyer whose picture it will be.
    """
    picture.check_size(size)
    picture_id = new_id()
    key = picture.upload_key(merchant_id, owner, picture_id)
    form = _media.form(key, content_type, size=size, expires_s=FORM_S)
    return Upload(picture_id, form, now_s + FORM_S)


def accept(merchant_id: str, owner: str, picture_id: str, *, now_s: int) -> PictureItem:
    """Draw an upload anew, keep that under its address, and delete the upload.

    A repeat within REMEMBERED_S gets the first answer. Raises NotFound when nothing was uploaded,
    PictureRefused (the upload is deleted too), or Busy.
    """

    key = PictureItem.at(merchant_id, owner, picture_id)
    upload = picture.upload_key(merchant_id, owner, picture_id)
    kept = get_or_none(key)
    if kept is not None:
        return kept
    drawn = _redrawn(upload)
    if drawn is None:
        return _accepted_meanwhile(key)
    item = PictureItem.at(
        merchant_id,
        owner,
        picture_id,
        name=_keep(merchant_id, owner, drawn),
        width=drawn.width,
        height=drawn.height,
        ttl_s=now_s + REMEMBERED_S,
    )
    if not retried(lambda: put_new(item)):
        return _accepted_meanwhile(key)
    _media.delete(upload)
    return item


def address(name: str, merchant_id: str) -> str:
    """Where everybody can see a picture, or its thumbnail."""
    return f"{settings.media_url}/{picture.kept_key(merchant_id, name)}"


def is_accepted(merchant_id: str, url: str, owner: str = SHOP) -> bool:
    """Whether `url` is the address of a picture that this owner had accepted."""
    name = url.removeprefix(address("", merchant_id).removesuffix(".jpg")).removesuffix(".jpg")
    if len(name) != 2 * ID_LENGTH or not set(name) <= set(BASE62):
        return False
    right = name_of(merchant_id, owner, name[:ID_LENGTH])
    return hmac.compare_digest(name, right) and url == address(name, merchant_id)


def name_of(merchant_id: str, owner: str, digest: str) -> str:
    """The name of an accepted picture whose contents have this digest."""
    key = secrets.secret("id-key").encode()
    return digest + derived_id(key, "picture", merchant_id, owner, digest)


def _accepted_meanwhile(key: PictureItem) -> PictureItem:
    """What another request made of the same upload. Raises NotFound when none did."""
    kept = get_or_none(key)
    if kept is None:
        raise NotFound("没有收到这张图片，请重新上传。")
    return kept


def _redrawn(upload: str) -> Drawn | None:
    """The upload, drawn anew; None when there is none. What is refused is deleted."""
    try:
        content = _media.read(upload, picture.BYTES_MAX)
        return None if content is None else redraw(content)
    except TooLarge as error:
        _media.delete(upload)
        raise PictureRefused("too_large") from error
    except PictureRefused:
        _media.delete(upload)
        raise


def _keep(merchant_id: str, owner: str, drawn: Drawn) -> str:
    """Write a picture and its thumbnail, the same bytes always under the same name; that name."""
    digest = int.from_bytes(hashlib.sha256(drawn.content).digest()[:16], "big")
    name = name_of(merchant_id, owner, base62(digest, ID_LENGTH))
    thumbnail = picture.thumbnail_name(name)
    _media.write(picture.kept_key(merchant_id, thumbnail), drawn.thumbnail, picture.CONTENT_TYPE)
    _media.write(picture.kept_key(merchant_id, name), drawn.content, picture.CONTENT_TYPE)
    return name
