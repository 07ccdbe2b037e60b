"""Pictures, from a browser's form to the address that everybody sees."""

import base64
import hashlib
import io
import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from PIL import Image, ImageCms

from chalicelib.api import limits
from chalicelib.domain import picture
from chalicelib.domain.ids import new_id
from chalicelib.gateways import media
from chalicelib.services.media import pictures
from chalicelib.settings import settings
from infra.local import engine
from infra.local.api_client import post_form
from tests.conftest import ENDPOINT
from tests.fixtures.images import accept, accepted, encoded, huge_png, photograph, uploaded
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import MerchantFixture, concurrently

pytestmark = pytest.mark.slow

STAFF, OWN = "/v1/merchant/pictures", "/v1/me/pictures"
JPEG, PNG, WEBP = photograph(), photograph(form="PNG"), photograph(form="WEBP")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!doctype html><script>alert(document.domain)</script>"
ZIP_END = b"PK\x05\x06" + bytes(18)


def pixel(image: Image.Image, at: tuple[int, int]) -> tuple[int, int, int]:
    """The red, green and blue of a pixel."""
    red, green, blue = image.convert("RGB").crop((*at, at[0] + 1, at[1] + 1)).tobytes()
    return red, green, blue


@pytest.fixture(autouse=True)
def nobody_limited() -> None:
    limits.reset()


@cache
def s3() -> Any:
    return engine.client("s3", ENDPOINT)


def objects(prefix: str) -> list[str]:
    found = s3().list_objects_v2(Bucket=settings.media_bucket, Prefix=prefix)
    return [item["Key"] for item in found.get("Contents", [])]


def left_of(merchant: MerchantFixture) -> list[str]:
    """Everything in the bucket that is the merchant's."""
    return objects(f"uploads/{merchant.merchant_id}") + objects(f"media/{merchant.merchant_id}")


def fetched(url: str) -> tuple[Image.Image, Any]:
    """What a browser sees at an address, and the headers it comes with."""
    with urllib.request.urlopen(url) as answer:
        return Image.open(io.BytesIO(answer.read())), answer.headers


@pytest.mark.parametrize("content", [JPEG, PNG, WEBP], ids=["jpeg", "png", "webp"])
def test_picture_is_uploaded_accepted_and_seen_by_everybody(
    merchant: MerchantFixture, content: bytes
) -> None:
    reply = accept(merchant.owner(), content)

    assert (reply.status, reply.body["width"], reply.body["height"]) == (200, 64, 48)
    image, headers = fetched(reply.body["url"])
    assert (image.format, image.size, image.mode) == ("JPEG", (64, 48), "RGB")
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    red, green, blue = pixel(image, (10, 20))
    assert red > 150 > 80 > max(green, blue)
    assert objects(f"uploads/{merchant.merchant_id}") == []
    assert pictures.is_accepted(merchant.merchant_id, reply.body["url"])


def test_large_picture_is_made_smaller_and_has_a_thumbnail(merchant: MerchantFixture) -> None:
    reply = accept(merchant.owner(), photograph(4000, 1000))

    assert (reply.body["width"], reply.body["height"]) == (1600, 400)
    assert fetched(reply.body["url"])[0].size == (1600, 400)
    assert fetched(reply.body["thumbnail_url"])[0].size == (400, 100)


def test_repeated_acceptance_answers_the_same_and_keeps_one_picture(
    merchant: MerchantFixture,
) -> None:
    owner = merchant.owner()
    path = f"{STAFF}/{uploaded(owner, JPEG)}/acceptance"

    first, again = owner.post(path), owner.post(path)

    assert first.body == again.body
    assert len(left_of(merchant)) == 2  # the picture and its thumbnail
    assert accept(owner, JPEG).body["url"] == first.body["url"]
    assert len(left_of(merchant)) == 2


def test_acceptances_at_once_answer_the_same(merchant: MerchantFixture) -> None:
    owner = merchant.owner()
    path = f"{STAFF}/{uploaded(owner, JPEG)}/acceptance"

    replies = concurrently([lambda: owner.post(path)] * 4)

    assert {reply.status for reply in replies} == {200}
    assert len({reply.body["url"] for reply in replies}) == 1
    assert objects(f"uploads/{merchant.merchant_id}") == []


def test_picture_uploaded_again_while_it_is_accepted_is_the_one_that_was_first_accepted(
    merchant: MerchantFixture,
) -> None:
    owner = merchant.owner()
    picture_id = uploaded(owner, JPEG)
    first: list[str] = []

    def accept_another() -> None:
        key = f"uploads/{merchant.merchant_id}/shop/{picture_id}"
        [key] = objects(key)
        s3().put_object(Bucket=settings.media_bucket, Key=key, Body=photograph(32, 32))
        first.append(owner.post(f"{STAFF}/{picture_id}/acceptance").body["url"])

    with interleaved(accept_another):
        reply = owner.post(f"{STAFF}/{picture_id}/acceptance")

    assert reply.body["url"] == first[0]


