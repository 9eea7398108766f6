"""Reading a part of a log in blocks of whole lines, in bounded memory however long a line is."""
from __future__ import annotations

from typing import BinaryIO, Iterator

LONGEST_LINE = 1 << 20  # bytes; a longer one is no call, and no more of it is kept than shows that


class LineBlocks:
    """Gives the bytes `begin` to `end` of a file as blocks of whole lines.

    What is not taken of a block stands at the head of the next. `consumed` is the byte up to which all was taken. Of a
    line that is too long the beginning is given, one byte longer than `LONGEST_LINE`; who takes a block takes such a
    line with it. A file that was cut short meanwhile ends early.
    """

    def __init__(self, handle: BinaryIO, begin: int, end: int, block_bytes: int) -> None:
        """Go to the first byte; `block_bytes` are read at once."""
        handle.seek(begin)
        self.consumed = begin
        self._handle, self._left, self._block_bytes = handle, end - begin, block_bytes
        self._block = b""
        self._dropped = self._still_dropped = 0  # of long lines that are whole, and of one that goes on

    @property
    def left(self) -> int:
        """Return how many bytes of the file were not read yet."""
        return self._left

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks; some are empty, where not even one more line is whole."""
        while self._left > 0:
            read = self._handle.read(min(self._block_bytes, self._left))
            self._left = self._left - len(read) if read else 0
            self._join(read)
            yield self._block[:self._block.rfind(b"\n") + 1]

    def take(self, size: int) -> None:
        """Take so many bytes of the last block."""
        self._block = self._block[size:]
        self.consumed += size + self._dropped
        self._dropped = 0

    def _join(self, read: bytes) -> None:
        """Put what was read behind what was not taken, but for the middle of a line that is too long."""
        if self._still_dropped:
            newline = read.find(b"\n")
            if newline < 0:
                self._still_dropped += len(read)
                return
            self._dropped += self._still_dropped + newline
            self._still_dropped, read = 0, read[newline:]
        self._block += read
        too_much = len(self._block) - (self._block.rfind(b"\n") + 1) - (LONGEST_LINE + 1)
        if too_much > 0:
            self._still_dropped = too_much
            self._block = self._block[:-too_much]
