"""A dataset of the Hugging Face hub: ``hf://datasets/ORG/NAME`` or ``hf://datasets/ORG/NAME/SPLIT``.

Its Parquet files are read: those the hub makes of every dataset, or those of its own. They are asked of
the hub first, within seconds, so that a new version is noticed; where it cannot be reached, what an
earlier run fetched is taken.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from schemas import CatalogError

log = logging.getLogger(__name__)

_ADDRESS = re.compile(r"hf://datasets/([\w.-]+/[\w.-]+)(?:/([\w.-]+))?/?", re.ASCII)
_REVISIONS = ("refs/convert/parquet", "main")
_SECONDS = 5.0
_SPLIT = re.compile(r"(.+?)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?\.parquet")


def is_dataset(location: str) -> bool:
    return location.startswith("hf://datasets/")


def dataset_files(location: str) -> tuple[str, list[Path]]:
    """The root of a dataset's images, and its Parquet files on this machine, in order.

    Raises:
        CatalogError: there is no such dataset or split, or it is neither to be fetched nor here.
    """
    match = _ADDRESS.fullmatch(location)
    if match is None:
        raise CatalogError(f"{location} is no dataset; write hf://datasets/ORG/NAME, perhaps with /SPLIT behind it")
    repo, split = match[1], match[2]
    hub = _Hub(repo)
    reason = f"{repo} has no Parquet files"
    for revision in _REVISIONS:
        try:
            listed = hub.files(revision)
        except CatalogError as error:
            reason = error.message
            continue
        if chosen := _of_split([path for path in listed if path.endswith(".parquet")], split, repo):
            return f"hf://datasets/{repo}", _fetched(repo, revision, chosen, hub.away is not None)
    raise CatalogError(f"cannot read {location}: {reason}")


class _Hub:
    """What the hub says of a repository; once it was ``away``, it is not asked again."""

    def __init__(self, repo: str) -> None:
        self._repo = repo
        self.away: str | None = None

    def files(self, revision: str) -> list[str]:
        """Paths of the files of a revision, those of an earlier run where the hub is away. Raises CatalogError."""
        from huggingface_hub import HfApi  # slow to import, and only these catalogs need it
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

        repo = self._repo
        if self.away is not None:
            return self._kept(revision)
        try:
            info = HfApi().dataset_info(repo, revision=revision, timeout=_SECONDS)
        except GatedRepoError as error:
            raise CatalogError(f"{repo} is only for those who were let in; log in with `hf auth login`") from error
        except RevisionNotFoundError as error:
            raise CatalogError(f"{repo} has no Parquet files") from error
        except RepositoryNotFoundError as error:
            raise CatalogError(f"the hub has no dataset {repo}, or none that you may read") from error
        except Exception as error:  # errors of the HTTP library, of its server, or offline mode
            self.away = _brief(error)
            return self._kept(revision)
        return [file.rfilename for file in info.siblings or ()]

    def _kept(self, revision: str) -> list[str]:
        from huggingface_hub import get_cached_repo_tree
        from huggingface_hub.errors import CachedRepoTreeNotFoundError

        try:
            files = [file.path for file in get_cached_repo_tree(self._repo, repo_type="dataset", revision=revision)]
        except CachedRepoTreeNotFoundError:
            never = f"the hub cannot be reached ({self.away}), and {self._repo} was not fetched before"
            raise CatalogError(never) from None
        log.warning("the hub cannot be reached (%s): %s is read as it was fetched before", self.away, self._repo)
        return files


def _fetched(repo: str, revision: str, paths: Sequence[str], here: bool) -> list[Path]:
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            repo, repo_type="dataset", revision=revision, allow_patterns=list(paths), local_files_only=here
        )
    except Exception as error:
        raise CatalogError(f"cannot fetch {repo}: {_brief(error)}") from error
    files = [Path(folder, path) for path in paths]
    if missing := next((file for file in files if not file.is_file()), None):
        raise CatalogError(f"cannot read {repo}: {missing.name} was not fetched before, and the hub cannot be reached")
    return files


def _of_split(paths: Sequence[str], wanted: str | None, repo: str) -> list[str]:
    """The parts of one split in order. Without a name it is the only one, or ``train``."""
    splits: dict[str, list[str]] = {}
    for path in sorted(paths):
        splits.setdefault(_split(path), []).append(path)
    if not splits:
        return []
    configs = {str(PurePosixPath(path).parent.parent) for path in paths}
    name = wanted or (next(iter(splits)) if len(splits) == 1 else "train")
    if name not in splits:
        raise CatalogError(f"{repo} has no split {name!r}; it has {', '.join(splits)}: name one, as {repo}/SPLIT")
    if len(configs) > 1:
        parts = [path for path in splits[name] if path.startswith("default/")] or splits[name]
        if len({PurePosixPath(path).parent.parent for path in parts}) > 1:
            raise CatalogError(f"{repo} is several tables ({', '.join(sorted(configs))}); fetch the one that is meant")
        return parts
    return splits[name]


def _split(path: str) -> str:
    """``default/train/0000.parquet`` and ``data/train-00000-of-00002.parquet`` are of ``train``."""
    file = PurePosixPath(path)
    if match := _SPLIT.fullmatch(file.name):
        return match[1]
    return file.parent.name if file.stem.isdigit() else file.stem


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
