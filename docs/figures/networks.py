"""Pictures of the networks' graphs, for docs/networks.md. `python docs/figures/networks.py` writes them beside itself.

SVG is written directly, so that the files are the same byte for byte wherever they are drawn. Time runs to the right,
from the inputs at the bottom to the outputs at the top, as in Goodfellow, Bengio and Courville (2016), Deep Learning,
chapter 10. What sets a network apart is blue.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, MARGIN, FONT = 320, 12, 15
STATES = ("h", "g", "s", "c", " ")  # what names of hidden states begin with; " " is one without a name
INK, BLUE, FAINT = "#1f2933", "#0060a8", "#b4bcc4"
SIGNS = str.maketrans("-*", "\N{MINUS SIGN}\N{MULTIPLICATION SIGN}")
TIMES = ("t-2", "t-1", "t")

Point = tuple[float, float]


class Mark(NamedTuple):
    """Something that arrows begin and end at: an ellipse or a rectangle, and half its width and height."""

    x: float
    y: float
    width: float
    height: float
    round: bool = True

    def edge(self, toward: Point) -> Point:
        """Return where the line from the middle toward a point leaves the mark."""
        dx, dy = toward[0] - self.x, toward[1] - self.y
        if self.round:
            share = 1 / math.hypot(dx / self.width, dy / self.height)
        else:
            share = min(size / abs(d) for size, d in ((self.width, dx), (self.height, dy)) if d)
        return self.x + share * dx, self.y + share * dy


class Picture:
    """A drawing in columns and rows; the rows count upward."""

    def __init__(self, column: float = 92, row: float = 62):
        self.column, self.row = column, row
        self.parts: list[str] = []
        self.points: list[Point] = []

    def node(self, x: float, y: float, text: str, colour: str = INK, dashed: bool = False, **size: float) -> Mark:
        """Draw a vector; hidden states are shaded."""
        mark = self._place(x, y, **{"width": 31.0, "height": 19.0, **size})
        fill = "#e6eef6" if text[:1] in STATES else "white"
        place = f'cx="{mark.x:g}" cy="{mark.y:g}" rx="{mark.width:g}" ry="{mark.height:g}"'
        self._add(f'<ellipse {place} fill="{fill}"{line(colour, dashed)}/>')
        self.text(mark.x, mark.y, text.strip(), colour)
        return mark

    def box(self, x: float, y: float, text: str, width: float = 15, height: float = 15, colour: str = INK) -> Mark:
        """Draw a rectangle of half the width and height: a layer or a gate."""
        mark = self._place(x, y, width, height)._replace(round=False)
        corner = f'x="{mark.x - width:g}" y="{mark.y - height:g}" width="{2 * width:g}" height="{2 * height:g}"'
        self._add(f'<rect {corner} rx="4" fill="white"{line(colour)}/>')
        self.text(mark.x, mark.y, text, colour)
        return mark

    def sign(self, x: float, y: float, text: str, colour: str = INK) -> Mark:
        """Draw an operation on vectors, element by element: "*" or "+"."""
        return self.node(x, y, text, colour, width=10, height=10)

    def words(self, x: float, y: float, text: str, colour: str = INK) -> Mark:
        """Write without a frame; arrows keep clear of it."""
        mark = self._place(x, y, 4 * len(text), 10)._replace(round=False)
        self.text(mark.x, mark.y, text, colour)
        return mark

    def point(self, x: float, y: float) -> Mark:
        """Return a place without drawing it."""
        return self._place(x, y, 0.1, 0.1)

    def arrow(self, a: Mark, b: Mark, text: str = "", colour: str = INK, bend: float = 0, dashed=False) -> None:
        """Draw an arrow; it bends to its left by a share of its length, and bears the text on its left."""
        dx, dy = b.x - a.x, b.y - a.y
        length = math.hypot(dx, dy)
        left = dy / length, -dx / length
        control = (a.x + b.x) / 2 + 2 * bend * dy, (a.y + b.y) / 2 - 2 * bend * dx
        (x1, y1), (x2, y2) = a.edge(control), b.edge(control)
        by = f"Q{control[0]:.1f} {control[1]:.1f} " if bend else "L"
        curve = f"M{x1:.1f} {y1:.1f}{by}{x2:.1f} {y2:.1f}"
        self._add(f'<path d="{curve}" fill="none"{line(colour, dashed)} marker-end="url(#{colour[1:]})"/>')
        away = bend * length + 6 + 4 * len(text) * abs(left[0]) + 5 * abs(left[1])
        x, y = (a.x + b.x) / 2 + away * left[0], (a.y + b.y) / 2 + away * left[1]
        self.points.append((x - 10 * bend, y))
        self.text(x, y, text, colour)

    def divide(self, x: float, low: float, high: float) -> None:
        """Draw a dashed line upward."""
        a, b = self.point(x, low), self.point(x, high)
        self._add(f'<path d="M{a.x:g} {a.y:g}V{b.y:g}" stroke="{FAINT}" stroke-dasharray="3 4"/>')

    def text(self, x: float, y: float, text: str, colour: str) -> None:
        if text:
            signs = escape(text.translate(SIGNS))
            self._add(f'<text x="{x:.1f}" y="{y + FONT / 3:.1f}" fill="{colour}">{signs}</text>')

    def svg(self, title: str) -> str:
        """Return the file; all are equally wide, so that they are at one scale in a table."""
        xs, ys = zip(*self.points, strict=True)
        left, top = (min(xs) + max(xs) - WIDTH) / 2, min(ys) - MARGIN
        height = max(ys) - top + MARGIN
        if max(xs) - min(xs) > WIDTH - MARGIN:
            raise ValueError(f"{title} is {max(xs) - min(xs):.0f} wide, more than fits. Use narrower columns.")
        frame = f'x="{left:.1f}" y="{top:.1f}" width="{WIDTH}" height="{height:.1f}"'
        heads = "".join(head(colour) for colour in (INK, BLUE, FAINT))
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
                f'viewBox="{left:.1f} {top:.1f} {WIDTH} {height:.1f}" '
                f'font-family="STIX Two Text, Times New Roman, Times, serif" font-style="italic" font-size="{FONT}" '
                'text-anchor="middle">',
                f"<title>{escape(title)}</title>",
                f"<defs>{heads}</defs>",
                f'<rect {frame} rx="6" fill="white"/>',  # legible on a dark page too
                *self.parts,
                "</svg>\n",
            ]
        )

    def _place(self, x: float, y: float, width: float, height: float) -> Mark:
        mark = Mark(x * self.column, -y * self.row, width, height)
        self.points += [(mark.x - width, mark.y - height), (mark.x + width, mark.y + height)]
        return mark

    def _add(self, part: str) -> None:
        self.parts.append(part)


def line(colour: str, dashed: bool = False) -> str:
    """Return the attributes of a line."""
    return f' stroke="{colour}" stroke-width="1.4"' + ' stroke-dasharray="4 3"' * dashed


def head(colour: str) -> str:
    """Return an arrowhead; its name is its colour."""
    return (
        f'<marker id="{colour[1:]}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 1L8 4L0 7Z" fill="{colour}"/></marker>'
    )


# -- what several pictures have in common ----------------------------------------------------------------------------


def row(p: Picture, name: str, y: float, times: Sequence[str] = TIMES, **style) -> list[Mark]:
    """Draw one variable at several times."""
    return [p.node(x, y, f"{name}({time})", **style) for x, time in enumerate(times)]


def up(p: Picture, below: Sequence[Mark], above: Sequence[Mark], text: str = "", **style) -> None:
    """Draw arrows from each mark to that above it; the first bears the text."""
    for i, (a, b) in enumerate(zip(below, above, strict=True)):
        p.arrow(a, b, text if i == 0 else "", **style)


def onward(p: Picture, states: Sequence[Mark], text: str = "W", dots: bool = True, **style) -> None:
    """Draw arrows from each state to the next one in time, and into the first one."""
    if dots:
        before = Mark(states[0].x - 58, states[0].y, 10, 10)
        p.points.append((before.x - 8, before.y))
        p.text(before.x, before.y - 4, "…", INK)
        p.arrow(before, states[0], **style)
    for a, b in pairwise(states):
        p.arrow(a, b, text, **style)


def unrolled(p: Picture, times: Sequence[str] = TIMES, dots: bool = True, **style) -> tuple[list[Mark], list[Mark]]:
    """Draw inputs and states: h(t) from U x(t) and W h(t-1)."""
    x, h = row(p, "x", 0, times), row(p, "h", 1, times)
    up(p, x, h, "U", **style)
    onward(p, h, dots=dots, **style)
    return x, h


def gates(p: Picture, reads: str, names: Sequence[str], places: Sequence[float]) -> list[Mark]:
    """Draw what a cell reads, and the gates that are computed from it."""
    wide = (places[-1] - places[0]) / 2 * p.column + 24
    source = p.box((places[0] + places[-1]) / 2, 0, reads, width=wide)
    boxes = [p.box(x, 1, name) for x, name in zip(places, names, strict=True)]
    up(p, [Mark(box.x, source.y, 15, 15) for box in boxes], boxes)
    return boxes


# -- the networks ----------------------------------------------------------------------------------------------------


def elman(p: Picture) -> None:
    _, h = unrolled(p)
    p.arrow(h[-1], p.node(2, 2, "o(t)"), "V")


def lstm(p: Picture, peephole: bool = False) -> None:
    f, i, g, o = gates(p, "x(t), h(t-1)", "figo", (1.1, 2.1, 3.1, 4.2))
    old, keep, add, branch = p.node(0, 3, "c(t-1)"), p.sign(1.1, 3, "*"), p.sign(2.6, 3, "+"), p.point(4.2, 3)
    new, let_in, out, h = p.node(5.4, 3, "c(t)"), p.sign(2.6, 2, "*"), p.sign(4.2, 2, "*"), p.node(5.4, 2, "h(t)")
    for a, b in [(old, keep), (keep, add), (add, new), (f, keep), (i, let_in), (g, let_in), (let_in, add), (o, out)]:
        p.arrow(a, b)
    p.arrow(branch, out, "tanh" if not peephole else "")
    p.arrow(out, h)
    if peephole:
        p.arrow(old, f, colour=BLUE)
        p.arrow(old, i, colour=BLUE)
        p.arrow(branch, o, colour=BLUE, bend=-0.2)


def lstm_peephole(p: Picture) -> None:
    lstm(p, peephole=True)


def gru(p: Picture) -> None:
    z, r, g = gates(p, "x(t), h(t-1)", "zrg", (1, 2.1, 3.2))
    interpolate(p, z, g, "", "1 - z")
    p.arrow(r, g)


def minimal(p: Picture) -> None:
    z, g = gates(p, "x(t)", "zg", (1, 3.2))
    interpolate(p, z, g, "1 - z", "")


def interpolate(p: Picture, z: Mark, g: Mark, old_share: str, new_share: str) -> None:
    """Draw a state that is the mean of the old one and the candidate g, with weights z and 1 - z."""
    old, keep, add, new = p.node(0, 3, "h(t-1)"), p.sign(1, 3, "*"), p.sign(3.2, 3, "+"), p.node(4.2, 3, "h(t)")
    let_in = p.sign(3.2, 2, "*")
    for a, b in [(old, keep), (keep, add), (add, new), (g, let_in), (let_in, add)]:
        p.arrow(a, b)
    p.arrow(z, keep, old_share)
    p.arrow(z, let_in, new_share)


def stacked(p: Picture) -> None:
    _, h = unrolled_twice(p)
    p.arrow(h[-1], p.node(2, 3, "o(t)"))


def unrolled_twice(p: Picture) -> tuple[list[Mark], list[Mark]]:
    x, first, second = row(p, "x", 0), row(p, "h₁", 1), row(p, "h₂", 2)
    for below, above in ((x, first), (first, second)):
        up(p, below, above)
        onward(p, above, "")
    return first, second


def residual(p: Picture) -> None:
    first, second = unrolled_twice(p)
    sums = [p.sign(i, 2.75, "+", colour=BLUE) for i in range(3)]
    up(p, second, sums)
    up(p, first, sums, colour=BLUE, bend=-0.36)
    p.arrow(sums[-1], p.node(2, 3.5, "o(t)"))


def deep_transition(p: Picture) -> None:
    x, deep, h = row(p, "x", 0), row(p, "s", 1, colour=BLUE), row(p, "h", 2)
    up(p, x, deep)
    up(p, deep, h, colour=BLUE)
    up(p, h[:-1], deep[1:])
    p.arrow(h[-1], p.node(2, 3, "o(t)"))


def deep_input_output(p: Picture) -> None:
    x, h = row(p, "x", 0), row(p, "h", 1.7)
    dense = [p.box(i, 0.85, "dense", width=24, height=13, colour=BLUE) for i in range(3)]
    up(p, x, dense)
    up(p, dense, h)
    onward(p, h)
    last = p.box(2, 2.5, "dense", width=24, height=13, colour=BLUE)
    p.arrow(h[-1], last)
    p.arrow(last, p.node(2, 3.3, "o(t)"))


def lattice(p: Picture, links: Callable[[int, int], list[tuple[int, int]]]) -> None:
    """Draw a network of three layers over eight steps, and in blue what leads to the last one.

    `links` lists which nodes (layer, step) feed a node.
    """
    nodes = {(y, x): p.node(x, y, " " if y else "", width=7, height=7) for y in range(4) for x in range(8)}
    blue, new = set(), [(3, 7)]
    while new:
        blue.add(node := new.pop())
        new += [source for source in links(*node) if source not in blue]
    for later in sorted(nodes, key=lambda node: node in blue):
        for source in links(*later):
            around = source[0] == later[0] and later[1] - source[1] > 1
            p.arrow(nodes[source], nodes[later], colour=BLUE if later in blue else FAINT, bend=0.13 * around)
    p.arrow(nodes[3, 7], p.words(7, 3.9, "o(t)"))
    for x, time in ((0, "x(t-7)"), (7, "x(t)")):
        p.words(x, -0.5, time)


def dilated(p: Picture) -> None:
    def links(layer: int, step: int) -> list[tuple[int, int]]:
        back = [(layer, step - 2 ** (layer - 1))] if layer and step >= 2 ** (layer - 1) else []
        return ([(layer - 1, step)] if layer else []) + back

    lattice(p, links)


def convolution(p: Picture) -> None:
    def links(layer: int, step: int) -> list[tuple[int, int]]:
        return [(layer - 1, s) for s in (step, step - 2 ** (layer - 1)) if s >= 0] if layer else []

    lattice(p, links)


def bidirectional(p: Picture) -> None:
    x, h, g = row(p, "x", 0), row(p, "h", 1), row(p, "g", 2, colour=BLUE)
    up(p, x, h)
    up(p, x, g, bend=-0.33)
    onward(p, h, "", dots=False)
    onward(p, g[::-1], "", dots=False, colour=BLUE)
    o = p.node(2, 3, "o(t)")
    p.arrow(h[-1], o, bend=-0.33)
    p.arrow(g[0], o, colour=BLUE)


def segments(p: Picture) -> None:
    states = [p.node(3 * i + 1, 1.1, f"h({time})") for i, time in enumerate(("t-6", "t-3", "t"))]
    onward(p, states)
    for i, h in enumerate(states):
        steps = [p.node(3 * i + j, 0, "", width=9, height=9) for j in range(3)]
        for x in steps:
            p.arrow(x, h, colour=BLUE)
    p.words(0, -0.4, "x(t-8)")
    p.words(8, -0.4, "x(t)")
    p.arrow(states[-1], p.node(7, 2.1, "o(t)"), "V")


def many_to_many(p: Picture) -> None:
    _, h = unrolled(p)
    up(p, h, row(p, "o", 2, colour=BLUE), "V", colour=BLUE)


def vector_to_sequence(p: Picture) -> None:
    _, h = unrolled(p, ("1", "2", "3"), dots=False)
    up(p, h, row(p, "o", 2, ("1", "2", "3")), "V")
    p.arrow(p.box(-0.85, 1, "v", colour=BLUE), h[0], colour=BLUE)


def lengths(p: Picture) -> None:
    times = ("t-3", "t-2", "t-1", "t")
    for y, empty in ((0, 0), (2.2, 2)):
        for x in range(empty):
            p.node(x, y, "-", colour=FAINT, dashed=True)
            p.node(x, y + 1, "0", colour=FAINT, dashed=True)
        shown = range(empty, 4)
        states = [p.node(x, y + 1, f"h({times[x]})") for x in shown]
        up(p, [p.node(x, y, f"x({times[x]})") for x in shown], states)
        onward(p, states, "", dots=False)


def stream(p: Picture) -> None:
    times = ("t-1", "t", "t+1")
    x, h = row(p, "x", 0, times), row(p, "h", 1, times)
    up(p, x, h, "U")
    onward(p, h, colour=BLUE)
    up(p, h, row(p, "o", 2, times), "V")
    for between in (0.5, 1.5):
        p.divide(between, -0.4, 2.4)


def echo_state(p: Picture) -> None:
    _, h = unrolled(p, dashed=True)
    p.arrow(h[-1], p.node(2, 2, "o(t)"), "V", colour=BLUE)


def feed_forward(p: Picture) -> None:
    x = row(p, "x", 0)
    layers = [[p.node(i, y, " ", width=11, height=11) for i in range(3)] for y in (1, 1.9)]
    o = p.node(1, 2.8, "o(t)")
    for below, above in ((x, layers[0]), (layers[0], layers[1]), (layers[1], [o])):
        for a in below:
            for b in above:
                p.arrow(a, b)


def output_recurrent(p: Picture) -> None:
    times = ("t-1", "t", "t+1")
    x, h, o, y = row(p, "x", 0, times), row(p, "h", 1, times), row(p, "o", 2, times), row(p, "y", 3, times[:2])
    up(p, x, h, "U")
    up(p, h, o, "V")
    up(p, o[:-1], h[1:], colour=BLUE)
    up(p, y, h[1:], colour=BLUE, dashed=True)


def encoder_decoder(p: Picture) -> tuple[list[Mark], list[Mark], list[Mark]]:
    x, h = row(p, "x", 0, TIMES[1:]), row(p, "h", 1, TIMES[1:])
    s = [p.node(2 + i, 1, f"s(t+{i + 1})") for i in range(2)]
    o = [p.node(2 + i, 2, f"o(t+{i + 1})") for i in range(2)]
    up(p, x, h)
    up(p, s, o)
    onward(p, [*h, *s], "", dots=False)
    return h, s, o


def sequence_to_sequence(p: Picture) -> None:
    _, s, o = encoder_decoder(p)
    p.arrow(o[0], s[1], colour=BLUE)
    p.arrow(p.node(2, 3, "y(t+1)"), s[1], colour=BLUE, dashed=True)


def attention(p: Picture) -> None:
    h, s, o = encoder_decoder(p)
    p.arrow(o[0], s[1])
    mean = p.node(1, 3, "a", BLUE, width=19)
    for state in h:
        p.arrow(state, mean, colour=BLUE)
    for out in o:
        p.arrow(mean, out, colour=BLUE)


def truncated_backpropagation(p: Picture) -> None:
    times = ("1", "2", "3", "4")
    x, h = row(p, "x", 0, times), row(p, "h", 1, times)
    up(p, x, h)
    up(p, h, row(p, "o", 2, times))
    for i, (a, b) in enumerate(pairwise(h)):
        p.arrow(a, b, colour=BLUE if i == 1 else INK)
        if i != 1:
            p.arrow(b, a, colour=BLUE, bend=0.4, dashed=True)
    p.divide(1.5, -0.4, 2.4)


# Network -> distance of columns and rows. The files are called as the functions are.
NETWORKS: dict[Callable[[Picture], None], dict[str, float]] = {
    elman: {},
    lstm: {"column": 45, "row": 58},
    lstm_peephole: {"column": 45, "row": 58},
    gru: {"column": 58, "row": 58},
    minimal: {"column": 58, "row": 58},
    stacked: {},
    residual: {},
    deep_transition: {},
    deep_input_output: {},
    dilated: {"column": 36, "row": 44},
    bidirectional: {},
    segments: {"column": 27},
    many_to_many: {},
    vector_to_sequence: {"column": 86},
    lengths: {"column": 74, "row": 56},
    stream: {},
    echo_state: {},
    feed_forward: {},
    convolution: {"column": 36, "row": 44},
    output_recurrent: {},
    sequence_to_sequence: {"column": 74},
    attention: {"column": 74},
    truncated_backpropagation: {"column": 74},
}


def draw(network: Callable[[Picture], None]) -> str:
    """Return the SVG file of a network."""
    picture = Picture(**NETWORKS[network])
    network(picture)
    return picture.svg(network.__name__.replace("_", " "))


if __name__ == "__main__":
    for network in NETWORKS:
        Path(__file__).with_name(f"{network.__name__}.svg").write_text(draw(network), encoding="utf-8")
