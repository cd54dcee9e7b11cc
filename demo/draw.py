"""Draws photosynthesis.pdf, the deck of the demo classroom: `python -m demo.draw` (needs Debian's fonts-lato)."""

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 960, 540  # points: 16:9
FONTS = Path("/usr/share/fonts/truetype/lato")

BOARD, BOARD_2, BOARD_3 = HexColor("#12503d"), HexColor("#17694f"), HexColor("#2b8264")
PAPER, SURFACE, LINE = HexColor("#faf8f4"), HexColor("#ffffff"), HexColor("#d9d4c9")
INK, INK_2 = HexColor("#1d1c1a"), HexColor("#5b5853")
CHALK, LEAF, LEAF_2, WATER, SUGAR = (
    HexColor("#f2b83d"), HexColor("#7dbb77"), HexColor("#4e9a63"), HexColor("#3b7ea8"), HexColor("#c2622d"),
)  # fmt: skip

Point = tuple[float, float]


class Sheet:
    """A page of the deck: a canvas with the few strokes that all pages share. The origin is the lower left."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas

    def fill(self, color: Color) -> None:
        self.canvas.setFillColor(color)
        self.canvas.rect(0, 0, WIDTH, HEIGHT, stroke=0, fill=1)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        color: Color = INK,
        *,
        font: str = "Lato",
        middle: bool = False,
    ) -> None:
        self.canvas.setFillColor(color)
        self.canvas.setFont(font, size)
        (self.canvas.drawCentredString if middle else self.canvas.drawString)(x, y, text)

    def heading(self, number: int, title: str) -> None:
        self.fill(PAPER)
        self.canvas.setFillColor(CHALK)
        self.canvas.roundRect(56, 452, 6, 40, 3, stroke=0, fill=1)
        self.text(78, 460, title, 34, font="Lato-Bold")
        self.text(904, 28, str(number), 13, INK_2, middle=True)

    def line(self, points: Sequence[Point], color: Color, width: float = 2) -> None:
        path = self.canvas.beginPath()
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        self._stroke(path, color, width)

    def curve(self, a: Point, b: Point, c: Point, d: Point, color: Color, width: float = 2) -> None:
        path = self.canvas.beginPath()
        path.moveTo(*a)
        path.curveTo(*b, *c, *d)
        self._stroke(path, color, width)

    def arrow(self, a: Point, b: Point, c: Point, d: Point, color: Color, width: float = 4) -> None:
        """A curve from a to d, pulled towards b and c, with a head at d."""
        angle = math.atan2(d[1] - c[1], d[0] - c[0])
        size = 5 + 2.2 * width
        neck = (d[0] - 0.8 * size * math.cos(angle), d[1] - 0.8 * size * math.sin(angle))
        self.curve(a, b, c, neck, color, width)
        path = self.canvas.beginPath()
        path.moveTo(*d)
        for turn in (2.6, -2.6):
            path.lineTo(d[0] + size * math.cos(angle + turn), d[1] + size * math.sin(angle + turn))
        path.close()
        self.canvas.setFillColor(color)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def blob(self, x: float, y: float, radius: float, color: Color) -> None:
        self.canvas.setFillColor(color)
        self.canvas.circle(x, y, radius, stroke=0, fill=1)

    def card(self, x: float, y: float, width: float, height: float, color: Color = SURFACE, edge: Color = LINE) -> None:
        self.canvas.setFillColor(color)
        self.canvas.setStrokeColor(edge)
        self.canvas.setLineWidth(1.2)
        self.canvas.roundRect(x, y, width, height, 14, stroke=1, fill=1)

    def sun(self, x: float, y: float, radius: float, *, rays: int = 16) -> None:
        for ray in range(rays):
            angle = 2 * math.pi * ray / rays
            inner, outer = radius * 1.25, radius * (1.62 if ray % 2 else 1.46)
            ends = [(x + r * math.cos(angle), y + r * math.sin(angle)) for r in (inner, outer)]
            self.line(ends, CHALK, max(2.0, radius / 14))
        self.blob(x, y, radius, CHALK)

    def leaf(self, x: float, y: float, length: float, angle: float, body: Color, vein: Color) -> None:
        """A leaf from its stalk at (x, y), `length` long, leaning by `angle` degrees."""
        self.canvas.saveState()
        self.canvas.translate(x, y)
        self.canvas.rotate(angle)
        self.canvas.scale(length, length)
        path = self.canvas.beginPath()
        path.moveTo(0, 0)
        path.curveTo(0.10, 0.34, 0.62, 0.44, 1, 0)
        path.curveTo(0.62, -0.34, 0.18, -0.34, 0, 0)
        self.canvas.setFillColor(body)
        self.canvas.drawPath(path, stroke=0, fill=1)
        self.curve((-0.12, -0.05), (0.1, 0), (0.6, 0.06), (0.97, 0.0), vein, 0.014)
        for at in (0.18, 0.34, 0.5, 0.66):
            reach = 0.26 * math.sin(math.pi * (at + 0.12))
            self.curve(
                (at, 0.02), (at + 0.05, reach * 0.5), (at + 0.1, reach * 0.8), (at + 0.17, reach * 0.92), vein, 0.008
            )
            self.curve(
                (at, 0.02), (at + 0.06, -reach * 0.4), (at + 0.1, -reach * 0.6), (at + 0.17, -reach * 0.74), vein, 0.008
            )
        self.canvas.restoreState()

    def _stroke(self, path: object, color: Color, width: float) -> None:
        self.canvas.setStrokeColor(color)
        self.canvas.setLineWidth(width)
        self.canvas.setLineCap(1)
        self.canvas.setLineJoin(1)
        self.canvas.drawPath(path, stroke=1, fill=0)


def title(sheet: Sheet) -> None:
    sheet.fill(BOARD)
    for radius in (330, 255, 185):
        sheet.blob(760, 395, radius, Color(*CHALK.rgb(), alpha=0.05))
    sheet.sun(760, 395, 78)
    sheet.leaf(560, 20, 400, 44, BOARD_2, BOARD_3)
    sheet.leaf(610, 40, 330, 12, LEAF_2, BOARD_2)
    sheet.leaf(640, 30, 300, 74, BOARD_3, BOARD_2)
    sheet.text(72, 300, "Photosynthesis", 66, SURFACE, font="Lato-Bold")
    sheet.text(74, 252, "How a leaf turns light into sugar", 27, HexColor("#cfe6da"))
    sheet.line([(75, 220), (165, 220)], CHALK, 4)
    sheet.text(74, 60, "Biology, first lesson", 16, HexColor("#9cc9b5"))


def equation(sheet: Sheet) -> None:
    sheet.heading(2, "What goes in, what comes out")
    sheet.leaf(372, 208, 235, 14, LEAF, LEAF_2)
    sheet.sun(478, 398, 26, rays=12)
    sheet.arrow((478, 352), (478, 340), (478, 330), (478, 316), CHALK)
    for y, formula, name, color in ((306, "6 CO₂", "carbon dioxide", INK_2), (176, "6 H₂O", "water", WATER)):
        sheet.card(72, y, 196, 92)
        sheet.text(170, y + 48, formula, 30, color, font="Lato-Bold", middle=True)
        sheet.text(170, y + 20, name, 16, INK_2, middle=True)
    for y, formula, name, color in ((306, "C₆H₁₂O₆", "sugar", SUGAR), (176, "6 O₂", "oxygen", BOARD_2)):
        sheet.card(692, y, 196, 92)
        sheet.text(790, y + 48, formula, 30, color, font="Lato-Bold", middle=True)
        sheet.text(790, y + 20, name, 16, INK_2, middle=True)
    sheet.arrow((280, 352), (320, 352), (345, 320), (380, 292), INK_2)
    sheet.arrow((280, 222), (315, 222), (335, 226), (368, 232), WATER)
    sheet.arrow((604, 290), (632, 310), (650, 350), (682, 352), SUGAR)
    sheet.arrow((612, 244), (640, 228), (655, 222), (682, 222), BOARD_2)
    sheet.card(72, 58, 816, 66, HexColor("#eaf3ee"), HexColor("#cfe3d8"))
    sheet.text(480, 82, "6 CO₂  +  6 H₂O  +  light   →   C₆H₁₂O₆  +  6 O₂", 26, BOARD, font="Lato-Bold", middle=True)


def anatomy(sheet: Sheet) -> None:
    sheet.heading(3, "Inside a leaf")
    chance = random.Random(4)  # noqa: S311 - where dots lie
    left, right = 72, 640
    sheet.card(left - 10, 52, right - left + 20, 378)
    for row, color in ((388, HexColor("#d8e9c8")), (78, HexColor("#d8e9c8"))):
        for x in range(left, right - 10, 71):
            if row == 388 or x != left + 3 * 71:
                sheet.card(x, row, 67, 28, color, LEAF)
    sheet.canvas.setFillColor(HexColor("#e9c98a"))
    sheet.canvas.roundRect(left, 419, right - left, 6, 3, stroke=0, fill=1)
    for x in range(left, right - 10, 47):
        sheet.card(x, 254, 43, 128, HexColor("#a9d29b"), LEAF_2)
        for y in range(268, 378, 19):
            for shift in (10, 31):
                sheet.blob(x + shift + chance.uniform(-2, 2), y + chance.uniform(-3, 3), 5.4, LEAF_2)
    for x, y in (
        (108, 216),
        (190, 226),
        (268, 206),
        (352, 226),
        (430, 208),
        (516, 224),
        (596, 208),
        (140, 150),
        (226, 140),
        (388, 142),
        (474, 150),
        (560, 138),
    ):
        sheet.card(x - 31, y - 22, 62, 44, HexColor("#bfdcaa"), LEAF_2)
        for _ in range(5):
            sheet.blob(x + chance.uniform(-21, 21), y + chance.uniform(-13, 13), 4.6, LEAF_2)
    for x in (294, 336):
        sheet.canvas.setFillColor(LEAF)
        sheet.canvas.setStrokeColor(LEAF_2)
        sheet.canvas.ellipse(x - 12, 74, x + 12, 108, stroke=1, fill=1)
    labels = (
        (422, "Cuticle", "a coat of wax that keeps water in"),
        (402, "Upper epidermis", "one clear layer of cells"),
        (318, "Palisade cells", "most of the chloroplasts sit here"),
        (214, "Spongy cells", "room for gases to move"),
        (91, "Stoma", "opens by day, closes when it is dry"),
    )
    for (y, name, what), text_y in zip(labels, (428, 372, 306, 214, 106), strict=True):
        start = 352 if name == "Stoma" else right - 4
        sheet.line([(start, y), (662, y), (680, text_y + 4)], INK_2, 1.1)
        sheet.blob(start, y, 3, INK_2)
        sheet.text(690, text_y, name, 19, font="Lato-Bold")
        sheet.text(690, text_y - 19, what, 14, INK_2)


def stages(sheet: Sheet) -> None:
    sheet.heading(4, "Two stages in one chloroplast")
    sheet.canvas.setFillColor(HexColor("#dceccf"))
    sheet.canvas.setStrokeColor(LEAF_2)
    sheet.canvas.setLineWidth(3)
    sheet.canvas.ellipse(150, 62, 810, 418, stroke=1, fill=1)
    sheet.card(232, 164, 196, 150, HexColor("#4e9a63"), LEAF_2)
    for y in range(178, 304, 22):
        sheet.canvas.setFillColor(HexColor("#7dbb77"))
        sheet.canvas.roundRect(246, y, 168, 13, 6.5, stroke=0, fill=1)
    sheet.text(330, 334, "Light reactions", 21, BOARD, font="Lato-Bold", middle=True)
    sheet.text(630, 334, "Calvin cycle", 21, BOARD, font="Lato-Bold", middle=True)
    for start in (20, 140, 260):
        angles = [math.radians(start + step) for step in (0, 30, 60, 92)]
        ring = [(630 + 78 * math.cos(a), 238 - 78 * math.sin(a)) for a in angles]
        sheet.arrow(ring[0], ring[1], ring[2], ring[3], SUGAR, 5)
    sheet.arrow((438, 272), (476, 294), (504, 294), (542, 268), CHALK, 5)
    sheet.text(490, 302, "ATP, NADPH", 16, INK, font="Lato-Bold", middle=True)
    sheet.arrow((542, 208), (504, 182), (476, 182), (438, 204), INK_2, 5)
    sheet.text(490, 160, "ADP, NADP⁺", 16, INK, font="Lato-Bold", middle=True)
    sheet.sun(96, 382, 28, rays=12)
    sheet.arrow((136, 364), (176, 344), (200, 330), (228, 304), CHALK)
    sheet.text(64, 212, "H₂O", 24, WATER, font="Lato-Bold")
    sheet.arrow((118, 220), (150, 222), (184, 224), (224, 228), WATER)
    sheet.text(238, 44, "O₂", 24, BOARD_2, font="Lato-Bold")
    sheet.arrow((300, 156), (296, 130), (282, 100), (262, 74), BOARD_2)
    sheet.text(850, 350, "CO₂", 24, INK_2, font="Lato-Bold")
    sheet.arrow((842, 352), (800, 340), (756, 318), (712, 286), INK_2)
    sheet.text(790, 90, "sugar", 24, SUGAR, font="Lato-Bold")
    sheet.arrow((694, 190), (724, 160), (752, 136), (786, 112), SUGAR)


def graph(sheet: Sheet) -> None:
    sheet.heading(5, "How much light is enough?")
    sheet.card(72, 62, 560, 364)
    for step in range(1, 6):
        sheet.line([(124 + 84 * step, 114), (124 + 84 * step, 396)], HexColor("#f0ece4"), 1)
        sheet.line([(124, 114 + 50 * step), (600, 114 + 50 * step)], HexColor("#f0ece4"), 1)
    sheet.arrow((124, 114), (300, 114), (450, 114), (606, 114), INK_2, 2)
    sheet.arrow((124, 114), (124, 200), (124, 300), (124, 404), INK_2, 2)
    sheet.text(365, 82, "light", 16, INK_2, middle=True)
    sheet.canvas.saveState()
    sheet.canvas.rotate(90)
    sheet.text(255, -104, "oxygen a minute", 16, INK_2, middle=True)
    sheet.canvas.restoreState()
    points = [(124 + x, 114 + 236 * (1 - math.exp(-x / 88))) for x in range(0, 452, 4)]
    sheet.line(points, BOARD_2, 5)
    for x in (40, 90, 150, 220, 300, 390):
        sheet.blob(124 + x, 114 + 236 * (1 - math.exp(-x / 88)), 7, CHALK)
    for y, number, question in (
        (376, "1", ("Why does the curve", "rise at first?")),
        (270, "2", ("Why does it go flat?", "What runs short?")),
        (164, "3", ("Draw the curve for", "a warmer day.")),
    ):
        sheet.blob(684, y + 4, 17, BOARD_2)
        sheet.text(684, y - 2, number, 18, SURFACE, font="Lato-Bold", middle=True)
        for index, part in enumerate(question):
            sheet.text(716, y + 6 - 26 * index, part, 21)


def your_turn(sheet: Sheet) -> None:
    sheet.heading(6, "Your turn: draw the way of the water")
    sheet.canvas.setFillColor(HexColor("#efe3d0"))
    sheet.canvas.rect(0, 0, WIDTH, 132, stroke=0, fill=1)
    sheet.line([(0, 132), (WIDTH, 132)], HexColor("#b99a6b"), 3)
    sheet.text(904, 28, "6", 13, INK_2, middle=True)
    sheet.sun(868, 416, 32)
    for way in ((0, 1), (-1, 0.8), (1, 0.8), (-2, 0.62), (2, 0.62)):
        sheet.curve(
            (300, 132),
            (300 + 12 * way[0], 100),
            (300 + 40 * way[0], 90),
            (300 + 62 * way[0], 132 - 100 * way[1]),
            HexColor("#b08d57"),
            4,
        )
    sheet.curve((300, 132), (292, 220), (306, 300), (300, 382), LEAF_2, 9)
    for y, angle, length in ((208, 24, 190), (196, 158, 170), (292, 38, 150), (280, 146, 150), (376, 84, 52)):
        sheet.leaf(300, y, length, angle, LEAF, LEAF_2)
    for x, y in ((410, 84), (452, 50), (176, 62), (130, 96), (520, 96)):
        path = sheet.canvas.beginPath()
        path.moveTo(x, y + 17)
        path.curveTo(x + 5, y + 7, x + 11, y, x, y - 7)
        path.curveTo(x - 11, y, x - 5, y + 7, x, y + 17)
        sheet.canvas.setFillColor(WATER)
        sheet.canvas.drawPath(path, stroke=0, fill=1)
    for y, part in (
        (352, "From a drop in the soil"),
        (322, "to the air above the leaf:"),
        (292, "where does it go, and what pulls it?"),
    ):
        sheet.text(560, y - 20, part, 20, INK)
    sheet.text(560, 232, "Everybody may draw on this page.", 16, BOARD_2, font="Lato-Bold")


PAGES: tuple[Callable[[Sheet], None], ...] = (title, equation, anatomy, stages, graph, your_turn)


def main() -> None:
    """Write the deck beside this file, the same bytes each time."""
    for name in ("Lato-Regular", "Lato-Bold"):
        pdfmetrics.registerFont(TTFont(name.removesuffix("-Regular"), FONTS / f"{name}.ttf"))
    canvas = Canvas(
        str(Path(__file__).with_name("photosynthesis.pdf")), (WIDTH, HEIGHT), invariant=True, pageCompression=1
    )
    canvas.setTitle("Photosynthesis")
    for page in PAGES:
        page(Sheet(canvas))
        canvas.showPage()
    canvas.save()


if __name__ == "__main__":
    main()
