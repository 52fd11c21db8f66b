"""A figure's SVG made fit for the page: only drawing elements, themed colours, no ids or styles that could clash.

Nothing of the file is taken on trust: what is not on the lists below does not reach the page.
"""

import re
from xml.etree import ElementTree

from smearlab.core.errors import UserError
from smearlab.figures._hover import SAID
from smearlab.figures._style import TOKENS, WIDTH

SVG = "{http://www.w3.org/2000/svg}"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
ELEMENTS = {
    *("svg", "g", "defs", "use", "clipPath", "text", "tspan"),
    *("path", "rect", "circle", "line", "polyline", "image"),
}
ATTRIBUTES = {
    *("d", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "width", "height", "points"),
    *("transform", "viewBox", "clip-path", "clip-rule", "fill-rule"),
}
PROPERTIES = {
    *("fill", "fill-opacity", "fill-rule", "opacity", "stroke", "stroke-dasharray", "stroke-dashoffset"),
    *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-opacity", "stroke-width"),
    *("font-size", "font-style", "font-weight", "text-anchor", "image-rendering"),
}
LETTER, TIP_TOP = 4.9, 24.0  # the width of a letter of a tip; a mark above that has its tip below
VALUE = re.compile(r"[A-Za-z0-9#.,%+\- ]{1,80}")
PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]+")
REFERENCE = re.compile(r"url\(#([A-Za-z0-9_-]{1,60})\)")
VARIABLES = {light.lower(): f"var(--{name})" for name, (light, _) in TOKENS.items()}


class Stylesheet:
    """Collects the inline styles of all figures as classes, so that the page needs no inline style at all."""

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}

    def name(self, style: str) -> str:
        """Return the class for a style attribute ("" if nothing allowed is in it)."""
        rules = _rules(style)
        return self._classes.setdefault(rules, f"s{len(self._classes)}") if rules else ""

    def css(self) -> str:
        """Return the rules of all classes."""
        return "\n".join(f"figure .{name}{{{rules}}}" for rules, name in self._classes.items())


def inline(svg: str, prefix: str, sheet: Stylesheet) -> str:
    """Return the SVG for embedding in HTML: cleaned, its ids prefixed, its styles moved to the sheet.

    Raises UserError for text that is no SVG.
    """
    if "<!ENTITY" in svg:
        raise UserError(f"figure {prefix}: an SVG with entities is not accepted")
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise UserError(f"figure {prefix}: not an SVG file: {error}") from None
    if root.tag != f"{SVG}svg":
        raise UserError(f"figure {prefix}: not an SVG file")
    used = _references(root)
    clean = _clean(root, prefix, used, sheet)
    for size in ("width", "height"):
        clean.attrib.pop(size, None)
    clean.set("aria-hidden", "true")
    return _compact(ElementTree.tostring(clean, encoding="unicode", short_empty_elements=True))


def _references(root: ElementTree.Element) -> set[str]:
    used = set()
    for element in root.iter():
        used.update(REFERENCE.findall(element.get("clip-path", "")))
        if (target := element.get(XLINK_HREF, "")).startswith("#"):
            used.add(target[1:])
    return used


def _clean(element: ElementTree.Element, prefix: str, used: set[str], sheet: Stylesheet) -> ElementTree.Element:
    clean = ElementTree.Element(element.tag.removeprefix(SVG))
    if clean.tag in ("text", "tspan"):
        clean.text = element.text
    _copy_attributes(element, clean, prefix, used)
    if name := sheet.name(element.get("style", "")):
        clean.set("class", name)
    for child in element:
        if isinstance(child.tag, str) and child.tag.removeprefix(SVG) in ELEMENTS and child.tag.startswith(SVG):
            copied = _clean(child, prefix, used, sheet)
            if clean.tag == "text":
                copied.tail = child.tail
            if not _is_empty(copied):
                clean.append(copied)
    if element.get("id", "").startswith(SAID):
        _add_tip(clean, element.get("id", "").removeprefix(SAID))
    return clean


def _add_tip(mark: ElementTree.Element, said: str) -> None:
    """Put what a mark says beside it, for the style sheet to show while a pointer rests on the mark."""
    place = next((use for use in mark.iter("use") if use.get("x") and use.get("y")), None)
    if place is None:
        return
    x, y = float(place.get("x", 0)), float(place.get("y", 0))
    mark.set("class", "said")
    tip = ElementTree.SubElement(mark, "text", {"class": "tip"})
    tip.set("x", f"{max(2.0, min(x + 8, 72 * WIDTH - LETTER * len(said))):.1f}")  # within the figure
    tip.set("y", f"{y + 16 if y < TIP_TOP else y - 8:.1f}")
    tip.text = said


def _copy_attributes(element: ElementTree.Element, clean: ElementTree.Element, prefix: str, used: set[str]) -> None:
    for name, value in element.attrib.items():
        if name == "clip-path":
            value = REFERENCE.sub(rf"url(#{prefix}-\1)", value) if REFERENCE.fullmatch(value) else ""
        elif name == "transform":
            value = re.sub(r"rotate\(-?0 [^)]*\)", "", value).strip()
        if name in ATTRIBUTES and value:
            clean.set(name, _short(value))
    if element.get("id") in used:
        clean.set("id", f"{prefix}-{element.get('id')}")
    if (target := element.get(XLINK_HREF, "")).startswith("#"):
        clean.set("href", f"#{prefix}-{target[1:]}")
    elif clean.tag == "image" and PICTURE.fullmatch(target):
        clean.set("href", re.sub(r"\s", "", target))


def _is_empty(element: ElementTree.Element) -> bool:
    """Whether an element draws nothing and names nothing: matplotlib leaves many such groups."""
    if element.tag in ("g", "defs"):
        return len(element) == 0
    if element.tag == "image":
        return not element.get("href")
    return element.tag == "path" and not element.get("d")


def _rules(style: str) -> str:
    kept = []
    for part in style.split(";"):
        name, _, value = (text.strip() for text in part.partition(":"))
        if name in PROPERTIES and VALUE.fullmatch(value):
            kept.append(f"{name}:{VARIABLES.get(value.lower(), value)}")
    return ";".join(kept)


def _short(value: str) -> str:
    """Round coordinates to two decimals: a hundredth of a point is not seen."""
    value = re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m.group()):.2f}".rstrip("0").rstrip("."), value)
    return re.sub(r"\s+", " ", value).strip()


def _compact(text: str) -> str:
    return re.sub(r">\s+<", "><", text).replace(' xmlns="http://www.w3.org/2000/svg"', "")
