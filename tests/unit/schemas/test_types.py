from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import schemas
from schemas import EmbeddingSpec, EmptyRequest, Product, SearchRequest, StoreLensError, describe_value, errors
from schemas.__main__ import MODELS, main

SPEC = {"model": "builtin", "fingerprint": "ab", "dimension": 4, "max_tokens": 77, "preprocessing": "none"}
CURVE = {
    "shares": [0.0, 1.0],
    "probabilities": [0.1, 0.9],
    "floor": 0.5,
    "least_share": 0.5,
    "requests": 20,
}
VERDICT: dict[str, Any] = {
    "probability": {"weights": {"title": 4.0}, "bias": -1.0},
    "none_below": 0.2,
    "good_from": 0.8,
}
LEG = {"leg": "lexical", "score": 1.5, "normalized": 0.5, "weight": 0.2, "rank": 1}
EXPLANATION = {"legs": [LEG], "exact": "title", "matched_terms": ["hoodie"]}
GROUP = {"value": "MH01", "siblings": 1, "sibling_ids": ["2"]}
HIT = {
    "id": "1",
    "score": 0.5,
    "product": {"id": "1"},
    "images": ["/1"],
    "picture": 0,
    "group": GROUP,
    "explain": EXPLANATION,
}
FACET = {"field": "price", "values": [{"value": 1.5, "count": 2}], "min": 1.0, "max": 2.0, "missing": 1}
TOTAL = {"value": 3, "relation": "eq"}
IMAGES = [{"product": id, "picture": 0, "source": f"{id}.jpg", "root": "/shop"} for id in ("1", "2")]

