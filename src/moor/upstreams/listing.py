"""What all upstreams share about their list of models: it lies on disk, and is fetched when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

from moor.domain.models import NANO, Catalogue, Model, Price
from moor.domain.settings import ADMINISTRATOR, PriceSettings
from moor.errors.upstream import CatalogueMissingError
from moor.store.catalogues import load_catalogue
from moor.store.home import Home


def stored_catalogue(home: Home, upstream: str, hint: str = "") -> Catalogue:
    """The list as last fetched; no network. Raises CatalogueMissingError."""
    catalogue = load_catalogue(home, upstream)
    if catalogue is None:
        raise CatalogueMissingError(upstream, hint)
    return catalogue


def repriced(catalogue: Catalogue, prices: Mapping[str, PriceSettings]) -> Catalogue:
    """With the prices of the settings where they name a model: the administrator's before the user's, and of one
    level the one for its id before the first glob that fits."""
    if not prices:
        return catalogue
    return msgspec.structs.replace(catalogue, models=tuple(_repriced(model, prices) for model in catalogue.models))


def _repriced(model: Model, prices: Mapping[str, PriceSettings]) -> Model:
    fitting = [(glob, one) for glob, one in prices.items() if glob == model.id or fnmatchcase(model.id, glob)]
    if not fitting:
        return model
    _, found = min(fitting, key=lambda pair: (pair[1].level != ADMINISTRATOR, pair[0] != model.id))
    return msgspec.structs.replace(model, price=_price(found))


def _price(stated: PriceSettings) -> Price:
    fresh, read, write = stated.input, stated.cache_read, stated.cache_write
    return Price(
        input=_nano(fresh),
        output=_nano(stated.output),
        cache_read=_nano(fresh if read is None else read),
        cache_write=_nano(fresh if write is None else write),
        source=stated.level or "config",
        date=stated.date,
        cache_write_1h=None if stated.cache_write_1h is None else _nano(stated.cache_write_1h),
    )


def _nano(dollars: float) -> int:
    return round(dollars * NANO)
