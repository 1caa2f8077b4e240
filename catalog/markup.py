"""Values as people read them: tags gone, entities resolved, once, before anything else looks at them.

No parser of HTML, as selectolax: to one, ``a < b``, ``List<String>`` and ``<info@shop.example>`` are markup and vanish.
Here a tag is what has the name of an element of HTML and is written like one, found in one pass whatever the text:
html.parser needs minutes for 100 kB of "<a b=".
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.entities import html5


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_INLINE = _listed("""
a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rp rt ruby s samp small
span strike strong sub sup time tt u var wbr
""")
_OTHERS = _listed("""
address applet area article aside audio base blockquote body br button canvas caption center col colgroup
datalist dd details dialog dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4
h5 h6 head header hgroup hr html iframe img input legend li link main map menu meta meter nav noframes noscript
object ol optgroup option output p param image pre progress script section select source style summary svg
table tbody td template textarea tfoot th thead title tr track ul video
""")
_UNSEEN = frozenset({"script", "style"})
_ALONE = frozenset("abiqsu")
"""Names that are letters as well: ``a <b and c> d`` is a tag only where one that closes it is somewhere."""

_ATTRIBUTES = r"""(?:[\s/]++[^\s"'<>/=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'=<>`]++))?+)*+"""
_MARKUP = re.compile(
    rf"<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*+){_ATTRIBUTES}[\s/]*+>"
    r"|(?P<comment><!--)|<\?xml[^<>]*+>|<!doctype[^<>]*+>|(?P<cdata><!\[CDATA\[|\]\]>)",
    re.I,
)
_LINE = "\n"
_AROUND_LINES = re.compile(r"(?<![ \t])[ \t]*+[\r\n]\s*+")
_CLOSING = re.compile(r"</([a-z])\s*+>", re.I)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
# WooCommerce exports the end of a line as \n and a real \n as \\n. C:\new is a path.
_ESCAPED_LINE = re.compile(r"(?<![\\\w])[a-zA-Z]:\\\S*+|\\\\(?=n)|\\r\\n|\\[rn]")


def decoded(text: str) -> str:
    """Text without HTML, and with line ends where an export wrote ``\\n``. Paragraphs, rows and items become lines."""
    if "<" in text or "]]>" in text:
        text = _without_tags(text)
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    if "\\" in text:
        text = _ESCAPED_LINE.sub(_line_end, text)
    return text


def _character(entity: re.Match[str]) -> str:
    return html.unescape(entity[0]) if entity[0][1] == "#" else html5.get(entity[0][1:], entity[0])


def _line_end(escape: re.Match[str]) -> str:
    if escape[0] == "\\\\":
        return "\\"
    return escape[0] if ":" in escape[0] else "\n"


def _without_tags(markup: str) -> str:
    parts = list(_visible(markup))
    text = "".join(parts)
    # Where lines are made by tags, blanks around those of the markup are how it is indented.
    return _AROUND_LINES.sub("\n", text) if _LINE in parts else text


def _visible(markup: str) -> Iterator[str]:
    closed = {name.lower() for name in _CLOSING.findall(markup)}
    kept = position = 0
    unseen: str | None = None
    comments = True
    while found := _MARKUP.search(markup, position):
        position = found.end()
        name = (found["name"] or "").lower()
        if unseen is not None:
            if found["end"] and name == unseen:
                unseen, kept = None, position
            continue
        if name and ((name not in _INLINE and name not in _OTHERS) or name in _ALONE - closed):
            continue
        start = found.start()
        if found["comment"]:
            end = markup.find("-->", position) if comments else -1
            if end < 0:
                comments = False  # not looked for again
                continue
            position = end + 3
        yield markup[kept:start]
        kept = position
        if name and name not in _INLINE:
            yield _LINE
        elif not name:
            yield " "
        if name in _UNSEEN and not found["end"]:
            unseen = name
    if unseen is None:
        yield markup[kept:]
