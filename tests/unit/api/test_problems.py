from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

import schemas
from api.problems import STATUS, answer, problem, status_of, validation_problem
from schemas import IndexMissing, Overloaded, SearchRequest, StoreLensError


def every(cls: type[StoreLensError]) -> list[type[StoreLensError]]:
    return [cls, *(found for sub in cls.__subclasses__() for found in every(sub))]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("EmptyRequest", 422),
        ("RequestTooLarge", 422),
        ("BodyTooLarge", 413),
        ("Overloaded", 503),
        ("InvalidCursor", 422),
        ("ImageTooManyPixels", 422),
        ("ImageTooLarge", 413),
        ("ImageHostRefused", 422),
        ("ImageNotFound", 422),
        ("ImageUnreachable", 502),
        ("ImageHostGivenUp", 502),
        ("NotAImage", 415),
        ("ImageDamaged", 415),
        ("ProductNotFound", 404),
        ("ProductImageNotFound", 404),
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


@pytest.mark.parametrize("error", every(StoreLensError), ids=lambda error: error.code)
def test_what_is_not_the_caller_s_doing_is_told_without_what_is_behind_it(error: type[StoreLensError]) -> None:
    told = answer(error("http://qdrant:6333 said b'no', set STORELENS_QDRANT_API_KEY", field="qdrant_url"))
    body = json.loads(bytes(told.body))
    hidden = told.status_code in (500, 503) and error is not Overloaded  # which knows nothing of a server
    assert ("qdrant:6333" not in body["detail"]) is hidden
    assert ("errors" not in body) is hidden
    assert ("retry-after" in told.headers) is (told.status_code == 503)


def test_hints_name_the_job_as_it_is_run_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORELENS_COMMAND", "docker compose run --rm job")
    assert b"`docker compose run --rm job CATALOG`" in bytes(answer(IndexMissing("")).body)


def test_a_detail_that_is_not_valid_unicode_is_answered() -> None:
    body = problem(404, "not-found", "no \ud800", [{"field": "\udfff", "message": "m"}]).body
    assert json.loads(bytes(body))["detail"] == "no \ud800"


def test_an_answer_is_short_whatever_is_wrong() -> None:
    with pytest.raises(ValidationError) as wrong:
        SearchRequest.model_validate({f"k{number}" * 1_000: 1 for number in range(1_000)})
    response = validation_problem(wrong.value)
    body = json.loads(bytes(response.body))
    assert len(response.body) < 10_000
    assert len(body["errors"]) == 20
    assert body["detail"].endswith("; and 995 more")
    assert body["errors"][0]["field"].startswith("k0k0")
    assert len(problem(422, "x", "毛" * 10**6, [{"field": "毛" * 10**6, "message": "毛" * 10**6}]).body) < 200_000


def test_who_is_refused_for_want_of_room_is_told_when_to_come_again() -> None:
    assert int(answer(Overloaded("full")).headers["Retry-After"]) > 0
