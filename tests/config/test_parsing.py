from collections.abc import Callable
from pathlib import PurePosixPath
from random import Random

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.config.files import CHANCE, SETTINGS, spread_out
from tidewaiter.config import ConfigError, Settings, parse
from tidewaiter.config.settings import Listener, Role
from tidewaiter.config.values import TcpHop
from tidewaiter.config.writing import write
from tidewaiter.model.position import STRANGERS_BDAT, Position

ISSUE = b"""\
hostname = "mx.tidewaiter.test"

[store]
path = "state"

[[listener]]
address = "127.0.0.1:2525"
role = "inbound"

[[route]]
domains = ["inside.test"]
next_hop = "smtp://127.0.0.1:2526"     # or a list; or lmtp://..., or maildir:PATH
"""


FEWER = hypothesis_settings(max_examples=50)  # each is a file of 200 lines


def mistakes(data: bytes) -> list[str]:
    """What is wrong with a file; nothing, where it is good."""
    try:
        parse(data, "tw.toml")
    except ConfigError as error:
        return [str(mistake) for mistake in error.mistakes]
    return []


def test_the_smallest_configuration_works_as_written() -> None:
    settings = parse(ISSUE, "/etc/tidewaiter/tw.toml")
    assert settings.store.path == PurePosixPath("/etc/tidewaiter/state"), "paths start at the file's folder"
    assert settings.listener[0].role is Role.INBOUND
    assert settings.route[0].next_hop == (TcpHop("smtp", "127.0.0.1", 2526),)


@pytest.mark.slow
@FEWER
@given(SETTINGS)
def test_settings_written_and_read_again_are_equal(settings: Settings) -> None:
    assert parse(write(settings).encode(), "/elsewhere/tw.toml") == settings


@pytest.mark.slow
@FEWER
@given(SETTINGS, CHANCE)
def test_how_a_file_is_laid_out_changes_nothing(settings: Settings, chance: Random) -> None:
    text = spread_out(write(settings), chance)
    assert parse(text.encode(), "/elsewhere/tw.toml") == settings


PLANTED: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "a key misspelt": lambda key, value: (f"{key[:1]}q{key[1:]}", value),
    "a number with a fraction": lambda key, _: (key, "1.5"),
    "a table for a value": lambda key, _: (key, "{ a = 1 }"),
    "an unheard-of word": lambda key, _: (key, '"\\u0000/"'),
}


@pytest.mark.slow
@FEWER
@given(SETTINGS, st.sampled_from(list(PLANTED)), CHANCE)
def test_every_mistake_is_found_on_its_line_under_its_key(settings: Settings, what: str, chance: Random) -> None:
    lines = spread_out(write(settings), chance).split("\n")
    starts = [number for number, line in enumerate(lines) if " = " in line and not line.lstrip().startswith("#")]
    planted = chance.choice(starts)
    key, value = lines[planted].split(" = ", 1)
    if value.startswith("[ #"):  # a list over several lines: the mistake replaces it
        end = lines.index("]", planted)
        lines[planted : end + 1] = [f"{key} = [", "0.5 ]"] if what != "a key misspelt" else ["q = [", "]"]
        wrong = "q" if what == "a key misspelt" else key
    else:
        wrong, value = PLANTED[what](key, value)
        lines[planted] = f"{wrong} = {value}"
    with pytest.raises(ConfigError) as caught:
        parse("\n".join(lines).encode(), "tw.toml")
    named = [(mistake.line, mistake.key.rpartition(".")[2].partition("[")[0]) for mistake in caught.value.mistakes]
    assert (planted + 1, wrong) in named
    others = [name for line, name in named if line != planted + 1]
    assert others in ([], [key]), "the only other thing to be said is that the right key is missing"


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    data = ISSUE.replace(b"hostname", b"hostnam").replace(b'"inbound"', b'"inbnd"').replace(b"domains", b"domain")
    assert mistakes(data) == [
        "tw.toml:1: hostnam: unknown key; did you mean hostname?",
        "tw.toml:1: hostname: is missing",
        "tw.toml:8: listener[0].role: must be one of inbound, outbound; did you mean inbound?",
        "tw.toml:10: route[0].domains: is missing",
        "tw.toml:11: route[0].domain: unknown key; did you mean domains?",
    ]


WRONG: list[tuple[bytes, str]] = [
    (b"a = \xff", "tw.toml:1: not UTF-8, as TOML must be"),
    (b"a = 1\nb = 'x", 'tw.toml:2: not TOML: a string is not closed: "\'" is missing'),
    (b"a = 1\na = 2\n", "tw.toml:2: not TOML: a key or a table is there twice"),
    (
        ISSUE.replace(b"[[listener]]", b"[listener]"),
        "tw.toml:6: listener: must be a list of tables: write [[listener]]",
    ),
    (ISSUE + b"timeouts = 3\n", "tw.toml:13: route[0].timeouts: must be a table"),
    (ISSUE + b'connections = "many"\n', "tw.toml:13: route[0].connections: must be a whole number"),
    (ISSUE + b"idel = 3\n", "tw.toml:13: route[0].idel: unknown key; did you mean idle?"),
    (ISSUE + b"connections = 1.5\n", "tw.toml:13: route[0].connections: must be a whole number"),
    (ISSUE + b"connections = 9999999\n", "tw.toml:13: route[0].connections: must be at most 1000000"),
    (ISSUE + b"[workers]\nuser = 5\n", "tw.toml:14: workers.user: must be a string"),
    (ISSUE + b"connections = 0\n", "tw.toml:13: route[0].connections: must be at least 1"),
    (ISSUE + b"idle = 30\n", "tw.toml:13: route[0].idle: must be a string"),
    (ISSUE + b'idle = "30"\n', "tw.toml:13: route[0].idle: write a duration such as 250ms, 30s, 5m, 12h or 30d"),
    (ISSUE.replace(b'["inside.test"]', b"[]"), "tw.toml:11: route[0].domains: must not be empty"),
    (ISSUE + b'[limits]\nmessage_size = "1KiB"\n', "tw.toml:14: limits.message_size: must be at least 64KiB"),
    (ISSUE + b'[limits]\nfinal_reply = "11m"\n', "tw.toml:14: limits.final_reply: must be at most 10m"),
]


