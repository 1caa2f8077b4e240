"""What becomes of a batch of products, decided by what the index has stored of them.

Changed words embed words, a changed image embeds that image, a changed product number writes what it is found by, a
changed price writes a payload, and what is unchanged costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from catalog import StoredState, hash_row, stored_state
from ingest.images import PreparedImage
from ingest.rejects import rejection
from ingest.second_pass import CatalogRow
from schemas import Product, Rejection, StoreLensError


@dataclass(frozen=True, slots=True)
class ProductChange:
    """A product of which something is to be written.

    ``state`` is what the index is to remember of it at ``point``, ``images`` those that the state speaks of. ``stored``
    is what the index remembers now, at the point ``stored_at``; None where it has nothing of the product.
    """

    product: Product
    point: UUID
    images: tuple[PreparedImage, ...]
    state: StoredState
    stored: StoredState | None
    stored_at: UUID | None

    @property
    def stored_images(self) -> tuple[str, ...]:
        """What the images show that the index has of it."""
        return self.stored.shown if self.stored else ()

    @property
    def new_images(self) -> bool:
        return not set(self.stored_images).issuperset(self.state.shown)

    @property
    def new_words(self) -> bool:
        return self.stored is None or self.stored.words != self.state.words

    @property
    def new_point(self) -> bool:
        """Whether more than the payload is to be written: its words as they are looked up, or all of it elsewhere."""
        stored = self.stored
        return stored is None or self.stored_at != self.point or stored.lexical != self.state.lexical


@dataclass(slots=True)
class Changes:
    """A batch of products, sorted by what is to be done for them: ``embed`` get other vectors than the index has, of
    ``update`` something else is written. ``rejections`` are of what could not be used."""

    embed: list[ProductChange] = field(default_factory=list)
    update: list[ProductChange] = field(default_factory=list)
    unchanged: int = 0
    rejections: list[Rejection] = field(default_factory=list)


def compare(rows: Iterable[CatalogRow], root: str) -> Changes:
    """What of a batch is new, and what of it the index has already.

    Args:
        root: Where the relative paths of images lead: see ``images.roots``.
    """
    changes = Changes()
    for row in rows:
        errors = (*row.image_errors, *row.load_errors, *row.value_errors)
        if errors:
            # What can still be found by its words or another image is indexed all the same.
            usable = bool(row.images or row.product.title or row.product.description)
            changes.rejections.append(row_rejection(row, errors, degraded=usable))
            if not usable:
                continue
        # A row of which something could not be used is looked at again every time.
        row_hash = "" if errors else hash_row(row.values, root)
        state = stored_state(row.product, root=root, images=[image.state for image in row.images], row=row_hash)
        change = ProductChange(row.product, row.point, row.images, state, row.stored, row.stored_at)
        if change.new_words or change.stored_images != state.shown:
            changes.embed.append(change)
        elif change.new_point or _is_otherwise_new(state, row.stored):
            changes.update.append(change)
        else:
            changes.unchanged += 1
    return changes


def row_rejection(row: CatalogRow, errors: Sequence[StoreLensError], *, degraded: bool = False) -> Rejection:
    """The rejection of a product for all that is wrong with it: the first error's kind, and what all of them say."""
    error = errors[0]
    if len(errors) > 1:
        error = type(error)("; ".join(error.message for error in errors), field=error.field)
    return rejection(row.line, error, row.values, id=row.product.id, degraded=degraded)


def _is_otherwise_new(state: StoredState, stored: StoredState | None) -> bool:
    """Whether something is to be stored besides words, images and what the lexical vector is made of."""
    if stored is None or not stored.is_same_product(state):
        return True
    # What an image was laid on is known only now: it is not to be asked again.
    asked = {image.hash for image in stored.images if image.ground is None}
    return any(image.hash in asked and image.ground is not None for image in state.images)
