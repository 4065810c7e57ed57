"""Is every string that a person reads there in Spanish too, with the same placeholders?"""

import re
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import tidewaiter
from tidewaiter.i18n import LANGUAGES

PACKAGE = Path(tidewaiter.__file__).parent
LOCALES = Path(str(files("tidewaiter.i18n"))) / "locale"
PLACEHOLDER = re.compile(r"\{\w*\}|%\(\w+\)[a-z]|%[a-z]")


def catalogue(language: str) -> Catalog:
    with (LOCALES / language / "LC_MESSAGES" / "tidewaiter.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(language: str) -> list[Message]:
    return [message for message in catalogue(language) if message.id]


def variants(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (tuple, list)) else (str(text),)


TRANSLATED = LANGUAGES[1:]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_string_of_the_code_is_in_the_catalogue(language: str) -> None:
    known = {variants(message.id) for message in messages(language)}
    used = {variants(text) for _, _, text, _, _ in extract_from_dir(PACKAGE, method_map=[("**.py", "python")])}
    assert used - known == set()


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
