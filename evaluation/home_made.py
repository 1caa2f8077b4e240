"""Labelled requests made from any catalog: what it sells, as people may ask for it, and what it does not.

``category``, ``brand``, ``color category``: values of these fields. ``misspelt``: a category with a letter wrong.
``synonym``: an English word that no product has for one that some say they are. ``title``: some words of one.
``description``: one without the words of its title. ``not sold``: everyday things far from the catalog's words, alone
and beside words that it has, and noise of a keyboard. ``image``: an image of a product, asked with among all products
but it and its variants. ``product``: a product itself. ``image not sold``: drawings of everyday things.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from PIL import Image

from catalog import title_key
from evaluation.queries import LabelledQuery
from index import CatalogIndex, Names, sample_products, stem_token, terms
from schemas import All, AnyOf, ConfigurationError, Filter, HasWord, Match, Not, SearchRequest
from search import Searcher
from search.result_set import Observed
from search.thesaurus import SAME, thesaurus
from search.vocabulary import Vocabulary

EVERYDAY_THINGS = Path(__file__).parent / "data" / "everyday_things.txt"

IMAGES = Path(__file__).parent / "data" / "everyday_images.webp"
IMAGE_NAMES = Path(__file__).parent / "data" / "everyday_images.txt"

QueryKind = Literal["category", "brand", "color category", "misspelt", "synonym", "title", "description", "not sold"]

_IN_A_ROW = 12
_QUICK_IMAGES = 40
_VALUES = 60
"""Of each kind."""
_PRODUCTS = 80
_MOST_RELEVANT = 5_000
_LARGEST_SHARE = 0.5
"""Of a catalog; what more of it has tells nothing apart."""
_SOLD_SHARE = 0.2
"""Of a department's things that a catalog has words for, from which on it may sell the others as well."""
_STEP = re.compile(r"[/>|]")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NEIGHBOURS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


@dataclass(frozen=True, slots=True)
class HomeMade:
    """A request and the points of the products that fit it, none for what is not sold.

    ``source`` is what it was made of: requests of one source belong in one part of a split.
    """

    kind: QueryKind
    text: str
    relevant: frozenset[UUID]
    source: str
    literal: bool = False


