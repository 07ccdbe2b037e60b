"""Pictures: what is none is refused before anybody looks into it."""

import pytest

from chalicelib.domain.picture import BYTES_MAX, SCANS_MAX, PictureRefused, picture_in

START, END = b"\xff\xd8", b"\xff\xd9"
SCAN = b"\xff\xda\x00\x02 \xff\x00 \xff\xd0 "  # its pixels hold a stuffed 0xFF and a restart
COMMENT = b"\xff\xfe\x00\x06" + END + END  # four bytes that look like the end of a picture


def refused(content: bytes) -> str:
    with pytest.raises(PictureRefused) as refusal:
        picture_in(content)
    return str(refusal.value.details["reason"])


def test_picture_has_so_many_bytes_and_no_more() -> None:
    picture = START + SCAN + END

    assert picture_in(picture.ljust(BYTES_MAX, b"\0")) == picture
    assert refused(picture.ljust(BYTES_MAX + 1, b"\0")) == "too_large"


def test_jpeg_ends_with_its_own_end_marker() -> None:
    picture = START + COMMENT + b"\xff" + SCAN + COMMENT + SCAN + END

    assert picture_in(picture + START + SCAN + END) == picture
    for length in range(3, len(picture)):
        assert refused(picture[:length]) == "broken", length


def test_jpeg_has_so_many_scans_and_no_more() -> None:
    assert picture_in(START + SCAN * SCANS_MAX + END)
    assert refused(START + SCAN * (SCANS_MAX + 1) + END) == "broken"