QUALITY = {
    "cosine_mean": 0.999,
    "cosine_min": 0.99,
    "overlap_at_10": 0.97,
    "pictures": 256,
    "fingerprint": "ab",
    "measured_with": "onnxruntime 1.32.0, AVX512, network 2",
}
RULE: dict[str, dict[str, Any]] = {
    "when": {"query": {"is": "sofa"}, "filter": {"in_stock": True}, "from": datetime(2026, 11, 1, tzinfo=UTC)},
    "then": {
        "pin": [{"id": "1", "position": 1}],
        "boost": [{"filter": {"brand": "A"}, "weight": 2.0}],
        "signal": {"field": "sold", "weight": 0.5},
    },
}
CROP = {"x": 0.1, "y": 0.0, "width": 0.9, "height": 1.0}
LABEL = {"name": "cat", "texts": ["a cat"]}
POLICY_RULE = {"name": "knives", "prompts": ["a knife"], "threshold": 0.25, "action": "review"}
ONE_WAY = {"from": "trainers", "to": ["running shoes"]}
LABEL_SCORE = {"label": "cat", "similarity": 0.2, "probability": 0.9}
CLASSIFIED = {"label": "cat", "score": 0.2, "labels": [LABEL_SCORE], "by": "image"}
RULE_SCORE = {
    "rule": "knives",
    "score": 0.1,
    "threshold": None,
    "fired": False,
    "action": "review",
    "calibrated": False,
}
OF_LABELS: dict[str, Any] = {
    "name": "category",
    "version": 1,
    "model": "builtin",
    "fingerprint": "0" * 64,
    "products": 100,
    "generation": "000001-abcdef",
    "made": datetime(2026, 11, 1, tzinfo=UTC),
    "source": "images.jsonl",
    "images": 50,
    "test": {},
}
APPEAL: dict[str, Any] = {"action": "allow", "by": "a person", "at": datetime(2026, 11, 1, tzinfo=UTC)}
WAITING: dict[str, Any] = {
    "id": "1",
    "product": {"id": "1"},
    "images": [],
    "action": "review",
    "judged": "review",
    "rules": [RULE_SCORE],
}
DISPUTED = {"id": "1", "given": "dog", "predicted": "cat", "probability": 0.9, "looks_like": "cat", "surer": 2.5}
DECISION = {"action": "allow", "rules": [RULE_SCORE], "by": "text"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "Appeal": APPEAL,
    "AppealEntry": {**APPEAL, "id": "1", "before": "review"},
    "AppealRequest": {"by": "a person", "appeals": [{"id": "1", "action": "allow"}]},
    "AppealResponse": {"appeals": [{**APPEAL, "id": "1", "before": "review"}], "generation": "000002-abcdef"},
    "Appealed": {"id": "1", "action": "allow", "note": "a tomato"},
    "Disagreements": {"field": "category", "compared": 10, "count": 1, "products": [DISPUTED]},
    "DisputedProduct": DISPUTED,
    "LabelCatalogRequest": {"label_set": "departments", "field": "category"},
    "LabelCatalogResponse": {
        "label_set": "departments",
        "version": 2,
        "calibration": "background",
        "products": 40,
        "labels": {"cat": 39, "unknown": 1},
        "changed": 40,
        "generation": "000002-abcdef",
        "disagreements": {"field": "category", "compared": 10, "count": 1, "products": [DISPUTED]},
        "notices": [],
    },
    "JudgeRequest": {"policy": "house"},
    "JudgedRequest": {"text": "red"},
    "JudgeResponse": {
        "policy": "house",
        "version": 2,
        "products": 40,
        "allow": 20,
        "review": 10,
        "block": 10,
        "changed": 3,
        "appeals": 1,
        "generation": "000002-abcdef",
        "notices": [],
    },
    "QueueResponse": {"products": [WAITING], "total": 1},
    "Waiting": WAITING,
    "Classified": CLASSIFIED,
    "ClassifyRequest": {"labels": ["cat", LABEL], "text": "a kitten"},
    "ClassifyResponse": {
        "results": [CLASSIFIED],
        "threshold": None,
        "temperature": 0.1,
        "calibration": "uncalibrated",
        "notices": [],
        "took_ms": 1.5,
    },
    "Decision": DECISION,
    "LabelScore": LABEL_SCORE,
    "ModerateRequest": {"policy": "house", "product_ids": ["1"]},
    "ModerateResponse": {"decisions": [DECISION], "policy": "house", "version": 1, "notices": [], "took_ms": 1.5},
    "RuleScore": RULE_SCORE,
    "Boost": {"filter": {"brand": "A"}, "weight": 2.0},
    "Exemplar": {"product_id": "1"},
    "Label": LABEL,
    "LabelSet": {"labels": [LABEL], "templates": ["a photo of {}"], "multi": True},
    "OneWay": ONE_WAY,
    "Pin": {"id": "1", "position": 1},
    "Policy": {"rules": [POLICY_RULE]},
    "PolicyRule": POLICY_RULE,
    "Rule": RULE,
    "RuleQuery": {"starts": "sofa"},
    "RuleThen": {"redirect": "/sale"},
    "RuleWhen": RULE["when"],
    "Signal": {"field": "sold", "weight": 0.5},
    "Synonyms": {"groups": [["sofa", "couch"]], "one_way": [ONE_WAY], "language": "en"},
    "Change": {"before": "float", "after": None},
    "EmbeddingSpec": SPEC,
    "ExpandedWord": {"word": "couch", "synonyms": ["sofa"]},
    "UnderstoodQuery": {
        "text": "gren couch",
        "corrected": "green couch",
        "expanded": [{"word": "couch", "synonyms": []}],
    },
    "Explanation": EXPLANATION,
    "Facet": FACET,
    "FacetValue": {"value": "red", "count": 2},
    "Group": GROUP,
    "Generation": {
        "name": "000001-abcdef",
        "serving": True,
        "products": 3,
        "model": "builtin",
        "precision": "float32",
        "created": datetime(2026, 1, 2, tzinfo=UTC),
        "updated": None,
        "size": None,
    },
    "Hit": HIT,
    "ImageQuery": {"base64": "AAAA", "crop": CROP},
    "Crop": CROP,
    "HighlightPiece": {"text": "red", "marked": True},
    "Like": {"image": {"base64": "AAAA"}, "weight": 2.0},
    "Negative": {"text": "red", "product_ids": ["1"], "weight": 0.5},
    "IndexRecord": {
        "collection": "products",
        "embedding": SPEC,
        "fields": {"brand": "keyword"},
        "average_words": 20.5,
        "precision_quality": QUALITY,
        "created": datetime(2026, 1, 2, tzinfo=UTC),
        "updated": datetime(2026, 1, 3, tzinfo=UTC),
    },
    "IngestReport": {"catalog": "c.jsonl", "collection": "products", "model": "builtin", "rejects": {"row-invalid": 1}},
    "Bucket": {"gte": 0.0, "lt": 5.0, "count": 2},
    "Calibration": {
        "model": "builtin",
        "fingerprint": "ab",
        "products": 500,
        "generation": "000001",
        "made": datetime(2026, 1, 2, tzinfo=UTC),
        "requests": {"category": 20},
        "words": VERDICT,
        "fitting": {"covered": CURVE},
        "test": {"verdict": {"none of what is not sold": 0.95}},
    },
    "Curve": CURVE,
    "LabelCalibration": {**OF_LABELS, "temperature": 0.1, "threshold": 0.2, "bias": 0.5, "deciles": [0.1] * 9},
    "PolicyCalibration": {**OF_LABELS, "thresholds": {"weapons": 0.1}, "deciles": {"weapons": [0.1] * 9}},
    "Logistic": VERDICT["probability"],
    "Verdict": VERDICT,
    "LegExplanation": LEG,
    "PrecisionQuality": QUALITY,
    "ImageRef": IMAGES[0],
    "Product": {
        "id": "1",
        "images": ("a", "b"),
        "color": ("red",),
        "price": 1.5,
        "attributes": {"a": [1, {"b": None}]},
    },
    "Rejection": {"line": 3, "code": "row-invalid", "reason": "no id", "content": {"title": "x"}},
    "DuplicateCluster": {"kind": "identical", "pictures": IMAGES},
    "DuplicatePair": {"kind": "similar", "one": IMAGES[0], "other": IMAGES[1], "cosine": 0.9, "difference": 1.5},
    "SearchRequest": {
        "text": "hoodie",
        "image": {"base64": "AAAA"},
        "like": [{"text": "a warm hoodie", "weight": 2.0}, {"product_id": "1"}],
        "negative": {"text": "red"},
        "filter": {"brand": ["A"]},
        "facets": ["brand"],
        "sort": [{"field": "price", "order": "desc"}],
        "group_by": "group_id",
    },
    "SearchResponse": {"hits": [HIT], "total": TOTAL, "facets": {"price": FACET}, "notices": ["n"], "took_ms": 1.5},
    "Sort": {"field": "price"},
    "Total": TOTAL,
}


