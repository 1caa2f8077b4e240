from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from evaluation.__main__ import main
from evaluation.benchmarks.query_load import fill_index
from index import IndexSettings, open_store
from schemas import SearchRequest
from search import Searcher
from tests.support.encoders import HashEncoder


def test_an_index_of_synthetic_products_answers_like_any_other(tmp_path: Path) -> None:
    fill_index(tmp_path, HashEncoder.spec, 200)
    with closing(open_store(IndexSettings(data_dir=tmp_path)).open()) as index:
        searcher = Searcher(index, HashEncoder())
        response = searcher.search(SearchRequest(text="word1 word2", facets=["brand"], group_by="group_id")).response
        assert index.count() == 200
    assert response.total.value == 67
    assert len(response.hits) == 20
    assert response.facets is not None
    assert len(response.facets["brand"].values) == 37


@pytest.mark.parametrize("arguments", [[], ["queries"], ["speed", "--runs", "many"], ["search", "--queries"]])
def test_wrong_arguments_end_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
