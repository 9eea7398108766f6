"""Claude Code's session files: one response is written as several lines that repeat its usage; the last one holds."""
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Set, Union

from calls.record import SUCCESS, AICall
from calls.values import parse_count
from catalog.prices import DatedPrice
from catalog.usage import Usage, cost_nano
from errors import RecordError
from importers.anthropic_usage import unpriced_reason
from importers.base import UNATTRIBUTED, Imported, Importer, Skipped
from importers.fields import count_of, moment, nano_of, plain, value_of, word_of
from importers.reading import Row, dig, head_fields, opened

_MADE_UP = "synthetic"  # in angle brackets: Claude Code's own messages, which no model wrote


class ClaudeCodeImporter(Importer):
    """One response a call, over all files given: resumed sessions copy lines into new files.

    Memory holds a short digest of each response's name. A file is read twice: to find last lines, and to take them.
    """

    id = "claude_code"
    title = "Claude Code session"
    description = "JSON lines of ~/.claude/projects; responses are counted once, over all files given"
    own = {"model": "message.model", "provider": "provider"}

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell the format by the names of its lines."""
        return {"sessionId", "parentUuid", "message", "timestamp"} <= head_fields(head)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Begin without any response seen."""
        super().__init__(*arguments, **options)
        self._seen: Set[int] = set()

    def calls(self, path: Path) -> Iterator[Imported]:
        """Yield the last line of each response that no earlier file held."""
        last: Dict[int, int] = {}
        for line, row in self.rows(path):
            if not isinstance(row, RecordError) and not _not_taken(row):
                last[_key(row)] = line
        for line, row in self.rows(path):
            yield line, row if isinstance(row, RecordError) else self._one(line, row, last)
        self._seen.update(last)

    def _one(self, line: int, row: Row, last: Dict[int, int]) -> Union[AICall, Skipped, RecordError]:
        reason = _not_taken(row)
        if not reason and (last.get(_key(row)) != line or _key(row) in self._seen):
            reason = "lines that repeat a response which another line holds"
        try:
            return Skipped(reason) if reason else self.read(row)
        except RecordError as error:
            return error

    def read(self, row: Row) -> Union[AICall, Skipped]:
        """Return the call of a response; input excludes cached tokens."""
        request = plain(row.get("requestId"))
        name = word_of(row, "message.id")
        model = word_of(row, "message.model")
        usage = opened(dig(row, "message.usage"))
        searches = count_of(usage, "server_tool_use.web_search_requests")
        if searches:
            self.notes["web searches are not in the costs: they are charged beside tokens"] += searches
        if self.business.provider == UNATTRIBUTED and model.startswith("claude"):
            row = {**row, "provider": "anthropic"}
        return self.filled(row, f"{name}:{request}" if request else name, value_of(row, "timestamp", moment),
                           _usage(usage), SUCCESS, given=nano_of(row, "costUSD"), priced=self._priced(usage))

    def _priced(self, usage: Row) -> Callable[[DatedPrice, Usage], Optional[int]]:
        reason = unpriced_reason(usage)

        def priced(price: DatedPrice, counted: Usage) -> Optional[int]:
            if reason:
                self.notes[f"calls are without a cost, since {reason}"] += 1
                return None
            return cost_nano(price, counted, plain(usage.get("service_tier")) == "batch")

        return priced


def _not_taken(row: Row) -> str:
    """Return why a line is no response of a model; empty for one that is."""
    if plain(row.get("type")) != "assistant" or not opened(dig(row, "message.usage")):
        return "lines without a model's response"
    if row.get("isApiErrorMessage") is True or plain(dig(row, "message.model")).strip("<>") == _MADE_UP:
        return "messages of Claude Code itself, about errors"
    return ""


def _key(row: Row) -> int:
    """Return the response's name, of message and request or of the message alone where no request is named."""
    name = f"{plain(dig(row, 'message.id'))}\n{plain(row.get('requestId'))}"
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _usage(usage: Row) -> Usage:
    """Return disjoint counts; writes without a split by lifetime are those of five minutes."""
    written, hour = count_of(usage, "cache_creation_input_tokens"), count_of(
        usage, "cache_creation.ephemeral_1h_input_tokens")
    if opened(usage.get("cache_creation")):
        written = count_of(usage, "cache_creation.ephemeral_5m_input_tokens") + hour
    return Usage(value_of(usage, "input_tokens", parse_count), value_of(usage, "output_tokens", parse_count),
                 count_of(usage, "cache_read_input_tokens"), written - hour, hour)
