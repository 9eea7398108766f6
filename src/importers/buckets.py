"""What reports of usage share: a bucket is the sum of many calls, and the log gets it as one row."""
from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Iterator, Optional, Tuple, Union

from calls.record import SUCCESS, AICall
from catalog.prices import DatedPrice
from catalog.usage import Usage, cost_nano
from errors import RecordError
from importers.base import Imported, Importer, Skipped
from importers.fields import plain
from importers.reading import Row

OPEN_ENDED = "buckets of models with long-context prices do not say how long prompts were: priced as short ones"


class BucketImporter(Importer, ABC):
    """Base of importers of usage reports: `results` of buckets that have a beginning, in pages or alone."""

    begins = ""  # the bucket's field that says when it begins

    def calls(self, path: Path) -> Iterator[Imported]:
        """Yield a row a result; its id is made of what it holds, so that a second import repeats it."""
        for number, bucket in self.rows(path):
            if isinstance(bucket, RecordError):
                yield number, bucket
                continue
            results = bucket.get("results")
            if not isinstance(results, list):
                yield number, RecordError("results", "is no list: this is no bucket of a usage report")
                continue
            for one in results:
                try:
                    yield number, self.result(bucket, one if isinstance(one, dict) else {})
                except RecordError as error:
                    yield number, error

    @abstractmethod
    def result(self, bucket: Row, row: Row) -> Union[AICall, Skipped]:
        """Return the row of a result; raises `RecordError`."""

    def summed(self, bucket: Row, row: Row, moment_ms: int, usage: Usage, batch: bool = False,
               longer: Optional[bool] = None, unpriced: str = "") -> Union[AICall, Skipped]:
        """Return a result as a row: `longer` says whether its prompts were long ones, `unpriced` why no price fits."""
        if not usage.prompt + usage.output:
            return Skipped("buckets without tokens")
        self.notes["rows stand for a bucket of calls each: counts of calls are counts of buckets"] += 1
        if unpriced:
            self.notes[f"buckets are without a cost, since {unpriced}"] += 1

        def priced(price: DatedPrice, counted: Usage) -> Optional[int]:
            if unpriced:
                return None
            held, unsure = _price_of(price, counted, longer)
            if unsure:
                self.notes[OPEN_ENDED] += 1
            return cost_nano(held, counted, batch)

        return self.filled(row, _identity(self.id, plain(bucket.get(self.begins)), row), moment_ms, usage, SUCCESS,
                           given=None, priced=priced)


def _price_of(price: DatedPrice, usage: Usage, longer: Optional[bool]) -> Tuple[DatedPrice, bool]:
    """Return the price of a bucket's prompts, and whether it could be another.

    The bucket's own sum says nothing of the length of a prompt in it, unless it is short itself.
    """
    if price.long_context is None:
        return price, False
    if longer:
        return price._replace(long_context=price.long_context._replace(above_input_tokens=-1)), False
    unsure = longer is None and usage.prompt > price.long_context.above_input_tokens
    return price._replace(long_context=None), unsure


def _identity(name: str, begin: str, row: Any) -> str:
    text = json.dumps([begin, row], sort_keys=True, default=str)
    return f"{name}-{begin}-{hashlib.blake2b(text.encode('utf-8'), digest_size=8).hexdigest()}"
