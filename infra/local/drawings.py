"""Pictures of what the demonstration shop sells, drawn here and kept in the cache: simple, and
plainly drawings, so that nobody takes them for photographs of goods."""

import hashlib
import io
import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from infra.local.engine import CACHE

SIDE = 800  # pixels
_SCALE = 2  # drawn larger, then made smaller: smooth edges
_SOFT_SIDE = 200  # of lights and shadows
_Colour = tuple[int, int, int]
_WHITE, _SHADE = (255, 255, 255), (70, 50, 40)
_LEAF, _STEM = (94, 145, 73), (110, 80, 55)


class _Pen:
    """Draws one thing of `size` around (x, y); its own lengths go from -1 to 1."""

    def __init__(self, sheet: Image.Image, x: float, y: float, size: float) -> None:
        self._draw = ImageDraw.Draw(sheet)
        self._x, self._y, self._size = x, y, size

    def oval(self, x: float, y: float, width: float, height: float, colour: _Colour) -> None:
        self._draw.ellipse(self._box(x, y, width, height), fill=colour)

    def half(self, x: float, y: float, width: float, height: float, colour: _Colour) -> None:
        """The upper half of an oval."""
        self._draw.pieslice(self._box(x, y, width, height), 180, 360, fill=colour)

    def box(self, x: float, y: float, width: float, height: float, colour: _Colour) -> None:
        rounding = int(0.12 * self._size)
        self._draw.rounded_rectangle(self._box(x, y, width, height), rounding, fill=colour)

    def shape(self, points: list[tuple[float, float]], colour: _Colour) -> None:
        self._draw.polygon([self._at(*point) for point in points], fill=colour)

    def stroke(self, points: list[tuple[float, float]], width: float, colour: _Colour) -> None:
        line = [self._at(*point) for point in points]
        self._draw.line(line, fill=colour, width=int(width * self._size), joint="curve")

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return self._x + x * self._size, self._y + y * self._size

    def _box(
        self, x: float, y: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        return (*self._at(x - width, y - height), *self._at(x + width, y + height))


def product_pictures(name: str) -> list[bytes]:
    """JPEGs of a product by its name in demo_data: the one thing, and several of it."""
    background, thing = _THINGS[name]
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = CACHE / f"drawings-{version}"
    return [
        _kept(folder / f"{name}-one.jpg", lambda: _sheet(background, thing, [(0.5, 0.5, 0.32)])),
        _kept(folder / f"{name}-several.jpg", lambda: _sheet(background, thing, _SEVERAL)),
    ]


_SEVERAL = [(0.32, 0.36, 0.17), (0.68, 0.36, 0.17), (0.5, 0.62, 0.21)]


def _kept(file: Path, draw: Callable[[], bytes]) -> bytes:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(draw())
    return file.read_bytes()


def _sheet(
    background: _Colour, thing: Callable[[_Pen], None], places: list[tuple[float, float, float]]
) -> bytes:
    """Things at (x, y, size), in parts of the side, with their shadows on a sheet of colour."""
    side = SIDE * _SCALE
    sheet = Image.new("RGB", (side, side), background)
    sheet.paste(_WHITE, mask=_blurred([(0.1, 0.05, 0.9, 0.9)], 0.12, strength=110))
    shadows = [
        (x - size * 0.8, y + size * 0.78, x + size * 0.8, y + size * 1.08) for x, y, size in places
    ]
    sheet.paste(_SHADE, mask=_blurred(shadows, 0.015, strength=70))
    for x, y, size in places:
        thing(_Pen(sheet, x * side, y * side, size * side))
    file = io.BytesIO()
    sheet.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(file, "JPEG", quality=90)
    return file.getvalue()


def _blurred(
    ovals: list[tuple[float, float, float, float]], blur: float, *, strength: int
) -> Image.Image:
    """A mask with soft ovals; lengths in parts of the side. Drawn small: nothing in it is sharp."""
    mask = Image.new("L", (_SOFT_SIDE, _SOFT_SIDE), 0)
    for oval in ovals:
        ImageDraw.Draw(mask).ellipse([part * _SOFT_SIDE for part in oval], fill=strength)
    soft = mask.filter(ImageFilter.GaussianBlur(_SOFT_SIDE * blur))
    return soft.resize((SIDE * _SCALE, SIDE * _SCALE))


def _leaf(pen: _Pen, x: float, y: float, towards: int = 1) -> None:
    bend = [(0.0, 0.0), (0.18, -0.2), (0.5, -0.24), (0.36, 0.02)]
    pen.shape([(x + towards * dx, y + dy) for dx, dy in bend], _LEAF)


def _round_fruit(pen: _Pen, colour: _Colour, light: _Colour) -> None:
    pen.oval(0, 0.1, 0.88, 0.86, colour)
    pen.oval(-0.3, -0.22, 0.26, 0.18, light)
    pen.stroke([(0, -0.66), (0.06, -0.92)], 0.07, _STEM)
    _leaf(pen, 0.05, -0.78)


def _strawberry(pen: _Pen) -> None:
    right = [(math.sin(t / 20 * math.pi), t / 20) for t in range(21)]
    edge = [(0.86 * x**0.72, -0.6 + 1.6 * y**1.15) for x, y in right]
    pen.shape([*edge, *[(-x, y) for x, y in reversed(edge)]], (214, 52, 56))
    pen.oval(0, -0.22, 0.7, 0.42, (214, 52, 56))
    for row, count in ((-0.2, 4), (0.08, 3), (0.36, 2), (0.62, 1)):
        for n in range(count):
            pen.oval((n - (count - 1) / 2) * 0.32, row, 0.03, 0.05, (250, 214, 140))
    for angle in range(-2, 3):
        pen.shape([(-0.1, -0.58), (0.1, -0.58), (angle * 0.27, -0.4 - 0.06 * angle**2)], _LEAF)
    pen.stroke([(0, -0.56), (0.05, -0.86)], 0.06, _LEAF)


def _orange(pen: _Pen) -> None:
    _round_fruit(pen, (240, 146, 40), (250, 178, 90))


def _persimmon(pen: _Pen) -> None:
    _round_fruit(pen, (226, 92, 36), (244, 146, 92))


def _pear(pen: _Pen) -> None:
    _round_fruit(pen, (206, 190, 88), (234, 224, 154))


def _plum(pen: _Pen) -> None:
    _round_fruit(pen, (128, 42, 74), (176, 94, 124))


def _apple(pen: _Pen) -> None:
    pen.oval(-0.3, 0.08, 0.58, 0.84, (196, 50, 48))
    pen.oval(0.3, 0.08, 0.58, 0.84, (196, 50, 48))
    pen.oval(-0.42, -0.2, 0.16, 0.24, (226, 108, 96))
    pen.stroke([(0, -0.62), (0.08, -0.94)], 0.07, _STEM)
    _leaf(pen, 0.07, -0.78)


def _pomegranate(pen: _Pen) -> None:
    for x in (-0.2, 0, 0.2):
        pen.shape([(x - 0.12, -0.6), (x * 1.4, -1.0), (x + 0.12, -0.6)], (168, 42, 58))
    pen.oval(0, 0.14, 0.86, 0.82, (184, 48, 64))
    pen.oval(0.16, 0.2, 0.46, 0.5, (244, 220, 190))
    for n in range(10):
        turn, reach = n * 0.7, 0.32 if n % 2 else 0.16
        x, y = 0.16 + reach * math.cos(turn), 0.2 + reach * math.sin(turn)
        pen.oval(x, y, 0.09, 0.1, (206, 40, 66))


def _kiwi(pen: _Pen) -> None:
    pen.oval(0, 0.1, 0.94, 0.84, (132, 98, 58))
    pen.oval(0, 0.1, 0.86, 0.76, (214, 190, 66))
    for n in range(18):
        turn = n * math.pi / 9
        ray = [(r * math.cos(turn), 0.1 + r * 0.88 * math.sin(turn)) for r in (0.28, 0.74)]
        pen.stroke(ray, 0.03, (234, 216, 120))
        pen.oval(0.42 * math.cos(turn), 0.1 + 0.37 * math.sin(turn), 0.035, 0.05, (62, 46, 34))
    pen.oval(0, 0.1, 0.26, 0.22, (246, 238, 190))


def _mushroom(pen: _Pen, cap: _Colour, spots: _Colour) -> None:
    pen.box(0, 0.5, 0.24, 0.5, (238, 224, 200))
    pen.half(0, 0.22, 0.9, 0.92, cap)
    pen.oval(0, 0.22, 0.9, 0.13, (226, 204, 170))
    for x, y in ((-0.45, -0.1), (0, -0.4), (0.44, -0.12), (-0.1, 0.0)):
        pen.oval(x, y, 0.13, 0.07, spots)


def _matsutake(pen: _Pen) -> None:
    _mushroom(pen, (168, 122, 80), (140, 98, 62))


def _flower_mushroom(pen: _Pen) -> None:
    _mushroom(pen, (112, 76, 54), (220, 196, 160))


def _honey(pen: _Pen) -> None:
    pen.box(0, 0.2, 0.66, 0.8, (250, 236, 204))
    pen.box(0, 0.3, 0.6, 0.64, (230, 160, 40))
    pen.box(0, -0.72, 0.56, 0.16, (150, 104, 66))
    pen.box(0, 0.32, 0.4, 0.26, (255, 248, 230))
    for x, y in ((-0.14, 0.26), (0.14, 0.26), (0, 0.42)):
        hexagon = [
            (x + 0.14 * math.sin(n * math.pi / 3), y + 0.14 * math.cos(n * math.pi / 3))
            for n in range(6)
        ]
        pen.shape(hexagon, (236, 178, 66))


def _tea(pen: _Pen) -> None:
    pen.oval(0, 0.82, 0.98, 0.16, (232, 232, 236))
    pen.oval(0.74, 0.22, 0.28, 0.3, (246, 246, 248))
    pen.oval(0.74, 0.22, 0.17, 0.19, (214, 200, 190))
    pen.shape([(-0.76, -0.1), (0.76, -0.1), (0.44, 0.82), (-0.44, 0.82)], (246, 246, 248))
    pen.oval(0, -0.1, 0.76, 0.2, (236, 236, 240))
    pen.oval(0, -0.09, 0.66, 0.15, (158, 74, 42))
    for x, colour in ((-0.24, (178, 40, 36)), (0.2, (206, 84, 40)), (0.0, (120, 70, 40))):
        pen.oval(x, -0.09, 0.13, 0.05, colour)
    for x in (-0.25, 0.15):
        wave = [(x + 0.06 * math.sin(t), -0.36 - t * 0.09) for t in range(7)]
        pen.stroke(wave, 0.04, (224, 214, 208))


_THINGS: dict[str, tuple[_Colour, Callable[[_Pen], None]]] = {
    "strawberry": ((250, 222, 220), _strawberry),
    "orange": ((252, 232, 202), _orange),
    "apple": ((234, 238, 216), _apple),
    "pomegranate": ((246, 222, 214), _pomegranate),
    "kiwi": ((240, 238, 210), _kiwi),
    "persimmon": ((250, 226, 204), _persimmon),
    "pear": ((240, 240, 216), _pear),
    "plum": ((238, 218, 226), _plum),
    "matsutake": ((236, 226, 208), _matsutake),
    "mushroom": ((226, 230, 218), _flower_mushroom),
    "honey": ((252, 236, 200), _honey),
    "tea": ((240, 220, 206), _tea),
}
