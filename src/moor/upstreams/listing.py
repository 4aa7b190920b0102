"""What all upstreams share about their list of models: it lies on disk, and is fetched when asked for."""

from __future__ import annotations

from moor.domain.models import Catalogue
from moor.errors.upstream import CatalogueMissingError
from moor.store.catalogues import load_catalogue
from moor.store.home import Home


def stored_catalogue(home: Home, upstream: str, hint: str = "") -> Catalogue:
    """The list as last fetched; no network. Raises CatalogueMissingError."""
    catalogue = load_catalogue(home, upstream)
    if catalogue is None:
        raise CatalogueMissingError(upstream, hint)
    return catalogue
