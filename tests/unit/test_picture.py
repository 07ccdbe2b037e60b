"""Pictures: what is none is refused before anybody looks into it."""

import pytest

from chalicelib.domain.picture import BYTES_MAX, PictureRefused, check_content

JPEG = b"\xff\xd8\xff"


def test_picture_has_so_many_bytes_and_no_more() -> None:
    largest = JPEG.ljust(BYTES_MAX, b"\0")

    check_content(largest)
    with pytest.raises(PictureRefused) as refusal:
        check_content(largest + b"\0")

    assert refusal.value.details == {"reason": "too_large"}
