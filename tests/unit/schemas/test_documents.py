"""What the kinds of documents allow, and how what is wrong is told."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import MAX_DOCUMENT_BYTES, DocumentInvalid, DocumentKind, check_document

ACTION = {"hide": ["1"]}


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("synonyms", {}, "there are no synonyms in it"),
        ("synonyms", {"groups": [], "one_way": []}, "there are no synonyms in it"),
        ("synonyms", {"groups": [["sofa", ""]]}, "groups.0.1: String should have at least 1 character"),
        ("synonyms", {"groups": [["sofa", " \u200b"]]}, "groups.0.1: there is nothing in it"),
        ("synonyms", {"groups": [["sofa", "-/-"]]}, "groups.0.1: '-/-' has no word in it"),
        ("synonyms", {"groups": [["sofa", "a b c d e f g h i"]]}, "has more than 8 words"),
        ("synonyms", {"groups": [["sofa", "x" * 101]]}, "groups.0.1: String should have at most 100 characters"),
        ("synonyms", {"groups": [["sofa"]]}, "groups.0: List should have at least 2 items"),
        ("synonyms", {"groups": [["Café", "cafe\u0301"]]}, "groups.0: 'café' is in it twice"),
        ("synonyms", {"groups": [["a", "b"], ["c", "d"], ["B", "A"]]}, "groups.2 is the same as groups.0"),
        ("synonyms", {"groups": [[f"word{n}" for n in range(101)]]}, "groups.0: List should have at most 100 items"),
        ("synonyms", {"groups": [["a", "b"]] * 10_001}, "groups: List should have at most 10000 items"),
        ("synonyms", {"groups": "sofa"}, "groups: Input should be a valid array"),
        ("synonyms", {"one_way": [{"from": "shoe", "to": []}]}, "one_way.0.to: List should have at least 1 item"),
        (
            "synonyms",
            {"one_way": [{"from": "shoe", "to": ["Shoe"]}]},
            "one_way.0: 'shoe' cannot be",
        ),
        ("synonyms", {"one_way": [{"from": "a", "to": ["b"]}, {"from": "A", "to": ["c"]}]}, "one_way.1 is from 'A' as"),
        ("synonyms", {"one_way": [{"from_": "a", "to": ["b"]}]}, "one_way.0.from: Field required"),
        ("synonyms", {"groups": [["a", "b"]], "language": "english please"}, "language: String should match"),
        ("synonyms", [["a", "b"]], "Input should be an object"),
        ("rules", {"when": {}, "then": {}}, "then: say what is to be done"),
        ("rules", {"when": {"query": {"is": "a", "starts": "b"}}, "then": ACTION}, "when.query: give one of is"),
        ("rules", {"when": {"from": "2026-11-01"}, "then": ACTION}, "when.from: "),
        (
            "rules",
            {"when": {"from": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"}, "then": ACTION},
            "when: it ends before it begins",
        ),
        ("rules", {"when": {}, "then": {"redirect": "javascript:alert(1)"}}, "then.redirect: it is no address"),
        ("rules", {"when": {}, "then": {"redirect": "//elsewhere"}}, "then.redirect: it is no address"),
        (
            "rules",
            {"when": {}, "then": {"pin": [{"id": "1", "position": 1}, {"id": "2", "position": 1}]}},
            "then: two pins have one position",
        ),
        (
            "rules",
            {"when": {}, "then": ACTION | {"pin": [{"id": "1", "position": 1}]}},
            "'1' is both pinned and",
        ),
        ("label-sets", {"labels": []}, "labels: List should have at least 1 item"),
        ("label-sets", {"labels": [{"name": "cat"}, {"name": "Cat"}]}, "labels: 'Cat' is in it twice"),
        ("label-sets", {"labels": [{"name": "cat"}], "temperature": 0}, "temperature: Input should be greater than 0"),
        ("policies", {"rules": []}, "rules: List should have at least 1 item"),
        (
            "policies",
            {"rules": [{"name": "a", "prompts": [], "action": "block"}]},
            "rules.0: a rule needs prompts",
        ),
        ("calibrations", {"a": float("nan")}, "it cannot be written as JSON"),
        ("calibrations", {"a": "\ud800"}, "Invalid JSON"),
        ("calibrations", {"a": "é" * MAX_DOCUMENT_BYTES}, f"it is larger than {MAX_DOCUMENT_BYTES:,} bytes"),
        ("calibrations", None, "Input should be an object"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(kind: DocumentKind, content: Any, said: str) -> None:
    with pytest.raises(DocumentInvalid) as raised:
        check_document(kind, content)
    assert said in raised.value.message


def test_many_faults_are_told_shortly() -> None:
    with pytest.raises(DocumentInvalid) as raised:
        check_document("synonyms", {"groups": [["a"]] * 1000})
    assert raised.value.message.endswith("; and 995 more")
    assert raised.value.field == "groups.0"


def test_phrases_are_kept_in_one_form() -> None:
    body = check_document("synonyms", {"groups": [["  sofa\u00a0 bed ", "cafe\u0301"]]})
    assert body.model_dump(exclude_unset=True) == {"groups": [["sofa bed", "café"]]}


@pytest.mark.parametrize(("name", "field"), [("search", "model"), ("label-set-hue", "name"), ("policy-a", "name")])
def test_a_calibration_that_is_written_is_what_its_name_says(name: str, field: str) -> None:
    with pytest.raises(DocumentInvalid) as raised:
        check_document("calibrations", {"foo": 1}, name)
    assert raised.value.field == field
    check_document("calibrations", {"foo": 1}, "house")
    check_document("calibrations", {"foo": 1})  # as it is read: an older version may have written it
