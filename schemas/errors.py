"""Every error StoreLens raises on purpose.

StoreLensError
├── ConfigurationError            a setting is missing, wrong, or contradicts another
├── CatalogError                  a catalog that cannot be read at all
├── RowError                      one row that cannot become a product (``field`` says where)
│   ├── RowUnreadable             a line that is no row at all
│   ├── RowRepeated               an id that an earlier row of the catalog has
│   └── ValueUnusable             one value that its column cannot have; the product is kept without it
├── ImageError                  one image that cannot be used
│   ├── ImageNotFound
│   ├── ImageOutsideCatalog     a path that leaves the catalog's folder
│   ├── ImageSourceUnsupported  a kind of source this version does not read
│   ├── ImageHostRefused        a host, or an address, that the settings do not allow
│   ├── ImageUnreachable        its server did not give it whole, in time; later it may
│   │   └── ImageHostGivenUp    not even asked: the server failed too often before
│   ├── ImageTooLarge           too many bytes
│   ├── ImageTooManyPixels
│   ├── NotAImage               bytes that no decoder knows
│   ├── ImageDamaged            an image that breaks off or does not decode
│   └── ImageTooCostly          takes more scans, time or memory than decoding may
├── RequestError                  a request that cannot be answered as it stands
│   ├── EmptyRequest
│   ├── UnknownField              a filter, facet, sort or group names a field the index does not have
│   ├── WrongType                 a value or an operation that does not fit the field
│   ├── InvalidCursor
│   ├── DocumentInvalid           a document that its kind does not allow (``field`` says where)
│   └── RequestTooLarge           more parts than a filter may have
│       └── BodyTooLarge          more bytes than are read
├── DocumentChanged               a document is not of the version that was to be replaced
├── DocumentDamaged               a document that is kept and cannot be read
├── NotFound
│   ├── DocumentNotFound
│   ├── ProductNotFound
│   └── ProductImageNotFound
├── ModelError
│   ├── ModelNotFound             no such model here, and none to be fetched
│   ├── ModelMismatch             the encoder is not the one the index was built with
│   └── BadVectors                vectors that are not finite, not unit length, or of another dimension
├── IndexError_
│   ├── IndexMissing              nothing has been ingested yet
│   ├── IndexLocked               another job holds the index
│   ├── IndexDamaged              what is on disk cannot be opened
│   ├── IndexDiskFull             no room for what is to be written
│   ├── IndexForbidden            its folder is read-only, another user's, or a file
│   ├── IndexUnavailable          the Qdrant server does not answer
│   ├── GenerationUnknown         no generation of this name is kept
│   └── GenerationServes          one that serves cannot be removed
├── ReviewKeyNeeded               what only those who review may see or do
├── Overloaded                    too much is asked at once; in a moment it may be answered
└── ClientGone                    nobody waits for the answer any more

``code`` is stable and meant for programs: it is the ``code`` of a rejected row and the last part of
the ``type`` of an HTTP problem. The message is meant for people and says what to do.
"""

from __future__ import annotations

from typing import ClassVar


class StoreLensError(Exception):
    """Base of every error raised on purpose."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        """The field of a row or request that the error is about, where there is one."""


class ConfigurationError(StoreLensError):
    code = "configuration"


class CatalogError(StoreLensError):
    code = "catalog-unreadable"


class RowError(StoreLensError):
    code = "row-invalid"


class RowUnreadable(RowError):
    code = "row-unreadable"


class RowRepeated(RowError):
    code = "row-repeated"


class ValueUnusable(RowError):
    code = "value-unusable"


class ImageError(StoreLensError):
    code = "picture-unusable"


class ImageNotFound(ImageError):
    code = "picture-not-found"


class ImageOutsideCatalog(ImageError):
    code = "picture-outside-catalog"


class ImageSourceUnsupported(ImageError):
    code = "picture-source-unsupported"


class ImageHostRefused(ImageError):
    code = "picture-host-refused"


class ImageUnreachable(ImageError):
    code = "picture-unreachable"


class ImageHostGivenUp(ImageUnreachable):
    code = "picture-host-given-up"


class ImageTooLarge(ImageError):
    code = "picture-too-large"


class ImageTooManyPixels(ImageError):
    code = "picture-too-many-pixels"


class NotAImage(ImageError):
    code = "not-a-picture"


class ImageDamaged(ImageError):
    code = "picture-damaged"


class ImageTooCostly(ImageError):
    code = "picture-too-costly"


class RequestError(StoreLensError):
    code = "request-invalid"


class EmptyRequest(RequestError):
    code = "request-empty"


class UnknownField(RequestError):
    code = "unknown-field"


class WrongType(RequestError):
    code = "wrong-type"


class InvalidCursor(RequestError):
    code = "cursor-invalid"


class DocumentInvalid(RequestError):
    code = "document-invalid"


class RequestTooLarge(RequestError):
    code = "request-too-large"


class BodyTooLarge(RequestTooLarge):
    code = "request-too-large"


class DocumentChanged(StoreLensError):
    code = "document-changed"


class DocumentDamaged(StoreLensError):
    code = "document-damaged"


class NotFound(StoreLensError):
    code = "not-found"


class DocumentNotFound(NotFound):
    code = "document-not-found"


class ProductNotFound(NotFound):
    code = "product-not-found"


class ProductImageNotFound(NotFound):
    code = "picture-not-found"


class ModelError(StoreLensError):
    code = "model"


class ModelNotFound(ModelError):
    code = "model-not-found"


class ModelMismatch(ModelError):
    code = "model-mismatch"


class BadVectors(ModelError):
    code = "vectors-bad"


class IndexError_(StoreLensError):  # noqa: N801 - IndexError is Python's own
    code = "index"


class IndexMissing(IndexError_):
    code = "index-missing"


class IndexLocked(IndexError_):
    code = "index-locked"


class IndexDamaged(IndexError_):
    code = "index-damaged"


class IndexDiskFull(IndexError_):
    code = "index-disk-full"


class IndexForbidden(IndexError_):
    code = "index-forbidden"


class IndexUnavailable(IndexError_):
    code = "index-unavailable"


class GenerationUnknown(IndexError_):
    code = "generation-unknown"


class GenerationServes(IndexError_):
    code = "generation-serves"


class Overloaded(StoreLensError):
    code = "overloaded"
    retry_after: ClassVar[int] = 2
    """Seconds."""


class ReviewKeyNeeded(StoreLensError):
    code = "review-key-needed"


class ClientGone(StoreLensError):
    code = "client-gone"
