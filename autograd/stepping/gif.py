"""The steps as an animated GIF, for slides.

The picture is laid out once and rendered in three states: without numbers, with values, and with gradients too. Frames are
put together from these, with the rule of the step above, which Graphviz writes as well.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

from ..pictures.render import RenderError, render
from .page import Show, Stop, typeset
from .trace import FORWARD, Part, Trace

if TYPE_CHECKING:
    from PIL import Image

MAX_FRAMES = 300
_DURATION, _LAST = 1200, 4000  # milliseconds
_SIZE = (1200, 900)  # pixels that the picture stays within
_CAPTION = 64  # height in points
_CHUNK = 100  # captions rendered at once: an image of all of them would be too high
_PHASE = {True: "#0b5d1e", False: "#a31515"}
_COLOURS = {"value": _PHASE[True], "gradient": _PHASE[False], "sign": "#59636e"}
_NODE = re.compile(r"^\s*n\d+ \[")
_SVG = "{http://www.w3.org/2000/svg}"

Point = tuple[float, float]


class Shape(NamedTuple):
    """Where an element of the picture is, in pixels."""

    left: float
    top: float
    right: float
    bottom: float
    line: list[Point]  # along an edge
    is_ellipse: bool


def gif(steps: Trace) -> bytes:
    """The animation, one frame for each step.

    Raises:
        ImportError: if Pillow is missing.
        ValueError: if there are more than `MAX_FRAMES` steps.
        RenderError: if Graphviz is missing or fails.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("saving a .gif needs Pillow: pip install pillow") from None
    show = Show(steps)
    if len(show.stops) > MAX_FRAMES:
        raise ValueError(f"{len(show.stops):,} steps are too many for an animation (at most {MAX_FRAMES}): save a page (.html) instead")
    source = show.drawing().source
    film = _Film(Image, source, show.stops)
    first, *others = film.frames()
    file = io.BytesIO()
    durations = [_DURATION] * len(others) + [_LAST]
    first.save(file, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
    return file.getvalue()


class _Film:
    def __init__(self, image: Any, source: str, stops: list[Stop]) -> None:
        self.image, self.stops = image, stops
        svg = ElementTree.fromstring(render(source, "svg"))
        try:
            _, _, width, height = map(float, svg.attrib["viewBox"].split())
            self.scale = min(2.0, _SIZE[0] / width, _SIZE[1] / height)
            self.shapes = _shapes(svg, self.scale)
            _ = [self.shapes[name] for stop in stops for name in (stop.at, *stop.edges)]
        except (LookupError, ArithmeticError, ValueError):
            raise RenderError("Graphviz failed: what it gave is an SVG, but of something else") from None
        self.blank, self.valued, self.full = (self._render(_without(source, hidden)) for hidden in (2, 1, 0))
        self.captions = self._captions()

    def _render(self, source: str) -> Image.Image:
        return self._open(source.replace("graph [", f"graph [dpi={72 * self.scale:.4f} ", 1))

    def _open(self, source: str) -> Image.Image:
        try:
            image: Image.Image = self.image.open(io.BytesIO(render(source, "png"))).convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise RenderError(f"Graphviz failed: what it gave is no whole PNG ({error})") from None
        return image

    def _captions(self) -> list[Image.Image]:
        """The rules of all stops, one strip each."""
        captions = []
        for start in range(0, len(self.stops), _CHUNK):
            rows = "".join(_caption(stop, i, len(self.stops)) for i, stop in enumerate(self.stops) if start <= i < start + _CHUNK)
            image = self._open(
                f'digraph {{ graph [dpi=108, pad=0, margin=0]; node [shape=plaintext, margin=0, fontname="Helvetica"]; '
                f'c [label=<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{rows}</TABLE>>] }}'
            )
            count = min(_CHUNK, len(self.stops) - start)
            height = image.height / count
            captions += [image.crop((0, round(i * height), image.width, round((i + 1) * height))) for i in range(count)]
        return captions

    def frames(self) -> Iterator[Image.Image]:
        width = max(self.full.width, *(caption.width + 32 for caption in self.captions))
        top = max(caption.height for caption in self.captions) + 16
        canvas = self.blank.copy()
        for stop, caption in zip(self.stops, self.captions, strict=True):
            self._reveal(canvas, stop)
            frame = self.image.new("RGB", (width, top + canvas.height), "white")
            frame.paste(caption, (16, 8))
            frame.paste(self._marked(canvas, stop), ((width - canvas.width) // 2, top))
            yield frame

    def _reveal(self, canvas: Image.Image, stop: Stop) -> None:
        layer = self.valued if stop.phase == FORWARD else self.full
        for reveal in stop.reveals:
            if reveal.complete:
                self._copy(canvas, layer, reveal.box)
        if stop.phase != FORWARD:
            for edge in stop.edges:
                self._copy(canvas, layer, f"{edge} label")

    def _copy(self, canvas: Image.Image, layer: Image.Image, name: str) -> None:
        if name in self.shapes:
            left, top, right, bottom, *_ = self.shapes[name]
            area = (max(int(left) - 2, 0), max(int(top) - 2, 0), int(right) + 3, int(bottom) + 3)
            canvas.paste(layer.crop(area), area[:2])

    def _marked(self, canvas: Image.Image, stop: Stop) -> Image.Image:
        """A copy of the canvas on which the boxes and edges of this stop are drawn in the colour of the phase."""
        from PIL import ImageDraw

        marked = canvas.copy()
        draw = ImageDraw.Draw(marked)
        colour, width = _PHASE[stop.phase == FORWARD], max(2, round(2 * self.scale))
        for edge in stop.edges:
            draw.line(self.shapes[edge].line, fill=colour, width=width, joint="curve")
        for box in {stop.at, *(reveal.box for reveal in stop.reveals)}:
            left, top, right, bottom, _, is_ellipse = self.shapes[box]
            if is_ellipse:
                draw.ellipse((left, top, right, bottom), outline=colour, width=width)
            else:
                draw.rounded_rectangle((left, top, right, bottom), radius=8 * self.scale, outline=colour, width=width)
        return marked


def _without(source: str, hidden: int) -> str:
    """The picture without its gradients (1), or without any number (2), in the same layout."""
    if not hidden:
        return source
    gone = [_PHASE[False], *([_PHASE[True]] if hidden == 2 else [])]
    lines = []
    for line in source.split("\n"):
        if _NODE.match(line):
            for colour in gone:
                line = line.replace(f'COLOR="{colour}"', 'COLOR="#ffffff"')
            line = re.sub(r'fillcolor="#\w+"', 'fillcolor="#ffffff"', line).replace(',dashed"', '"')
        elif line.lstrip().startswith("edge ["):
            line = re.sub(r'fontcolor="#\w+"', 'fontcolor="#ffffff"', line)
        lines.append(line)
    return "\n".join(lines)


def _caption(stop: Stop, index: int, count: int) -> str:
    phase = _font(f"{stop.phase} {index + 1} of {count}", _PHASE[stop.phase == FORWARD], 10)
    rule = "".join(_font(text, _COLOURS.get(role, "#1f2328"), 18) for role, text in _flat(typeset(stop.rule)))
    note = _font(stop.note, "#59636e", 11)
    rows = "".join(f'<TR><TD ALIGN="LEFT">{text}</TD></TR>' for text in (phase, rule, note))
    inner = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{rows}</TABLE>'
    return f'<TR><TD ALIGN="LEFT" VALIGN="TOP" HEIGHT="{_CAPTION}">{inner}</TD></TR>'


def _flat(rule: list[Part]) -> list[tuple[str, str]]:
    return [("d", f"∂{part[1]}/∂{part[2]}") if part[0] == "d" else (part[0], part[1]) for part in rule]


def _font(text: str, colour: str, size: int) -> str:
    spaced = html.escape(text).replace("\\", "\\\\").replace(" ", "&#160;")  # Graphviz reads escapes in HTML-like labels, too
    return f'<FONT COLOR="{colour}" POINT-SIZE="{size}">{spaced}</FONT>'


def _shapes(svg: ElementTree.Element, scale: float) -> dict[str, Shape]:
    """Every box and edge of the picture by its id; the label of an edge as "ID label"."""
    graph = svg[0]
    found = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", graph.attrib["transform"])
    dx, dy = (float(found[1]), float(found[2])) if found else (0.0, 0.0)

    def place(points: list[Point]) -> list[Point]:
        return [((x + dx) * scale, (y + dy) * scale) for x, y in points]

    shapes = {}
    for element in graph.iter(f"{_SVG}g"):
        if element.get("class") in ("node", "edge"):
            name = element.attrib["id"]
            outline = [point for shape in element.iter() for point in _points(shape)]
            path = element.find(f".//{_SVG}path")
            line = place(_curve(_points(path))) if element.get("class") == "edge" and path is not None else []
            shapes[name] = _bounds(place(outline), line, element.find(f".//{_SVG}ellipse") is not None)
            text = element.find(f".//{_SVG}text") if line else None
            if text is not None:
                x, y, half = float(text.attrib["x"]), float(text.attrib["y"]), 2.9 * len(text.text or "")
                shapes[f"{name} label"] = _bounds(place([(x - half, y - 8.5), (x + half, y + 2.5)]), [], False)
    return shapes


def _bounds(points: list[Point], line: list[Point], is_ellipse: bool) -> Shape:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Shape(min(xs), min(ys), max(xs), max(ys), line, is_ellipse)


def _points(shape: ElementTree.Element) -> list[Point]:
    """The points that an SVG shape is given by."""
    if shape.tag == f"{_SVG}ellipse":
        cx, cy, rx, ry = (float(shape.attrib[name]) for name in ("cx", "cy", "rx", "ry"))
        return [(cx - rx, cy - ry), (cx + rx, cy + ry)]
    numbers = [float(x) for x in re.findall(r"-?\d+\.?\d*", shape.get("d") or shape.get("points") or "")]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _curve(points: list[Point]) -> list[Point]:
    """Points along the Bézier curves of an edge."""
    line = points[:1]
    for i in range(0, len(points) - 3, 3):
        a, b, c, d = points[i : i + 4]
        for k in range(1, 9):
            t = k / 8
            s = 1 - t
            weights = (s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t)
            line.append(tuple(sum(w * p[j] for w, p in zip(weights, (a, b, c, d), strict=True)) for j in (0, 1)))  # type: ignore[arg-type]
    return line