@pytest.mark.parametrize(("data", "expected"), WRONG)
def test_a_mistake_says_what_to_write(data: bytes, expected: str) -> None:
    first, *_ = [*mistakes(data), "no mistake"]
    assert first.startswith(expected)


DEEP = {
    "lists": b"a = " + b"[" * 3000,
    "lists that end": b"limits.commands = " + b"[" * 3000 + b"]" * 3000,
    "tables": b"a = " + b"{a = " * 3000,
    "names": b"a." * 3000 + b"a = 1",
}


@pytest.mark.parametrize("what", DEEP)
def test_what_lies_too_deep_is_a_mistake_on_its_line(what: str) -> None:
    found = mistakes(b"# one\n" + DEEP[what] + b"\n" + ISSUE)
    assert found[0].startswith("tw.toml:2: ")
    assert what == "names" or found == ["tw.toml:2: lists or tables lie too deep in one another"]


@pytest.mark.parametrize("depth", range(100, 500, 7))
def test_no_depth_is_a_fault_of_ours(depth: int) -> None:
    assert mistakes(ISSUE + b"connections = " + b"[" * depth + b"]" * depth)


def test_a_number_of_too_many_digits_is_a_mistake_on_its_line() -> None:
    assert mistakes(ISSUE + b"idle = " + b"9" * 5000 + b"\nx = 'y") == ["tw.toml:13: a number has too many digits"]
    huge = b"0x" + b"f" * 5000
    assert mistakes(ISSUE + b"connections = " + huge) == ["tw.toml:13: route[0].connections: must be at most 1000000"]
    assert mistakes(ISSUE + b"tls = " + huge) == ["tw.toml:13: route[0].tls: must be one of off, may, require, verify"]


FORGED = {
    "a line of its own": b'"a\\nb: fake.toml:1: ok" = 1\n',
    "red": b'"a\\u001b[31mb" = 1\n',
    "a control character of one octet": b'"a\\u009b31mb" = 1\n',
    "the other direction": b'"a\\u202eb" = 1\n',
    "in a table": ISSUE + b'[limits."\\u2028"]\n',
    "twice": b'"a\\nb" = 1\n[["a\\nb"]]\n["a\\nb"]\n',
    "in a value": ISSUE.replace(b'"mx.tidewaiter.test"', b'"\\u009b\\nmx"'),
    "in a network": ISSUE.replace(b"\n[[route]]", b'networks = "a\\u001bb\\nc"\n\n[[route]]'),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_mistake_is_one_line_in_which_everything_can_be_seen(what: str) -> None:
    found = mistakes(FORGED[what])
    assert found
    assert [mistake for mistake in found if not mistake.isprintable()] == []


def test_a_key_is_named_as_toml_reads_it() -> None:
    data = b'"a\\nb" = 1\n"c.d" = 1\n\'e"\' = 1\n"" = 1\n"\xc3\xa9" = 1\nf-1_ = 1\n'
    assert [mistake.split(": ")[1] for mistake in mistakes(data)][:4] == ['"a\\nb"', "hostname", "listener", "route"]
    assert [mistake.split(": ")[1] for mistake in mistakes(data)][4:] == ['"c.d"', '"e\\""', '""', '"é"', "f-1_"]


def test_the_name_of_the_file_can_be_seen() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(b"a = 1", "a\nb\x1b\udcff.toml")
    assert str(caught.value).splitlines()[0].startswith("a\\nb\\u001b\\udcff.toml:1: a: ")


def test_a_position_left_out_keeps_the_default_of_its_place() -> None:
    def listener(text: bytes) -> Listener:
        return parse(ISSUE.replace(b"[[route]]", text + b"\n[[route]]"), "tw.toml").listener[0]

    assert listener(b"").bdat == STRANGERS_BDAT
    changed = listener(b'[listener.bdat]\nnul = "repair"').bdat
    assert (changed.nul, changed.bare_lf) == (Position.REPAIR, Position.REPAIR), "BDAT's own, not DATA's"
    assert listener(b'[listener.data]\nnul = "repair"').data.bare_lf is Position.REFUSE
    excluded = listener(b'[[listener.exclusion]]\nnetworks = "192.0.2.7"\ndata.nul = "refuse"').exclusion[0]
    assert (excluded.data.nul, excluded.data.bare_cr) == (Position.REFUSE, Position.REPAIR)
