"""Pictures: a form to upload one, then its acceptance; staff's for the shop, buyers' their own."""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib import clock
from chalicelib.api import auth, limits
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import RequestModel, ResponseModel, Seconds
from chalicelib.domain.picture import BYTES_MAX, SHOP, PictureRefused, thumbnail_name
from chalicelib.domain.rights import Area, act
from chalicelib.errors import NotFound
from chalicelib.services.media import pictures
from chalicelib.services.people import buyers
from chalicelib.tables.catalogue import PictureItem

api = Api(__name__)


class NewPicture(RequestModel, frozen=True):
    content_type: Literal["image/jpeg", "image/png", "image/webp"]
    size: Annotated[int, Meta(ge=1, description=f"Bytes of the file; {BYTES_MAX} at most.")]


class PictureUpload(ResponseModel, frozen=True):
    picture_id: str
    url: Annotated[str, Meta(description="POST the fields here, then the file as `file`.")]
    fields: Annotated[dict[str, str], Meta(description="Of the multipart form, all of them.")]
    expires_at_s: Seconds


class Picture(ResponseModel, frozen=True):
    picture_id: str
    url: Annotated[str, Meta(description="What products and requests may name.")]
    thumbnail_url: Annotated[str, Meta(description="At most 400 pixels wide and high.")]
    width: Annotated[int, Meta(description="Pixels, 1600 at most, as height.")]
    height: int


@api.operation(
    "POST",
    "/merchant/pictures",
    right=(act(Area.GOODS), act(Area.SETTINGS)),
    status=201,
    refusals=[PictureRefused],
    limited=[limits.STAFF_PICTURES],
)
def upload_picture(who: auth.Staff, body: NewPicture) -> PictureUpload:
    """A form to upload a picture of the shop's with; good for ten minutes."""
    return _invited(who.merchant_id, SHOP, body)


@api.operation(
    "POST",
    "/merchant/pictures/{picture_id}/acceptance",
    right=(act(Area.GOODS), act(Area.SETTINGS)),
    refusals=[NotFound, PictureRefused],
    limited=[limits.STAFF_PICTURES],
)
def accept_picture(picture_id: str, who: auth.Staff) -> Picture:
    """Make an uploaded picture usable: checked, drawn anew, at its own address."""
    item = pictures.accept(who.merchant_id, SHOP, picture_id, now_s=clock.now_s())
    return _accepted(picture_id, item)


@api.operation(
    "POST",
    "/me/pictures",
    audience=Audience.BUYER,
    status=201,
    refusals=[PictureRefused],
    limited=[limits.BUYER_PICTURES],
)
def upload_own_picture(who: auth.Buyer, body: NewPicture) -> PictureUpload:
    """A form to upload a picture for after-sale with; good for ten minutes."""
    buyers.read_open(who.merchant_id, who.buyer_id)
    return _invited(who.merchant_id, who.buyer_id, body)


@api.operation(
    "POST",
    "/me/pictures/{picture_id}/acceptance",
    audience=Audience.BUYER,
    refusals=[NotFound, PictureRefused],
    limited=[limits.BUYER_PICTURES],
)
def accept_own_picture(picture_id: str, who: auth.Buyer) -> Picture:
    """Make one's uploaded picture usable: checked, drawn anew, at its own address."""
    buyers.read_open(who.merchant_id, who.buyer_id)
    item = pictures.accept(who.merchant_id, who.buyer_id, picture_id, now_s=clock.now_s())
    return _accepted(picture_id, item)


def _invited(merchant_id: str, owner: str, body: NewPicture) -> PictureUpload:
    upload = pictures.invite(merchant_id, owner, body.content_type, body.size, now_s=clock.now_s())
    return PictureUpload(
        picture_id=upload.picture_id,
        url=upload.form.url,
        fields=dict(upload.form.fields),
        expires_at_s=upload.expires_at_s,
    )


def _accepted(picture_id: str, item: PictureItem) -> Picture:
    return Picture(
        picture_id=picture_id,
        url=pictures.address(item.name, item.merchant_id),
        thumbnail_url=pictures.address(thumbnail_name(item.name), item.merchant_id),
        width=item.width,
        height=item.height,
    )
