from __future__ import annotations

import json

import pytest

import schemas
from api.problems import STATUS, problem, status_of
from schemas import StoreLensError


def every(cls: type[StoreLensError]) -> list[type[StoreLensError]]:
    return [cls, *(found for sub in cls.__subclasses__() for found in every(sub))]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("EmptyRequest", 422),
        ("InvalidCursor", 422),
        ("PictureTooManyPixels", 422),
        ("PictureTooLarge", 413),
        ("PictureHostRefused", 422),
        ("PictureNotFound", 422),
        ("PictureUnreachable", 502),
        ("PictureHostGivenUp", 502),
        ("NotAPicture", 415),
        ("PictureDamaged", 415),
        ("ProductNotFound", 404),
        ("ProductPictureNotFound", 404),
        ("IndexMissing", 503),
        ("IndexUnavailable", 503),
        ("ModelMismatch", 503),
        ("ConfigurationError", 500),
    ],
)
def test_an_error_has_the_status_of_its_line(error: str, status: int) -> None:
    assert status_of(getattr(schemas, error)("message")) == status


def test_every_error_has_a_status_that_programs_can_tell() -> None:
    assert {status_of(cls("message")) for cls in every(StoreLensError)} <= set(STATUS.values())


def test_a_detail_that_is_not_valid_unicode_is_answered() -> None:
    body = problem(404, "not-found", "no \ud800", [{"field": "\udfff", "message": "m"}]).body
    assert json.loads(bytes(body))["detail"] == "no \ud800"
