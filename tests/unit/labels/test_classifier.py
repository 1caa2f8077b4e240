"""Labels as vectors: what is near which, how probable, and what is near none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from images.arrays import Vectors
from labels import Classifier, PromptEncoder, Scale, ensemble, label_nodes
from schemas import BadVectors, EmbeddingSpec, LabelSet
from tests.support.encoders import HashEncoder
from tests.support.points import unit

IMAGE = np.array([[0.60, 0.80]], np.float32)


def _label_set(*names: str, **further: object) -> LabelSet:
    return LabelSet.model_validate({"labels": [{"name": name} for name in names], **further})


def _rows(*rows: Sequence[float]) -> Vectors:
    return np.array(rows, np.float32)


class TestTheTextbookCase:
    NODES = label_nodes(_label_set("red car", "blue bicycle", "green tree"))
    WRITTEN = _rows((0.64, 0.77), (0.00, 1.00), (0.80, 0.60))

    def test_a_vector_that_is_not_of_unit_length_is_caught(self) -> None:
        assert np.linalg.norm(self.WRITTEN[0]) == pytest.approx(1.00125, abs=1e-5)
        with pytest.raises(BadVectors, match=r"row 0 of 3 has length 1\.0012"):
            Classifier(self.NODES, self.WRITTEN)

    def test_similarities_and_ranking(self) -> None:
        units = self.WRITTEN / np.linalg.norm(self.WRITTEN, axis=1, keepdims=True)
        (answer,) = Classifier(self.NODES, units).classify(IMAGE, Scale(0.1), 3)
        assert answer.label == "red car"
        assert [self.NODES[likely.label].name for likely in answer.likely] == ["red car", "green tree", "blue bicycle"]
        assert [likely.similarity for likely in answer.likely] == pytest.approx([0.99875, 0.96, 0.80], abs=1e-5)


def test_what_is_classified_must_be_of_unit_length() -> None:
    classifier = Classifier(label_nodes(_label_set("a")), _rows((1, 0)))
    with pytest.raises(BadVectors):
        classifier.classify(_rows((3, 4)), Scale(1.0), 1)
    assert classifier.classify(np.empty((0, 2), np.float32), Scale(1.0), 1) == []


def test_a_low_temperature_is_surer_and_orders_alike() -> None:
    classifier = Classifier(label_nodes(_label_set("a", "b", "c")), _rows((1, 0), (0.8, 0.6), (0, 1)))
    (sure,) = classifier.classify(IMAGE, Scale(0.001), 3)
    (unsure,) = classifier.classify(IMAGE, Scale(10.0), 3)
    assert [likely.label for likely in sure.likely] == [likely.label for likely in unsure.likely]
    assert sure.likely[0].probability > 0.999
    assert unsure.likely[0].probability == pytest.approx(1 / 3, abs=0.02)
    for answer in (sure, unsure):
        assert sum(likely.probability for likely in answer.likely) == pytest.approx(1.0)


def test_below_the_threshold_it_is_unknown_and_what_was_nearest_is_told_all_the_same() -> None:
    classifier = Classifier(label_nodes(_label_set("a", "b")), _rows((1, 0), (0.8, 0.6)))
    (near,) = classifier.classify(IMAGE, Scale(0.1, threshold=0.96), 1)
    (far,) = classifier.classify(IMAGE, Scale(0.1, threshold=0.97), 1)
    assert (near.label, far.label) == ("b", "unknown")
    assert near.score == far.score == pytest.approx(0.96)
    assert len(far.likely) == 1


def test_a_bias_is_taken_from_every_similarity() -> None:
    classifier = Classifier(label_nodes(_label_set("a", "b")), _rows((1, 0), (0.8, 0.6)))
    (answer,) = classifier.classify(IMAGE, Scale(0.1, bias=np.array([0.0, 0.5], np.float32)), 2)
    assert answer.label == "a"
    assert [likely.similarity for likely in answer.likely] == pytest.approx([0.6, 0.46])


def test_several_may_be_right_at_once() -> None:
    classifier = Classifier(
        label_nodes(_label_set("a", "b", "c", multi=True)), _rows((1, 0), (0.8, 0.6), (0, 1)), multi=True
    )
    (answer,) = classifier.classify(IMAGE, Scale(0.1, threshold=0.75), 3)
    assert answer.all == ["b", "c"]
    assert [likely.probability > 0.5 for likely in answer.likely] == [True, True, False]
    (none,) = classifier.classify(IMAGE, Scale(0.1, threshold=0.99), 3)
    assert (none.label, none.all) == ("unknown", [])
    (unjudged,) = classifier.classify(IMAGE, Scale(0.1), 3)
    assert (unjudged.label, unjudged.all) == ("b", ["b"])


class TestLabelsWithinLabels:
    SET = LabelSet.model_validate(
        {
            "labels": [
                {"name": "clothes", "labels": [{"name": "shirt"}, {"name": "other"}]},
                {"name": "food", "labels": [{"name": "apple"}, {"name": "other"}]},
                {"name": "car"},
            ],
            "templates": ["{}"],
        }
    )

    def test_each_knows_its_place(self) -> None:
        nodes = label_nodes(self.SET)
        paths = [node.path for node in nodes]
        assert paths[:3] == [("clothes",), ("food",), ("car",)]
        assert [paths[child] for child in nodes[1].children] == [("food", "apple"), ("food", "other")]

    def test_the_department_decides_with_the_category(self) -> None:
        vectors = unit(7, 8, seed=3)
        classifier = Classifier(label_nodes(self.SET), vectors)
        similarities = classifier.similarities(unit(1, 8, seed=4))
        probabilities = classifier.probabilities(similarities, Scale(0.2))[0]
        of = {node.path: probability for node, probability in zip(classifier.nodes, probabilities, strict=True)}
        assert sum(of[path] for path in of if len(path) == 1) == pytest.approx(1.0)
        assert of["food", "apple"] + of["food", "other"] == pytest.approx(of["food",])
        (answer,) = classifier.classify(unit(1, 8, seed=4), Scale(0.2), 10)
        leaves = [classifier.nodes[likely.label].path for likely in answer.likely]
        assert sorted(leaves) == sorted(
            [("clothes", "shirt"), ("clothes", "other"), ("food", "apple"), ("food", "other"), ("car",)]
        )
        assert sum(likely.probability for likely in answer.likely) == pytest.approx(1.0)


def test_every_name_of_a_label_is_put_into_every_template_once() -> None:
    label_set = LabelSet.model_validate(
        {
            "labels": [{"name": "x", "texts": ["sofa", "couch"]}, {"name": "mug"}],
            "templates": ["a {label}", "{}", "a {}"],
        }
    )
    assert [node.texts for node in label_nodes(label_set)] == [
        ("a sofa", "sofa", "a couch", "couch"),
        ("a mug", "mug"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": []},
        {"labels": [{"name": "Unknown"}]},
        {"labels": [{"name": "a"}, {"name": "A "}]},
        {"labels": [{"name": "a"}], "templates": ["a photo"]},
        {"labels": [{"name": "a"}], "templates": ["{} {}"]},
        {"labels": [{"name": "a"}], "temperature": 0},
        {"labels": [{"name": "a"}], "threshold": float("nan")},
        {"labels": [{"name": "a", "texts": []}]},
        {"labels": [{"name": "a", "labels": [{"name": "b"}, {"name": "b"}]}]},
    ],
)
def test_label_sets_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        LabelSet.model_validate(wrong)


class TestEnsembles:
    def test_are_the_mean_of_unit_vectors_of_unit_length_again(self) -> None:
        rows = unit(5, 16, seed=1)
        mean = rows.mean(axis=0)
        assert ensemble(rows) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
        with pytest.raises(BadVectors):
            ensemble(rows * 1.00125)

    def test_no_text_is_encoded_twice(self) -> None:
        encoder = _Counting()
        prompts = PromptEncoder(encoder)
        first = prompts.ensembles([["a cat", "the cat"], ["a dog"]])
        again = prompts.ensembles([["a dog"], ["the cat", "a cat"]])
        assert first == pytest.approx(again[::-1], abs=1e-6)
        assert sorted(encoder.seen) == ["a cat", "a dog", "the cat"]


class _Counting(HashEncoder):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        self.seen += texts
        return super().encode_texts(texts)


def test_a_model_that_gives_bad_vectors_is_refused() -> None:
    class Bad(HashEncoder):
        spec: EmbeddingSpec = HashEncoder.spec

        def encode_texts(self, texts: Sequence[str]) -> Vectors:
            return 2 * super().encode_texts(texts)

    with pytest.raises(BadVectors, match="the prompts"):
        PromptEncoder(Bad()).encode(["a"])