@pytest.mark.parametrize("name", MODELS)
def test_every_type_round_trips(name: str) -> None:
    model = MODELS[name]
    value = model(**EXAMPLES[name])
    assert model.model_validate_json(value.model_dump_json()) == value
    with pytest.raises(ValidationError):
        model(**EXAMPLES[name] | {"unheard_of": 1})


@pytest.mark.parametrize("name", MODELS)
def test_the_json_schema_of_every_type_prints(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([name])
    printed = json.loads(capsys.readouterr().out)
    if "$ref" in printed:  # what is within itself, as labels are
        printed = printed["$defs"][name]
    assert printed["title"] == name
    assert printed["additionalProperties"] is False
    assert not re.match("[A-Z][a-z]+[A-Z]", printed["description"])  # a name where a word was meant
    fields = MODELS[name].model_fields
    assert {field.alias or name for name, field in fields.items()} == set(printed["properties"])


def test_all_json_schemas_print() -> None:
    done = subprocess.run([sys.executable, "-m", "schemas"], capture_output=True, text=True, check=True)
    assert list(json.loads(done.stdout)) == list(MODELS)


def test_an_unknown_type_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["Nothing"])
    assert exit.value.code == 2
    assert "SearchRequest" in capsys.readouterr().err


def test_schemas_import_pydantic_and_the_standard_library_alone() -> None:
    program = """
import sys, pydantic
before = set(sys.modules)
import schemas
new = {name.partition(".")[0] for name in set(sys.modules) - before if not name.startswith("_sysconfigdata")}
print(sorted(new - sys.stdlib_module_names - {"schemas", "pydantic", "pydantic_core", "annotated_types"}))
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_schemas_export_every_public_class_and_function_of_theirs() -> None:
    assert sorted(schemas.__all__) == sorted(set(schemas.__all__))
    for name in schemas.__all__:
        assert getattr(schemas, name) is not None
    defined = {
        name
        for module in vars(schemas).values()
        if inspect.ismodule(module) and module.__name__.startswith("schemas.") and module.__name__ != "schemas.__main__"
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
        if inspect.isclass(value) or inspect.isfunction(value)
    }
    assert defined <= set(schemas.__all__)


def all_errors(base: type[StoreLensError] = StoreLensError) -> list[type[StoreLensError]]:
    return [
        base,
        *(
            error
            for child in base.__subclasses__()
            for error in all_errors(child)
            if error.__module__ == "schemas.errors"
        ),
    ]


def drawn_tree() -> list[tuple[int, str]]:
    """Depth and name of each line of the tree in the module's docstring."""
    lines = re.findall(r"^([│├└─ ]*)([A-Z]\w+_?)(?:  .*)?$", errors.__doc__ or "", re.MULTILINE)
    return [(len(branches) // 4, name) for branches, name in lines]


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    ancestors: list[str] = []
    drawn = {}
    for depth, name in drawn_tree():
        ancestors[depth:] = [name]
        drawn[name] = ancestors[depth - 1] if depth else "Exception"
    assert drawn == {error.__name__: error.__bases__[0].__name__ for error in all_errors()}
    assert len(drawn) > 30


def test_errors_carry_what_programs_and_people_need() -> None:
    for error in all_errors():
        raised = error("what to do", field="price")
        assert (str(raised), raised.message, raised.field) == ("what to do", "what to do", "price")
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)
        assert "code" in vars(error)


@pytest.mark.parametrize(
    "row", [{"id": ""}, {"id": "x" * 1025}, {"id": 1}, {"id": "1", "price": "2"}, {"id": "1", "price": float("nan")}]
)
def test_products_are_strict(row: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Product(**row)


@pytest.mark.parametrize(
    "request_",
    [
        {"text": " "},
        {"text": "x" * 4_001},
        {"text": "\ud800"},
        {"text": 1},
        {"limit": -1},
        {"limit": 101},
        {"limit": "5"},
        {"product_id": ""},
        {"image": {}},
        {"sort": [{"field": "price", "order": "up"}]},
        {"facets": ["a"] * 33},
        {"facets": ["\ud800"]},
        {"sort": [{"field": "\ud800"}]},
        {"filter": []},
        {"page": 0},
        {"page": 2, "cursor": "x"},
        {"page": 11, "limit": 100},
        {"max_per": {"brand": 0}},
        {"diversity": 1.5},
    ],
)
def test_requests_are_strict(request_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SearchRequest(**request_)


def test_a_request_must_ask_something() -> None:
    empties: tuple[dict[str, Any], ...] = ({}, {"limit": 5, "explain": True})
    for empty in empties:
        with pytest.raises(EmptyRequest, match="at least one of"):
            SearchRequest.model_validate(empty).require_question()
    questions: tuple[dict[str, Any], ...] = (
        {"text": "a"},
        {"product_id": "1"},
        {"filter": {}},
        {"sort": [{"field": "price"}]},
    )
    for asked in questions:
        SearchRequest.model_validate(asked).require_question()


def test_specs_differ_in_all_but_name_and_precision() -> None:
    spec = EmbeddingSpec.model_validate(SPEC)
    assert spec.differences(spec.model_copy(update={"precision": "bfloat16", "model": "/elsewhere"})) == []
    changed = {"fingerprint": "cd", "dimension": 5, "max_tokens": 9, "preprocessing": "x", "prompts": {"query": "q: "}}
    for name, value in changed.items():
        assert spec.differences(spec.model_copy(update={name: value})) == [name]


def test_every_model_says_what_it_is() -> None:
    for name, model in MODELS.items():
        assert issubclass(model, BaseModel)
        assert model.__doc__, name


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "null"),
        (True, "true or false (True)"),
        (1.5, "a number (1.5)"),
        ("a", "text ('a')"),
        ("\ud800", "text ('\\ud800')"),
        ([1], "a list ([1])"),
        ({"a": 1}, "an object ({'a': 1})"),
        (b"a", "bytes (b'a')"),
    ],
)
def test_values_in_messages(value: object, says: str) -> None:
    assert describe_value(value) == says


def test_a_value_in_a_message_is_short() -> None:
    assert describe_value(10**9_999) == "a number"  # Python does not write so many digits
    deep: Any = "x" * 10_000
    for _ in range(50_000):
        deep = [deep, "y" * 10_000, {"z" * 10_000: deep}]
    assert len(describe_value(deep)) < 300
