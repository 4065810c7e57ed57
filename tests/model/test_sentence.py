"""Is a sentence said whole in each language, with all that it is made of?"""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.model.sentence import Sentence, SentenceError, visible

SPANISH = {"{way}: {why}": "{way}: {why}", "closed behind {reply}": "cerró tras {reply}", "nothing": "nada"}
CLOSED = Sentence("closed behind {reply}", reply=Sentence("nothing"))


def test_english_is_said_without_any_catalogue() -> None:
    assert str(CLOSED) == "closed behind nothing"


def test_the_sentences_in_a_sentence_are_translated_too() -> None:
    both = Sentence("{reasons}", reasons=(CLOSED, Sentence("{way}: {why}", way="paced", why=CLOSED)))
    assert both.said(lambda english: SPANISH.get(english, english)) == "cerró tras nada; paced: cerró tras nada"


def test_a_value_is_not_translated_and_its_braces_are_its_own() -> None:
    assert Sentence("closed behind {reply}", reply="nothing {x}").said(SPANISH.__getitem__) == "cerró tras nothing {x}"


def test_an_error_says_its_sentence_in_another_process_too() -> None:
    with pytest.raises(SentenceError, match="closed behind nothing"):
        raise pickle.loads(pickle.dumps(SentenceError(CLOSED)))  # noqa: S301 - our own


@given(st.text())
def test_everything_in_a_visible_text_is_seen(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(visible(text)) == visible(text)


@given(st.text().filter(str.isprintable))
def test_what_is_seen_already_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_an_escape_is_as_toml_has_it() -> None:
    assert visible("a\nb\r\t\x1b\x9b\u202e\U000e0001 é") == r"a\nb\r\t\u001b\u009b\u202e\U000e0001 é"
