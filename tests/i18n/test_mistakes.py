"""Is every mistake in a configuration said in the language of whoever made it?

The file, the line, the key and the values stay as they are; the sentence is another.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

import tidewaiter
from tests.config.test_meaning import BAD
from tests.config.test_parsing import DEEP, FORGED, ISSUE, WRONG
from tests.config.test_toml import NOT_TOML
from tests.config.test_values import SAID
from tests.config.test_values import WRONG as UNREADABLE
from tests.i18n.test_catalogue import messages
from tidewaiter.cli import main
from tidewaiter.config import ConfigError, Mistake, parse
from tidewaiter.config.error import WrongValueError
from tidewaiter.gateway.host.requirements import mistakes_of_file
from tidewaiter.i18n import LANGUAGES, spoken
from tidewaiter.model.sentence import Sentence

PACKAGE = Path(tidewaiter.__file__).parent
CONFIGURATIONS = {
    **{f"meaning, {what}": data for what, (data, _) in BAD.items()},
    **{f"wrong, {number}": data for number, (data, _) in enumerate(WRONG)},
    **{f"deep, {what}": b"x = 1\n" + data for what, data in DEEP.items()},
    **{f"forged, {what}": data for what, data in FORGED.items()},
    **{f"not TOML, {text}": text.encode() for text in NOT_TOML},
    "digits": ISSUE + b"connections = " + b"9" * 5000,
    "unlike any": ISSUE.replace(b'"inbound"', b'"x"') + b"y = 1\n",
    "near a word": ISSUE.replace(b'"inbound"', b'"inbond"'),
    "no boolean": ISSUE.replace(b'role = "inbound"', b'role = "inbound"\nshadow = 1'),
    "no path": ISSUE.replace(b'"state"', b'""'),
}
MACHINE = {
    "no user": '[workers]\nuser = "no-such-user"\n',
    "no group": '[workers]\nuser = "root"\ngroup = "no-such-group"\n',
    "no file": 'tls = "verify"\nca = "missing.pem"\n',
    "no certificates": 'tls = "verify"\nca = "tw.toml"\n',
    "a folder": '[log]\nfile = "/"\n',
    "no folder": '[log]\nfile = "/missing/log"\n',
    "a long name": f'[log]\nfile = "{"x" * 300}"\n',
    "no Maildir": '[[route]]\ndomains = ["a.test"]\nnext_hop = "maildir:tw.toml"\n',
    "no key": '[[listener]]\naddress = "127.0.0.1:1"\nrole = "inbound"\n'
    'tls = "starttls"\ncertificate = "tw.toml"\nkey = "tw.toml"\n',
}
READ = [*{*((read, text) for read, texts in UNREADABLE.items() for text in texts), *(said[:2] for said in SAID)}]
UNSPOKEN = {"the parser says: {text}"}
"""What no parser of today makes us say."""
PLACEHOLDER = re.compile(r"\{\w*\}")
SEVERAL_WORDS = re.compile(r"[^,] ")
"""And no list of keys."""
WORD = re.compile(r"[^\W\d_]{2,}")


def heard(data: bytes) -> tuple[Mistake, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(data, "tw.toml")
    return caught.value.mistakes


def unread(read: Callable[[str], object], text: str) -> Sentence:
    with pytest.raises(WrongValueError) as caught:
        read(text)
    return caught.value.sentence


def parts(sentence: Sentence) -> Iterator[Sentence]:
    """The sentence and those in it."""
    yield sentence
    for value in sentence.values.values():
        if isinstance(value, Sentence):
            yield from parts(value)


def values(sentence: Sentence) -> list[str]:
    return [str(each) for part in parts(sentence) for each in part.values.values() if not isinstance(each, Sentence)]


@cache
def english_words() -> set[str]:
    """Words of the catalogue that no translation has: one of them in a Spanish line was left untranslated."""
    known = [message for message in messages("es") if isinstance(message.id, str)]
    english = {word for message in known for word in words(PLACEHOLDER.sub(" ", str(message.id)))}
    return english - {word for message in known for word in words(PLACEHOLDER.sub(" ", str(message.string)))}


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def assert_translated(sentence: Sentence, monkeypatch: pytest.MonkeyPatch, written: str = "") -> None:
    """Not one word of it is left in English, but those that are written in the file."""
    said = {}
    for language in LANGUAGES:
        monkeypatch.setenv("LANGUAGE", language)
        said[language] = spoken(sentence)
    assert said["en"] == str(sentence)
    assert said["es"] != said["en"]
    left = said["es"]
    for value in values(sentence):
        assert not SEVERAL_WORDS.search(value) or value.strip("'\"") in written, "a sentence that nobody translates"
        left = left.replace(value, "")
    assert set(words(left)) & english_words() == set(), said["es"]


@pytest.mark.parametrize("what", CONFIGURATIONS)
def test_a_mistake_is_said_in_spanish(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for mistake in heard(CONFIGURATIONS[what]):
        assert_translated(mistake.message, monkeypatch, CONFIGURATIONS[what].decode(errors="replace"))


@pytest.mark.parametrize("what", MACHINE)
def test_a_mistake_that_the_machine_makes_of_it_is_said_in_spanish(
    what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tw.toml").write_text(ISSUE.decode() + MACHINE[what])
    found = mistakes_of_file(tmp_path / "tw.toml")
    assert found
    for mistake in found:
        assert_translated(mistake.message, monkeypatch)


def test_what_to_write_instead_of_a_value_is_said_in_spanish(monkeypatch: pytest.MonkeyPatch) -> None:
    for read, text in READ:
        assert_translated(unread(read, text), monkeypatch)


def test_a_line_left_in_english_would_be_seen() -> None:
    for data in CONFIGURATIONS.values():
        for mistake in heard(data):
            assert set(words(mistake.message.english)) & english_words()


def test_every_sentence_of_the_configuration_was_heard_here() -> None:
    found = extract_from_dir(PACKAGE / "config", method_map=[("**.py", "python")], keywords={"Sentence": None})
    written = {text for _, _, text, _, _ in found}
    sentences = [mistake.message for data in CONFIGURATIONS.values() for mistake in heard(data)]
    sentences += [unread(read, text) for read, text in READ]
    assert written - {part.english for sentence in sentences for part in parts(sentence)} == UNSPOKEN


@pytest.mark.parametrize("verb", [["config", "check"], ["config", "show"], ["run", "--config"]])
def test_the_command_line_says_mistakes_in_the_language_asked_for(
    verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    file = tmp_path / "tw.toml"
    file.write_bytes(ISSUE.replace(b"hostname", b"hostnam"))
    assert main(["--lang", "es", *verb, str(file)])
    assert "".join(capsys.readouterr()).splitlines() == [
        f"{file}:1: hostnam: clave desconocida; ¿quiso decir hostname?",
        f"{file}:1: hostname: falta",
    ]


def test_a_program_reads_mistakes_in_the_language_asked_for_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    file = tmp_path / "tw.toml"
    file.write_bytes(ISSUE.replace(b"hostname", b"hostnam"))
    main(["--lang", "es", "config", "check", "--format", "json", str(file)])
    assert '"key": "hostname",\n    "message": "falta"' in capsys.readouterr().out


@pytest.mark.parametrize("verb", [["config", "check"], ["config", "show"], ["run", "--config"]])
def test_a_file_that_is_not_there_is_missed_in_the_language_asked_for(
    verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    assert main(["--lang", "es", *verb, str(tmp_path / "missing.toml")]) == 2
    assert capsys.readouterr().err.endswith(f"{tmp_path}/missing.toml: No existe el archivo o el directorio\n")


def test_a_user_that_is_not_there_is_missed_in_the_language_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    file = tmp_path / "tw.toml"
    file.write_text(ISSUE.decode() + MACHINE["no user"])
    assert main(["--lang", "es", "run", "--config", str(file)]) == 2
    assert capsys.readouterr().err == f"{file}:14: workers.user: esta máquina no tiene ningún usuario no-such-user\n"
