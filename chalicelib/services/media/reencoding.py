"""Uploaded pictures, drawn anew: nothing of the file goes on but what is to be seen."""

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.domain import picture
from chalicelib.domain.picture import PictureRefused

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITY = 85
FORMATS = ("JPEG", "PNG", "WEBP")  # Pillow knows forty more, and is asked for none of them
ANIMATED = ("PNG", "WEBP")  # a JPEG with several pictures is a camera's: the first counts
_PAPER = (255, 255, 255)  # what shows through where a picture is transparent


@dataclass(frozen=True)
class Drawn:
    """A picture as it is kept: a JPEG in sRGB without metadata, and its thumbnail."""

    content: bytes
    thumbnail: bytes
    width: int
    height: int


def redraw(content: bytes) -> Drawn:
    """Decode an upload and encode it anew, upright, at most SIDE_MAX pixels wide and high.

    Raises PictureRefused: too large, of another type, something else besides a picture, with
    too many pixels (before any of them is decoded), or broken. What follows the picture in the
    file is dropped unread.
    """
    content = picture.picture_in(content)
    # Imported where it is needed, which no other path is; each format by name, or Pillow would
    # look for WebP in all of its forty modules.
    from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            picture.check_pixels(*image.size)
            if image.format in ANIMATED and getattr(image, "is_animated", False):
                raise PictureRefused("type")
            drawn = _drawn(image)
    except Image.DecompressionBombError as error:
        raise PictureRefused("too_many_pixels") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise PictureRefused("broken") from error
    return Drawn(
        _encoded(drawn, picture.SIDE_MAX),
        _encoded(drawn, picture.THUMBNAIL_SIDE),
        drawn.width,
        drawn.height,
    )


def _drawn(image: "Image") -> "Image":
    """What is to be seen of an opened picture, on fresh paper."""
    from PIL import Image, ImageOps

    side = (picture.SIDE_MAX, picture.SIDE_MAX)
    profile = image.info.get("icc_profile")
    image.draft(None, side)  # a large JPEG is decoded at a fraction of its size
    upright = ImageOps.exif_transpose(_in_plain_mode(image))
    upright.thumbnail(side, Image.Resampling.LANCZOS, reducing_gap=3.0)
    coloured = _in_srgb(upright, profile)
    paper = Image.new("RGB", coloured.size, _PAPER)
    paper.paste(coloured, mask=upright if upright.mode == "RGBA" else None)
    return paper


def _in_plain_mode(image: "Image") -> "Image":
    """The picture in a mode that can be resized: no palette, eight bits a channel."""
    image.load()
    if image.mode.startswith("I"):  # grey in sixteen bits
        return image.point(lambda level: level / 256).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _in_srgb(image: "Image", profile: bytes | None) -> "Image":
    """The colours as every screen understands them; as they are where the profile is no use."""
    opaque = image.convert("RGB") if image.mode == "RGBA" else image
    if profile:
        from PIL import ImageCms

        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(opaque, source, target, outputMode="RGB")
            return converted or opaque.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return opaque.convert("RGB")


def _encoded(image: "Image", side: int) -> bytes:
    smaller = image.copy()
    smaller.thumbnail((side, side))
    file = io.BytesIO()
    smaller.save(file, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return file.getvalue()
