"""Letters as if written by hand and scanned: strokes on a grid, bent, then reduced as scans of digits are.

No scan and no digit goes in: a letter is strokes (now and then the font that comes with Pillow), bent by an
elastic distortion (Simard, Steinkraus and Platt 2003, "Best practices for convolutional neural networks")
and reduced like the scans of scikit-learn's digits (Kaynak 1995; Garris et al. 1994, NISTIR 5469): a box of
20 x 32 in a bitmap of 32 x 32, lines of even thickness, on-pixels counted in blocks of 4 x 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

Picture = NDArray[np.uint8]  # height x width, 0 black to 255 white
Canvas = NDArray[np.float64]  # CANVAS x CANVAS, 0 to 1

CANVAS = 64  # pixels a side while a letter is drawn and bent
BITMAP, BOX = 32, 20  # pixels: a scan's bitmap is 32 x 32, the letter in it 32 high and at most 20 wide
FONT_SHARE = 0.2  # of the letters that are printed, not drawn by hand

# A stroke is "-" (straight) or "~" (smooth) through points xy of a 9 x 9 grid, x to the right and y down.
# "/" separates ways to write the same letter. A small letter that looks like its capital, but for its size or
# a dot, has no class of its own.
STROKES = {
    "letter_A": "-08 40 88 -25 65 / ~08 13 40 73 88 -05 85",
    "letter_B": "-00 08 ~00 60 72 54 04 ~04 64 86 58 08 / ~08 00 50 72 34 ~34 76 58 08",
    "letter_C": "~81 40 04 48 87 / ~82 50 12 06 48 86",
    "letter_D": "-00 08 ~00 50 84 58 08 / -20 28 ~00 60 84 58 08",
    "letter_E": "-80 00 08 88 -04 64 / ~81 40 02 44 06 48 87 / -80 00 08 88 -04 84",
    "letter_F": "-80 00 08 -04 64 / -80 10 18 -04 74",
    "letter_G": "~81 40 04 48 85 -54 84 88 / ~81 40 04 48 85 -85 45",
    "letter_H": "-00 08 -80 88 -04 84 / -10 08 -80 78 -05 83",
    "letter_I": "-40 48 / -40 48 -10 70 -18 78 / -30 38 58",
    "letter_J": "~70 75 48 06 / -20 80 ~60 65 38 06 / -60 66 ~66 38 07",
    "letter_K": "-00 08 -80 04 88 / -00 08 -71 04 -24 88",
    "letter_L": "-00 08 88 / ~00 05 28 88 / ~06 62 50 33 36 58 87",
    "letter_M": "-08 00 45 80 88 / -08 10 48 70 88 / -00 08 ~03 20 42 48 ~43 60 82 88",
    "letter_N": "-08 00 88 80 / ~08 00 44 88 80",
    "letter_O": "~40 04 48 84 40 / ~50 12 06 48 84 50",
    "letter_P": "-00 08 ~00 60 82 54 04 / ~08 01 50 82 54 04",
    "letter_Q": "~40 04 48 84 40 -55 88 / ~40 04 48 84 40 ~45 67 88",
    "letter_R": "-00 08 ~00 60 82 54 04 -44 88 / ~08 00 60 72 34 -34 88",
    "letter_S": "~81 40 12 44 76 48 07 / ~80 30 02 54 86 48 08",
    "letter_T": "-00 80 -40 48 / -00 80 -50 38",
    "letter_U": "~00 05 48 85 80 / ~00 05 37 84 80 -80 88",
    "letter_V": "-00 48 80 / ~00 36 48 56 80",
    "letter_W": "-00 28 42 68 80 / ~00 16 28 43 68 76 80",
    "letter_X": "-00 88 -80 08 / ~00 34 88 -80 08",
    "letter_Y": "-00 44 80 -44 48 / -00 44 -80 28 / ~00 03 44 82 ~80 85 48 07",
    "letter_Z": "-00 80 08 88 / -00 80 08 88 -24 64 / ~01 30 71 44 08 88",
    "small_a": "~82 40 04 48 85 -80 88 / ~11 40 72 78 ~73 35 06 38 75",
    "small_b": "-00 08 ~05 43 86 48 07 / ~00 06 48 86 54 06",
    "small_d": "-80 88 ~85 43 06 48 87 / ~80 87 88 ~84 43 06 48 86",
    "small_e": "-04 84 ~84 40 04 48 87 / ~15 74 50 14 28 78",
    "small_f": "~80 50 32 38 -04 74 / ~71 40 24 28 -03 63",
    "small_g": "~81 40 02 45 83 ~80 85 48 07 / ~80 40 02 44 82 ~81 76 38 06",
    "small_h": "-00 08 ~05 43 85 88 / ~00 08 ~06 44 75 78",
    "small_n": "-00 08 ~03 50 83 88 / ~00 08 03 40 73 88",
    "small_q": "~81 40 02 45 83 -80 88 / ~80 40 02 44 82 ~80 78 87",
    "small_r": "-00 08 ~03 40 81 / ~00 08 04 40 82",
    "small_t": "~40 46 68 87 -03 73 / -40 48 -03 83 / ~30 36 58 86 -02 72",
}


def letter(name: str, rng: np.random.Generator) -> Picture:
    """One letter of STROKES as an 8 x 8 scan; the grey levels are round(255 k / 16), k = 0..16."""
    canvas = printed(name, rng) if rng.random() < FONT_SHARE else handwritten(name, rng)
    counts = count_blocks(even_ink(fit_box(bend(canvas, rng), rng), rng))
    return np.round(counts * (255 / 16)).astype(np.uint8)


def handwritten(name: str, rng: np.random.Generator) -> Canvas:
    """The letter's strokes with shaken points, a pen of random width, and now and then a gap."""
    ways = STROKES[name].split("/")
    image = Image.new("L", (CANVAS, CANVAS))
    draw = ImageDraw.Draw(image)
    pen = rng.uniform(5.0, 9.0)
    lines = [trace(stroke, rng) for stroke in read_strokes(ways[rng.integers(len(ways))])]
    for line in lines:
        draw.line([(x, y) for x, y in line], fill=255, width=round(pen), joint="curve")
        for x, y in (line[0], line[-1]):
            draw.circle((x, y), pen / 2, fill=255)
    if rng.random() < 0.1:
        line = lines[rng.integers(len(lines))]
        draw.circle(tuple(line[rng.integers(len(line))]), pen * 0.5, fill=0)
    return np.asarray(image, float) / 255


