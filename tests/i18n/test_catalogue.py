"""Is every string that a person reads there in Spanish too, with the same placeholders?"""

import os
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import tidewaiter
from tidewaiter.cli import rows_text
from tidewaiter.i18n import LANGUAGES, system
from tidewaiter.knowledge.dialects import dialects

PACKAGE = Path(tidewaiter.__file__).parent
LOCALES = Path(str(files("tidewaiter.i18n"))) / "locale"
PLACEHOLDER = re.compile(r"\{\w*(?:![rs])?\}|%\(\w+\)[a-z]|%[a-z]")


def catalogue(language: str) -> Catalog:
    with (LOCALES / language / "LC_MESSAGES" / "tidewaiter.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(language: str) -> list[Message]:
    return [message for message in catalogue(language) if message.id]


def variants(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (tuple, list)) else (str(text),)


def extracted() -> Iterator[str | tuple[str, ...]]:
    """Every string of the code, as `make messages` finds it."""
    keywords = DEFAULT_KEYWORDS | {"Sentence": None}
    for _, _, text, _, _ in extract_from_dir(PACKAGE, method_map=[("**.py", "python")], keywords=keywords):
        yield text


TRANSLATED = LANGUAGES[1:]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_string_of_the_code_is_in_the_catalogue(language: str) -> None:
    known = {variants(message.id) for message in messages(language)}
    assert {variants(text) for text in extracted()} - known == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_string_is_translated_and_none_is_a_guess(language: str) -> None:
    assert [message.id for message in messages(language) if not all(variants(message.string)) or message.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_placeholders_of_its_original(language: str) -> None:
    def placeholders(text: str) -> list[str]:
        return sorted(PLACEHOLDER.findall(text))

    for message in messages(language):
        expected = placeholders(variants(message.id)[-1])
        for text in variants(message.string):
            assert placeholders(text) == expected, message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_installed_is_the_catalogue_compiled(language: str) -> None:
    with (LOCALES / language / "LC_MESSAGES" / "tidewaiter.mo").open("rb") as file:
        compiled = {variants(message.id): variants(message.string) for message in read_mo(file) if message.id}
    assert compiled == {variants(message.id): variants(message.string) for message in messages(language)}


THE_SAME = {"N", "%(prog)s: error: %(message)s\n", "argument %(argument_name)s: %(message)s"}
"""What Spanish says with the same letters."""


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_no_copy(language: str) -> None:
    copies = [each.id for each in messages(language) if variants(each.id) == variants(each.string)]
    assert [text for text in copies if text not in THE_SAME and re.search(r"\w", PLACEHOLDER.sub("", str(text)))] == []


def test_what_the_system_may_say_is_written_as_it_says_it() -> None:
    said = {os.strerror(number) for number in range(1, 134)}
    resolver = {"Name or service not known", "No address associated with hostname"}
    resolver |= {"Temporary failure in name resolution"}  # gai_strerror(3), for which Python has no table
    assert {each.english for each in system.KNOWN} - said - resolver == set()


OWN_SYNTAX = {
    "--crlf -T FILE",
    "-T FILE",
    "CR and LF Handling: Allow",
    "CR and LF Handling: Reject",
    "RejectNUL false",
    "sendmail -Ac -i",
    "sendmail -i",
    "smtpd_forbid_bare_newline = no",
    "smtpd_forbid_bare_newline = no; smtpd_proxy_filter = HOST:PORT",
    "smtpd_forbid_bare_newline = normalize",
    "smtpd_forbid_bare_newline = normalize; smtpd_proxy_filter = HOST:PORT",
    "smtpd_forbid_bare_newline = reject",
    "",
}
"""Settings as the program itself writes them."""


def test_the_settings_of_a_row_are_translated_or_the_program_s_own_syntax() -> None:
    there_are = {row.settings for row in dialects().values()}
    known = {each.english for each in rows_text.KNOWN}
    assert there_are - known == OWN_SYNTAX & there_are
    assert known - there_are - {row.product for row in dialects().values()} == set()
