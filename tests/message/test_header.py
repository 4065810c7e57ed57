"""The header section: where it ends, how long it is, how often the message was received."""

from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.message.header import HeaderSection

PIECES = st.lists(
    st.sampled_from([b"Received: x", b"received :y", b"X: Received:", b"\r\n", b"\r", b"\n", b" ", b"Received"])
)


def read(*pieces: bytes, limit: int = 10_000) -> HeaderSection:
    section = HeaderSection(limit)
    for piece in pieces:
        section.feed(piece)
    return section


def oracle(content: bytes) -> bytes:
    """The header section by the plainest reading: lines up to the first empty one."""
    lines: list[bytes] = []
    for line in content.split(b"\r\n"):
        if not line and len(lines) < content.count(b"\r\n"):
            break
        lines.append(line)
    else:
        return content
    return b"".join(line + b"\r\n" for line in lines)


@given(PIECES)
def test_slicing_never_changes_what_is_found(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    whole = read(content)
    for section in (read(*pieces), read(*(content[at : at + 1] for at in range(len(content))))):
        assert (section.size, section.received) == (whole.size, whole.received)


@given(PIECES)
def test_the_section_ends_at_the_first_empty_line(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    assert read(content).size == len(oracle(content))


@given(PIECES)
def test_received_fields_are_counted_in_the_section_alone(pieces: list[bytes]) -> None:
    section = oracle(b"".join(pieces))
    expected = sum(line.lower().startswith((b"received:", b"received :")) for line in section.split(b"\r\n"))
    assert read(*pieces).received == expected


def test_a_section_over_the_limit_is_told_and_not_kept() -> None:
    section = read(b"X: " + b"y" * 50, b"z" * 50, b"Received: x\r\n" * 5, limit=60)
    assert section.too_big
    assert section.received == 0
    assert not read(b"X: y\r\n\r\n" + b"z" * 100, limit=60).too_big