def test_nothing_of_the_file_goes_on_but_what_is_to_be_seen(merchant: MerchantFixture) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Camera", 6  # maker; to be turned a quarter to the right
    exif.get_ifd(0x8825)[1] = "N"  # where it was taken
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = photograph(exif=exif, icc_profile=profile, comment=b"taken at home")

    image, _ = fetched(accept(merchant.owner(), content).body["url"])

    assert image.size == (48, 64)
    red, green, _ = pixel(image, (24, 10))  # what was at the left is at the top
    assert red > green
    assert dict(image.getexif()) == {}
    assert set(image.info) <= {
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "progressive",
        "progression",
    }


def test_transparent_picture_stands_on_white(merchant: MerchantFixture) -> None:
    content = encoded(Image.new("RGBA", (20, 20), (255, 0, 0, 0)), "PNG")

    image, _ = fetched(accept(merchant.owner(), content).body["url"])

    assert min(pixel(image, (10, 10))) > 250


FILM = b"\x00\x00\x00\x18ftypmp42" + b"\xff\xda\x00\x10" * 200  # bytes like a JPEG's scans


@pytest.mark.parametrize("content", [JPEG, PNG, WEBP], ids=["jpeg", "png", "webp"])
@pytest.mark.parametrize(
    "rest",
    [FILM, JPEG, HTML, b"MZ", bytes(1000), b"PK\x03\x04" + bytes(40) + ZIP_END],
    ids=["film", "second picture", "html", "program", "zeros", "zip"],
)
def test_what_follows_a_picture_is_dropped(
    merchant: MerchantFixture, content: bytes, rest: bytes
) -> None:
    reply, alone = accept(merchant.owner(), content + rest), accept(merchant.owner(), content)

    assert (reply.status, reply.body["url"]) == (200, alone.body["url"])  # the same bytes are kept


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_picture_of_every_mode_is_taken(merchant: MerchantFixture, mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"

    reply = accept(merchant.owner(), encoded(Image.new(mode, (20, 20)), form))

    assert (reply.status, fetched(reply.body["url"])[0].mode) == (200, "RGB")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (SVG, "type"),
        (HTML, "type"),
        (b"\xef\xbb\xbf" + SVG, "type"),
        (photograph(form="GIF"), "type"),
        (photograph(form="BMP"), "type"),
        (photograph(form="TIFF"), "type"),
        (b"%PDF-1.7\n" + JPEG, "type"),
        (b"\xff\xd8\xff", "broken"),
        (b"\xff\xd8\xff\xe0" + bytes(4000), "broken"),
        (JPEG[: len(JPEG) // 2], "broken"),
        (PNG[:-20], "broken"),
        (WEBP[: len(WEBP) // 2], "broken"),
        (JPEG[:-2] + FILM, "broken"),
        (photograph(comment=b"%PDF-1.7"), "stowaway"),
        (photograph(comment=b"*/=alert(1)/*<sCrIpT"), "stowaway"),
        (photograph(comment=b"<svg onload=alert(1)>"), "stowaway"),
        (huge_png(30_000), "too_many_pixels"),
        (huge_png(6_400), "too_many_pixels"),
        (huge_png(1_000), "broken"),
        (
            encoded(
                Image.new("RGB", (9, 9)),
                "WEBP",
                save_all=True,
                append_images=[Image.new("RGB", (9, 9), "red")],
            ),
            "type",
        ),
    ],
)
def test_what_is_no_plain_picture_is_refused_and_nothing_is_left(
    merchant: MerchantFixture, content: bytes, reason: str
) -> None:
    reply = accept(merchant.owner(), content)

    assert (reply.status, reply.code) == (400, "picture_refused")
    assert reply.body["details"] == {"reason": reason}
    assert left_of(merchant) == []


def test_file_that_is_too_large_is_refused_before_and_after_its_upload(
    merchant: MerchantFixture,
) -> None:
    owner, too_much = merchant.owner(), picture.BYTES_MAX + 1
    asked = owner.post(STAFF, {"content_type": "image/png", "size": too_much})
    picture_id = new_id()
    key = picture.upload_key(merchant.merchant_id, "shop", picture_id)
    s3().put_object(Bucket=settings.media_bucket, Key=key, Body=JPEG + bytes(too_much))

    came = owner.post(f"{STAFF}/{picture_id}/acceptance")

    for reply in (asked, came):
        assert (reply.status, reply.code) == (400, "picture_refused")
        assert reply.body["details"] == {"reason": "too_large"}
    assert left_of(merchant) == []


@pytest.mark.parametrize("content_type", ["image/svg+xml", "image/gif", "text/html", ""])
def test_form_for_another_type_is_refused(merchant: MerchantFixture, content_type: str) -> None:
    reply = merchant.owner().post(STAFF, {"content_type": content_type, "size": 10})

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changed", "content"),
    [
        ({}, JPEG + b"x"),
        ({}, JPEG[:-1]),
        ({"Content-Type": "text/html"}, JPEG),
        ({"key": "media/shop/index.html"}, JPEG),
        ({"acl": "public-read"}, JPEG),
    ],
    ids=["longer", "shorter", "type", "key", "acl"],
)
def test_form_takes_nothing_but_what_was_signed(
    merchant: MerchantFixture, changed: dict[str, str], content: bytes
) -> None:
    form = merchant.owner().post(STAFF, {"content_type": "image/jpeg", "size": len(JPEG)}).body

    status = post_form(form["url"], form["fields"] | changed, content)

    assert status in (400, 403)
    assert left_of(merchant) == []


def test_form_is_signed_for_one_key_one_type_one_size_and_ten_minutes(
    merchant: MerchantFixture,
) -> None:
    form = merchant.owner().post(STAFF, {"content_type": "image/jpeg", "size": 10}).body

    assert form["expires_at_s"] == merchant.now_s + 600
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    until = datetime.fromisoformat(policy["expiration"]) - datetime.now(UTC)
    assert timedelta(seconds=590) < until <= timedelta(seconds=600)
    key = f"uploads/{merchant.merchant_id}/shop/{form['picture_id']}"
    for condition in (
        {"key": key},
        {"bucket": settings.media_bucket},
        {"Content-Type": "image/jpeg"},
        ["content-length-range", 10, 10],
    ):
        assert condition in policy["conditions"]


def test_upload_belongs_to_who_asked_for_it(merchant: MerchantFixture) -> None:
    mine, other = merchant.buyer(), merchant.buyer()
    picture_id = uploaded(mine, JPEG, OWN)

    snoops = [other.post(f"{OWN}/{picture_id}/acceptance")]
    snoops.append(merchant.owner().post(f"{STAFF}/{picture_id}/acceptance"))
    reply = mine.post(f"{OWN}/{picture_id}/acceptance")

    assert [(snoop.status, snoop.code) for snoop in snoops] == [(404, "not_found")] * 2
    assert reply.status == 200
    assert mine.buyer_id not in reply.body["url"]
    assert pictures.is_accepted(merchant.merchant_id, reply.body["url"], mine.buyer_id)
    assert not pictures.is_accepted(merchant.merchant_id, reply.body["url"], other.buyer_id)
    assert not pictures.is_accepted(merchant.merchant_id, reply.body["url"])


@pytest.fixture
def no_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """S3 is where nobody answers."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    media.client.cache_clear()
    yield
    media.client.cache_clear()


@pytest.mark.usefixtures("no_bucket")
def test_acceptance_without_the_bucket_is_asked_for_again(merchant: MerchantFixture) -> None:
    reply = merchant.owner().post(f"{STAFF}/{new_id()}/acceptance")

    assert (reply.status, reply.code) == (503, "busy")


def test_repeated_acceptance_needs_no_bucket(
    merchant: MerchantFixture, request: pytest.FixtureRequest
) -> None:
    owner = merchant.owner()
    path = f"{STAFF}/{uploaded(owner, JPEG)}/acceptance"
    first = owner.post(path)

    request.getfixturevalue("no_bucket")

    assert owner.post(path).body == first.body


def test_acceptance_of_what_was_not_uploaded_is_refused(merchant: MerchantFixture) -> None:
    form = merchant.owner().post(STAFF, {"content_type": "image/jpeg", "size": 10}).body

    reply = merchant.owner().post(f"{STAFF}/{form['picture_id']}/acceptance")

    assert (reply.status, reply.code) == (404, "not_found")


def test_buyer_uploads_thirty_times_a_minute_at_most(merchant: MerchantFixture) -> None:
    buyer = merchant.buyer()
    body = {"content_type": "image/jpeg", "size": 10}

    statuses = [buyer.post(OWN, body).status for _ in range(31)]

    assert statuses == [201] * 30 + [429]
    assert merchant.buyer().post(OWN, body).status == 201


def test_no_address_but_an_accepted_one_is_taken_for_one(merchant: MerchantFixture) -> None:
    url = accepted(merchant.merchant_id)
    name = url.rsplit("/", 1)[1].removesuffix(".jpg")
    forged = hashlib.sha256(b"x").hexdigest()[: len(name)]

    assert pictures.is_accepted(merchant.merchant_id, url)
    wrong = [
        "",
        "javascript:alert(1)",
        url.replace("http", "ftp"),
        url + "?x=1",
        url + "#x",
        url.replace(".jpg", ".html"),
        url.replace(".jpg", ".jpg.jpg"),
        url.removesuffix(".jpg"),
        url.replace(name, forged),
        url.replace(name, name[::-1]),
        url.replace(name, f"../{name}"),
        url.replace(merchant.merchant_id, new_id()),
        url.replace("/media/", "/uploads/"),
        f"https://evil.example.com/media/{merchant.merchant_id}/{name}.jpg",
    ]
    assert [one for one in wrong if pictures.is_accepted(merchant.merchant_id, one)] == []
    assert not pictures.is_accepted(new_id(), url)
