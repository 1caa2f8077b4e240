"""The description of this API that it gives at ``/openapi.json``: what FastAPI cannot know of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

from api.middleware.auth import is_open
from api.problems import MEDIA_TYPE
from api.settings import ApiSettings
from schemas import DOCUMENT_BODIES, AppealRequest, ClassifyRequest, ModerateRequest, SearchRequest

_SCHEMAS = "#/components/schemas/{model}"

_WHEN = {
    400: "The request is no HTTP/1.1, or for a name that this server does not answer to.",
    401: "An API key is needed.",
    403: "The key is none of those that may review.",
    404: "There is no such product, image of it, or document.",
    408: "The request did not arrive in time.",
    412: "The document is of another version than the condition allows.",
    413: "More bytes than this server takes.",
    415: "The body has another media type, or the photo is no image that can be read.",
    422: "Something in the request is unknown, of the wrong type, or given twice; `errors` names it.",
    431: "The request's head is too large.",
    500: "Something went wrong in here.",
    502: "The photo cannot be had from its URL.",
    503: "No index, no model, or too many requests; some say in Retry-After when to ask again.",
}
_ALWAYS = (400, 408, 422, 431, 500)


class FieldProblem(BaseModel):
    field: str = Field(description="Its path in the request, as `filter.price.gte`.")
    message: str


class Problem(BaseModel):
    """What went wrong, after RFC 9457."""

    type: str = Field(description="`urn:storelens:problem:` and the code.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="For people: what is wrong and what to do.")
    code: str = Field(description="For programs: stable.")
    errors: list[FieldProblem] = Field([], description="The fields that are wrong, where some are: the first 20.")


def responses(*statuses: int, **content: Any) -> dict[int | str, dict[str, Any]]:
    """The answers of a route: ``content`` by media type, where FastAPI does not know it, and problems."""
    answers: dict[int | str, dict[str, Any]] = {}
    if content:
        answers[200] = content
    for status in sorted({*_ALWAYS, *statuses}):
        answers[status] = {
            "description": _WHEN[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS.format(model="Problem")}}},
        }
    return answers


def _given(name: str, **kind: Any) -> dict[str, Any]:
    return {"required": [name], "properties": {name: kind}}


_SEARCH_REQUEST = {"$ref": _SCHEMAS.format(model="SearchRequest")}
SEARCH_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "allOf": [_SEARCH_REQUEST],
                "anyOf": [
                    _given("text", type="string"),
                    _given("image", type="object"),
                    _given("product_id", type="string"),
                    _given("like", type="array"),
                    _given("filter", type="object"),
                    _given("sort", type="array", minItems=1),
                ],
            },
            "examples": {
                "words": {"value": {"text": "something to make dal", "limit": 5}},
                "a browse": {"value": {"filter": {"in_stock": True}, "sort": [{"field": "price"}]}},
                "words, filtered and counted": {
                    "value": {"text": "mug", "filter": {"price": {"lt": 20}}, "facets": ["category"]}
                },
                "two things, and not a third": {
                    "value": {"like": [{"text": "mug"}, {"text": "red", "weight": 0.5}], "negative": {"text": "glass"}}
                },
                "what is like a product, but green": {"value": {"product_id": "B021", "text": "green"}},
            },
        }
    },
}


def json_body(model: type[BaseModel], **examples: Any) -> dict[str, Any]:
    """A body that is a request of this kind in JSON."""
    content = {
        "schema": {"$ref": _SCHEMAS.format(model=model.__name__)},
        "examples": {name.replace("_", " "): {"value": value} for name, value in examples.items()},
    }
    return {"required": True, "content": {"application/json": content}}


def form_body(model: type[BaseModel], *, optional: bool = False) -> dict[str, Any]:
    """A form with a photo as `file`, and the rest of the request as JSON, which may be left out if ``optional``."""
    request = {"$ref": _SCHEMAS.format(model=model.__name__)}
    schema = {
        "type": "object",
        "required": ["file"] if optional else ["file", "request"],
        "additionalProperties": False,
        "properties": {
            "file": {"type": "string", "format": "binary", "description": "The photo."},
            "request": {**request, "description": "The rest of the request, as JSON; without a photo of its own."},
        },
    }
    encoding = {"request": {"contentType": "application/json"}}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema, "encoding": encoding}}}


FORM_BODY = form_body(SearchRequest, optional=True)

_DOCUMENTS = {model.__name__.lstrip("_"): model for model in DOCUMENT_BODIES.values()}
DOCUMENT = {"anyOf": [{"$ref": _SCHEMAS.format(model=name)} for name in _DOCUMENTS]}
DOCUMENT_BODY = {"required": True, "content": {"application/json": {"schema": DOCUMENT}}}

_PARSED_HERE: dict[str, type[BaseModel]] = {
    "Problem": Problem,
    **{model.__name__: model for model in (SearchRequest, ClassifyRequest, ModerateRequest, AppealRequest)},
    **_DOCUMENTS,
}


def describe(app: FastAPI, settings: ApiSettings) -> dict[str, Any]:
    """FastAPI's description, completed with the schemas of what it does not parse itself; of this very server, which
    may want keys, and may not fetch photos."""
    description = FastAPI.openapi(app)
    schemas = description["components"]["schemas"]
    for name, model in _PARSED_HERE.items():
        schema = model.model_json_schema(ref_template=_SCHEMAS)
        schemas |= schema.pop("$defs", {})
        schemas[name] = schema
    if not settings.image_urls:
        del schemas["ImageQuery"]["properties"]["url"], schemas["ImageQuery"]["oneOf"]
        schemas["ImageQuery"]["required"] = ["base64"]
    if settings.api_keys or settings.review_keys:
        description["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": "One of STORELENS_API_KEYS."}
        }
        for path, operations in description["paths"].items():
            for operation in operations.values() if not is_open(path) else ():
                operation["security"] = [{"key": []}]
                operation["responses"] |= {str(HTTPStatus.UNAUTHORIZED): responses(401)[401]}
    return description
