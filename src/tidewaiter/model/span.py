"""A half-open range of byte offsets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Bytes `start` to `end`, the latter not included."""

    start: int
    end: int

    def __len__(self) -> int:
        """Count the bytes."""
        return self.end - self.start

    def of(self, data: bytes) -> bytes:
        """Cut these bytes out of `data`."""
        return data[self.start : self.end]
