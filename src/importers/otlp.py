"""OpenTelemetry spans of GenAI calls as JSON, a request or a span a line, as collectors write them to files."""
from __future__ import annotations

from pathlib import Path
from typing import Iterator, Union

from calls.record import AICall
from calls.values import parse_nano
from errors import RecordError
from importers.base import Imported, Importer, Skipped
from importers.fields import plain
from importers.reading import Row, head_fields
from metering.fields import InvalidCall
from metering.otlp_json import spans_of
from metering.reported import Owner
from metering.spans import COST, Span, read_span


class OtlpImporter(Importer):
    """`resourceSpans` documents or single spans; one span of a GenAI call is one call, all other spans are skipped."""

    id = "otlp"
    title = "OpenTelemetry trace in JSON"
    description = "OTLP spans as JSON lines with the gen_ai attributes, old names or new; other spans are skipped"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell the format by the keys of its documents."""
        found = head_fields(head)
        return "resourceSpans" in found or "scopeSpans" in found or {"traceId", "startTimeUnixNano"} <= found

    def calls(self, path: Path) -> Iterator[Imported]:
        """Yield each span of a file under the line of its document."""
        for line, row in self.rows(path):
            if isinstance(row, RecordError):
                yield line, row
                continue
            try:
                for span in spans_of(row):
                    yield line, self._call(span)
            except ValueError as error:
                yield line, RecordError("row", str(error))

    def _call(self, span: Span) -> Union[AICall, RecordError, Skipped]:
        try:
            call = read_span(self._told(span), self.catalog, self._owner())
        except InvalidCall as error:
            name, reason = next(iter(error.fields.items()))
            return RecordError(name, reason, reason.rpartition("' ")[2])
        return call or Skipped("spans are of no GenAI call")

    def _told(self, span: Span) -> Span:
        """Return the span with attributes under our names for what `--customer-from` and the like name."""
        attributes: Row = dict(span.attributes)
        for field, source in self._sources.items():
            text = plain(attributes.get(source))
            if text:
                attributes[f"finops.{field}"] = text
                self.unseen.discard(field)
        if self.reprice:
            attributes = {name: value for name, value in attributes.items() if name not in COST}
        return span._replace(attributes=attributes)

    def _owner(self) -> Owner:
        known = self.business
        return Owner(known.customer_id, known.organization_id, known.product_id, known.feature_id, known.environment,
                     known.region, known.subscription_tier, parse_nano(known.tier_price_usd), known.customer_archetype)