class Maker:
    """Makes the same requests of the same catalog each time."""

    def __init__(self, index: CatalogIndex, seed: int = 0) -> None:
        self._index = index
        self._vocabulary = Vocabulary(index.vocabulary())
        self._random = random.Random(seed)
        self._products = index.count()

    def requests(self) -> list[HomeMade]:
        sold = [*self._categories(), *self._brands(), *self._synonyms(), *self._known_items()]
        return [*sold, *self._not_sold()]

    def _values(self, field: str) -> list[tuple[str, int]]:
        """Values of a text field that some products share, but not most, by chance."""
        if self._index.record.fields.get(field) != "keyword":
            return []
        most = self._products * _LARGEST_SHARE
        values = [
            (str(value), count)
            for value, count in self._index.facet(field, None, 1_000)
            if 2 <= count <= most and terms(str(value))
        ]
        self._random.shuffle(values)
        return values[:_VALUES]

    def _having(self, *matches: tuple[str, str]) -> frozenset[UUID]:
        same = All(tuple(Match(field, "keyword", (value,)) for field, value in matches))
        return frozenset(self._index.scan(same, _MOST_RELEVANT))

    def _categories(self) -> Iterator[HomeMade]:
        for category, _ in self._values("category"):
            name = _STEP.split(category)[-1].strip().replace("_", " ")
            relevant = self._having(("category", category))
            yield HomeMade("category", name.lower(), relevant, category)
            if misspelt := self._misspelt(name.lower()):
                yield HomeMade("misspelt", misspelt, relevant, category)
            colors = self._index.facet("color", Match("category", "keyword", (category,)), 20)
            several = [(str(color), count) for color, count in colors if 2 <= count < len(relevant)]
            for color, _ in self._random.sample(several, min(2, len(several))):
                same = self._having(("category", category), ("color", color))
                yield HomeMade("color category", f"{color} {name}".lower(), same, category)

    def _brands(self) -> Iterator[HomeMade]:
        for brand, _ in self._values("brand"):
            yield HomeMade("brand", brand, self._having(("brand", brand)), f"brand {brand}")

    def _synonyms(self) -> Iterator[HomeMade]:
        """Of nouns that say what some products are, one that no product has."""
        most = self._products * _LARGEST_SHARE / 2
        words = [word for word in self._index.vocabulary() if 3 <= word.subjects <= most and word.term.isalpha()]
        self._random.shuffle(words)
        made = 0
        for word in words:
            if made >= _VALUES:
                return
            token = stem_token(word.term)
            if token is None or len(word.term) < 4:
                continue
            others = [
                other
                for other, weight in thesaurus().synonyms(word.term)
                if weight == SAME and not any(self._vocabulary.has(part) for part in terms(other))
            ]
            if others:
                having = HasWord(tuple(self._vocabulary.spellings(token)), subject=True)
                same = frozenset(self._index.scan(having, _MOST_RELEVANT))
                # Those that a thesaurus has are found by it; others are to be found by what they mean alone.
                for literal in (False, True):
                    yield HomeMade("synonym", others[0], same, word.term, literal)
                made += 1

    def _known_items(self) -> Iterator[HomeMade]:
        for stored in sample_products(self._index, _PRODUCTS, ()):
            row = stored.payload["product"]
            title, description = row.get("title"), row.get("description")
            if not title:
                continue
            source = f"title {title_key(title)}"
            same = frozenset(self._index.named(Names(titles=[title_key(title)]), None, 1_000))
            words = title.split()
            if len(words) > 2:
                words.pop(self._random.randrange(len(words)))
                yield HomeMade("title", " ".join(words), same, source)
            if description:
                of_title = set(map(stem_token, terms(title)))
                kept = [word for word in description.split() if of_title.isdisjoint(map(stem_token, terms(word)))]
                if len(kept) > 8:
                    yield HomeMade("description", " ".join(kept[:40]), same, source)

    def _not_sold(self) -> Iterator[HomeMade]:
        things = [thing for _, things in _departments() if not self._sells(things) for thing in things]
        things = [thing for thing in things if not self.writes(thing)]
        beside = [str(value).lower() for value, _ in (*self._values("color")[:20], *self._values("brand")[:20])]
        for thing in things:
            yield HomeMade("not sold", thing, frozenset(), thing)
            if beside and self._random.random() < 0.25:
                yield HomeMade("not sold", f"{self._random.choice(beside)} {thing}", frozenset(), thing)
        for _ in range(max(8, len(things) // 8)):
            noise = self._noise()
            yield HomeMade("not sold", noise, frozenset(), noise)

    def _sells(self, things: Sequence[str]) -> bool:
        return sum(map(self.writes, things)) >= _SOLD_SHARE * len(things)

    def writes(self, thing: str) -> bool:
        """Whether a product says that it is one."""
        tokens = [token for word in terms(thing) if (token := stem_token(word)) is not None]
        spelt = [tuple(self._vocabulary.spellings(token)) for token in tokens]
        having = All(tuple(HasWord(words, subject=True) for words in spelt))
        return all(spelt) and self._index.count(having) > 0

    def _misspelt(self, name: str) -> str | None:
        """One letter of a long word twice, left out, another, or in its neighbour's place."""
        words = name.split()
        long = [at for at, word in enumerate(words) if len(word) > 4 and word.isalpha()]
        if not long:
            return None
        at = self._random.choice(long)
        word, letter = words[at], self._random.randrange(1, len(words[at]) - 1)
        words[at] = self._random.choice(
            (
                word[:letter] + word[letter:][:1] + word[letter:],
                word[:letter] + word[letter + 1 :],
                word[:letter] + self._random.choice(_LETTERS) + word[letter + 1 :],
                word[:letter] + word[letter + 1] + word[letter] + word[letter + 2 :],
            )
        )
        return " ".join(words) if words[at] != word else None

    def _noise(self) -> str:
        row = self._random.choice(_NEIGHBOURS)
        start = self._random.randrange(len(row) - 3)
        letters = row[start : start + self._random.randrange(4, 8)]
        some = "".join(self._random.choice(_LETTERS) for _ in range(self._random.randrange(5, 10)))
        return self._random.choice((letters, some, letters + letters[:3]))


def labelled_queries(index: CatalogIndex) -> list[LabelledQuery]:
    """Those of the requests that something fits and that words alone ask, as a file of queries has them.

    Raises ConfigurationError where products have too little in common for any.
    """
    queries: dict[str, LabelledQuery] = {}
    for one in Maker(index).requests():
        qid = f"{one.kind}: {one.text}"
        if one.relevant and not one.literal and qid not in queries:
            ids = sorted(payload["id"] for payload in index.payloads(list(one.relevant), ["id"]).values())
            row = {"qid": qid, "kind": one.kind, "query": one.text, "relevant": ids}
            queries[qid] = LabelledQuery.model_validate(row)
    if not queries:
        raise ConfigurationError("no queries can be made: products of this catalog have too little in common")
    return list(queries.values())


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled request and what was observed of it; ``relevant`` is empty for what is not sold."""

    kind: str
    source: str
    relevant: frozenset[UUID]
    observed: Observed


class ImageMaker:
    """Asks with the images of a catalog, which are stored as vectors, and with drawings, which are embedded."""

    def __init__(self, searcher: Searcher, *, quick: bool = False, seed: int = 0) -> None:
        self._searcher = searcher
        self._index = searcher.index
        self._maker = Maker(searcher.index, seed)
        self._random = random.Random(seed)
        self._products = _QUICK_IMAGES if quick else _PRODUCTS
        self._drawings = _QUICK_IMAGES if quick else 1_000

    def requests(self) -> Iterator[Example]:
        some = 0
        for stored in sample_products(self._index, self._products, ("image",)):
            row = stored.payload["product"]
            alike = self._alike(row)
            if alike:
                seen = self._searcher.observe(SearchRequest(product_id=row["id"]))
                yield Example("product", row["id"], alike - {stored.id}, seen)
            vectors = stored.vectors.get("image")
            if vectors is None or not len(vectors):
                continue
            some += 1
            group = row.get("group_id")
            own: list[Filter] = [Match("id", "keyword", (row["id"],))]
            own += [Match("group_id", "keyword", (str(group),))] if group is not None else []
            observed = self._searcher.observe_image(vectors[0].copy(), Not(AnyOf(tuple(own))))
            # Without a category nobody can say what fits, but that something does.
            yield Example("image", row["id"], alike or frozenset(observed.shares), observed)
        if some:
            yield from self._not_sold()

    def _alike(self, row: dict[str, Any]) -> frozenset[UUID]:
        """Products of the same category, where that tells something."""
        category = row.get("category")
        if not category:
            return frozenset()
        same = Match("category", "keyword", (category,))
        if self._index.count(same) > self._index.count() * _LARGEST_SHARE:
            return frozenset()
        return frozenset(self._index.scan(same, _MOST_RELEVANT))

    def _not_sold(self) -> Iterator[Example]:
        names = [line for line in IMAGE_NAMES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        with Image.open(IMAGES) as sheet:
            drawn = sheet.convert("RGBA")
        size = drawn.width // _IN_A_ROW
        wanted = [(at, name) for at, name in enumerate(names) if not self._maker.writes(name)]
        for at, name in self._random.sample(wanted, min(self._drawings, len(wanted))):
            left, top = size * (at % _IN_A_ROW), size * (at // _IN_A_ROW)
            image = self._on_a_ground(drawn.crop((left, top, left + size, top + size)))
            vector = self._searcher.encoder.encode_images([image])[0]
            yield Example("image not sold", name, frozenset(), self._searcher.observe_image(vector, All(())))

    def _on_a_ground(self, drawing: Image.Image) -> Image.Image:
        """As a photo has one: light or coloured, and not the same everywhere."""
        side = 2 * drawing.width + 32
        one, other = (tuple(self._random.randrange(40, 256) for _ in range(3)) for _ in range(2))
        shade = Image.linear_gradient("L").resize((side, side)).rotate(self._random.choice((0, 90, 180, 270)))
        ground = Image.composite(Image.new("RGB", (side, side), one), Image.new("RGB", (side, side), other), shade)
        large = drawing.resize((2 * drawing.width, 2 * drawing.height), Image.Resampling.LANCZOS)
        ground.paste(large, (16, 16), large)
        return ground


def _departments() -> Iterator[tuple[str, list[str]]]:
    for line in EVERYDAY_THINGS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, things = line.partition(":")
            yield name, [thing.strip() for thing in things.split(",")]
