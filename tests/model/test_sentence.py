from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.model.sentence import visible


@given(st.text())
def test_everything_in_a_visible_text_is_seen(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(visible(text)) == visible(text)


@given(st.text().filter(str.isprintable))
def test_what_is_seen_already_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_an_escape_is_as_toml_has_it() -> None:
    assert visible("a\nb\r\t\x1b\x9b\u202e\U000e0001 é") == r"a\nb\r\t\u001b\u009b\u202e\U000e0001 é"