def read_strokes(way: str) -> list[tuple[bool, NDArray[np.float64]]]:
    """The way "-00 08 ~00 50" is [(False, points), (True, points)]; points are K x 2 in 0..1."""
    strokes: list[tuple[bool, list[tuple[int, int]]]] = []
    for word in way.split():
        if word[0] in "-~":
            strokes.append((word[0] == "~", []))
        strokes[-1][1].append((int(word[-2]), int(word[-1])))
    return [(smooth, np.array(points) / 8) for smooth, points in strokes]


def trace(stroke: tuple[bool, NDArray[np.float64]], rng: np.random.Generator) -> NDArray[np.float64]:
    """The pen's way in canvas pixels: shaken points, joined by lines or by a Catmull-Rom spline."""
    smooth, points = stroke
    closed = bool((points[0] == points[-1]).all())
    shaken = points + rng.normal(0, 0.045, points.shape)
    if closed:
        shaken[-1] = shaken[0] + rng.normal(0, 0.03, 2)
    line = catmull_rom(shaken, closed) if smooth else shaken
    return CANVAS * (0.2 + 0.6 * line)


def catmull_rom(points: NDArray[np.float64], closed: bool) -> NDArray[np.float64]:
    """A smooth curve through all points (Catmull and Rom 1974), eight pieces between two of them."""
    before, after = (points[-2], points[1]) if closed else (points[0], points[-1])
    p = np.vstack([before, points, after])
    t = np.linspace(0, 1, 9)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.vstack(pieces)


def printed(name: str, rng: np.random.Generator) -> Canvas:
    """The letter in the font that comes with Pillow, light to bold."""
    image = Image.new("L", (CANVAS, CANVAS))
    font = ImageFont.load_default(CANVAS * 0.6)
    middle = (CANVAS / 2, CANVAS / 2)
    ImageDraw.Draw(image).text(
        middle,
        name[-1],
        fill=255,
        font=font,
        anchor="mm",
        stroke_width=int(rng.integers(0, 3)),
        stroke_fill=255,
    )
    return np.asarray(image, float) / 255


def bend(canvas: Canvas, rng: np.random.Generator) -> Canvas:
    """Slant, rotate and stretch, then an elastic distortion (Simard et al. 2003)."""
    angle, slant = np.deg2rad(rng.normal(0, 6)), rng.normal(0, 0.2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[rng.uniform(0.85, 1.15), 0], [slant, rng.uniform(0.85, 1.15)]])
    grid = np.indices(canvas.shape, float) - CANVAS / 2
    shift = ndimage.gaussian_filter(rng.uniform(-1, 1, grid.shape), (0, 8, 8))
    shift *= rng.uniform(0, 3.5) / (shift.std() + 1e-9)
    where = np.tensordot(matrix, grid, 1) + CANVAS / 2 + shift
    bent: Canvas = ndimage.map_coordinates(canvas, where, order=1)
    return bent


def fit_box(canvas: Canvas, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The letter alone, 32 pixels high and at most 20 wide, near the middle of a 32 x 32 bitmap."""
    ink = canvas > 0.5
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    natural = (box[2] - box[0]) / (box[3] - box[1]) * BITMAP * rng.uniform(0.8, 1.2)
    width = round(float(np.clip(natural, 5, BOX + rng.integers(-2, 2))))
    image = Image.fromarray((255 * canvas).astype(np.uint8))
    fitted = np.asarray(image.resize((width, BITMAP), Image.Resampling.BILINEAR, box=box)) > 127
    bitmap = np.zeros((BITMAP, BITMAP), bool)
    left = (BITMAP - width) // 2 + int(rng.integers(-1, 3))
    bitmap[:, left : left + width] = fitted
    return bitmap


def even_ink(bitmap: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Thicken or thin the lines until about 30 % of the bitmap is on, as the scans' normalisation did."""
    outside = ndimage.distance_transform_edt(~bitmap) - ndimage.distance_transform_edt(bitmap)
    outside -= ndimage.gaussian_filter(
        bitmap.astype(float), 1.5
    )  # distances have ties; prefer the rounder line
    share = np.clip(rng.normal(0.305, 0.035), 0.2, 0.4)
    evened: NDArray[np.bool_] = outside <= np.quantile(outside, share)
    return evened


def count_blocks(bitmap: NDArray[np.bool_]) -> NDArray[np.int64]:
    """32 x 32 bits -> 8 x 8 counts from 0 to 16."""
    counts: NDArray[np.int64] = bitmap.reshape(8, 4, 8, 4).sum((1, 3))
    return counts
