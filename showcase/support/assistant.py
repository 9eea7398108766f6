"""A stand-in for a model at a provider: answers at once and offline, with the figures that a real answer carries."""
from __future__ import annotations

import time
from typing import Callable, NamedTuple, Optional

LETTERS_A_TOKEN = 4
LEAST_OUTPUT = 40  # tokens
FIRST_TOKEN_MS, MS_A_TOKEN = 300, 12


class Answer(NamedTuple):
    """An answered call: times are milliseconds since 1970 UTC; `error` is the status that a provider failed with."""

    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    started_ms: int
    ended_ms: int
    error: Optional[int] = None


def now_ms() -> int:
    """Return the time in milliseconds since 1970 UTC."""
    return int(time.time() * 1000)


class Assistant:
    """A model that can be asked."""

    def __init__(self, provider: str = "openai", model: str = "gpt-4o-mini",
                 clock: Callable[[], int] = now_ms) -> None:
        """Choose a model; `clock` returns milliseconds since 1970 UTC."""
        self._provider, self._model, self._clock = provider, model, clock

    def ask(self, prompt: str, error: Optional[int] = None) -> Answer:
        """Return an answer as long as the question; with an error, one that failed."""
        tokens = -(-len(prompt) // LETTERS_A_TOKEN)
        output = 0 if error else LEAST_OUTPUT + tokens
        started = self._clock()
        return Answer(self._provider, self._model, tokens, output, started,
                      started + FIRST_TOKEN_MS + MS_A_TOKEN * output, error)
