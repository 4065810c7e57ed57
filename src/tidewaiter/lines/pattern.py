"""Patterns over classes of bytes, in the words of a row: `LF . CR* LF`, `^ !LF* LF`, `(CR LF | LF) SP?`.

A pattern is a regular expression; its automaton is taken by derivatives (Brzozowski 1964):
what may still follow once a symbol has been read is a pattern again, so a state is a pattern and needs no table.
`^` at the front binds it to the start of the content; any other may match wherever its bytes stand.
"""

import re
from functools import lru_cache
from typing import Final
from weakref import WeakValueDictionary

from tidewaiter.lines.symbol import NAMED, Symbol, Word


class PatternError(ValueError):
    """The words are not a pattern."""


class Pattern:
    """A set of words: empty, the empty word, a set of symbols, or one of the three made of others.

    Equal patterns are one object, so that comparing two, which walking a product does without end, costs nothing.
    """

    __slots__ = ("__weakref__", "kind", "parts", "symbols")

    def __init__(self, kind: str, symbols: frozenset[Symbol], parts: "Parts") -> None:
        """Only `_made` makes one."""
        self.kind = kind
        self.symbols = symbols
        self.parts = parts


Parts = tuple[Pattern, ...] | frozenset[Pattern]
_MADE: WeakValueDictionary[tuple[str, frozenset[Symbol], Parts], Pattern] = WeakValueDictionary()


def _made(kind: str, symbols: frozenset[Symbol] = frozenset(), parts: Parts = ()) -> Pattern:
    key = (kind, symbols, parts)
    found = _MADE.get(key)
    if found is None:
        found = _MADE[key] = Pattern(kind, symbols, parts)
    return found


NOTHING: Final = _made("nothing")
EMPTY: Final = _made("empty")


def one_of(*symbols: Symbol) -> Pattern:
    """Match one of these symbols."""
    return _made("set", frozenset(symbols)) if symbols else NOTHING


ANY: Final = one_of(*(symbol for symbol in Symbol if symbol is not Symbol.EDGE))


def then(first: Pattern, second: Pattern) -> Pattern:
    """Match `first`, then `second`."""
    if NOTHING in (first, second):
        return NOTHING
    if first is EMPTY:
        return second
    if second is EMPTY:
        return first
    if first.kind == "then":
        head, rest = first.parts
        return then(head, then(rest, second))
    return _made("then", parts=(first, second))


def either(*patterns: Pattern) -> Pattern:
    """Match any of `patterns`, in whatever order they are named."""
    found: set[Pattern] = set()
    for pattern in patterns:
        found |= set(pattern.parts) if pattern.kind == "either" else {pattern}
    found.discard(NOTHING)
    if not found:
        return NOTHING
    if len(found) == 1:
        return found.pop()
    return _made("either", parts=frozenset(found))


def many(pattern: Pattern) -> Pattern:
    """Match `pattern` any number of times."""
    if pattern.kind == "many":
        return pattern
    return EMPTY if pattern in (NOTHING, EMPTY) else _made("many", parts=(pattern,))


@lru_cache(maxsize=65536)
def matches_empty(pattern: Pattern) -> bool:
    """Tell whether nothing more is needed."""
    match pattern.kind:
        case "empty" | "many":
            return True
        case "then":
            return all(matches_empty(part) for part in pattern.parts)
        case "either":
            return any(matches_empty(part) for part in pattern.parts)
    return False


@lru_cache(maxsize=65536)
def after(pattern: Pattern, symbol: Symbol) -> Pattern:
    """Say what may still follow once `symbol` has been read."""
    match pattern.kind:
        case "set":
            return EMPTY if symbol in pattern.symbols else NOTHING
        case "then":
            first, second = pattern.parts
            rest = then(after(first, symbol), second)
            return either(rest, after(second, symbol)) if matches_empty(first) else rest
        case "either":
            return either(*(after(part, symbol) for part in pattern.parts))
        case "many":
            (repeated,) = pattern.parts
            return then(after(repeated, symbol), pattern)
    return NOTHING


def anywhere(words: str) -> Pattern:
    """Parse a pattern that may begin at any byte, or with `^` at the first one only."""
    rest = words.strip().removeprefix("^")
    pattern = parse(rest)
    return pattern if rest != words.strip() else then(many(ANY), pattern)


_TOKEN: Final = re.compile(r"\s*(?:([A-Za-z]+|\.)|([()|!*+?]))")


def parse(words: str) -> Pattern:
    """Parse the words of a pattern.

    Raises PatternError, which names the place where it does not go on.
    """
    tokens = _Tokens(words)
    pattern = _either(tokens)
    if tokens.next is not None:
        raise PatternError(f"{words!r}: {tokens.next!r} is not expected")
    return pattern


class _Tokens:
    def __init__(self, words: str) -> None:
        self._found: list[str] = []
        place = 0
        words = words.rstrip()
        while place < len(words):
            match = _TOKEN.match(words, place)
            if not match:
                raise PatternError(f"{words!r}: {words[place:].strip()!r} is no part of a pattern")
            self._found.append(match.group(1) or match.group(2))
            place = match.end()
        self._found.reverse()

    @property
    def next(self) -> str | None:
        return self._found[-1] if self._found else None

    def take(self) -> str:
        if not self._found:
            raise PatternError("the pattern ends too early")
        return self._found.pop()


def _either(tokens: _Tokens) -> Pattern:
    found = [_sequence(tokens)]
    while tokens.next == "|":
        tokens.take()
        found.append(_sequence(tokens))
    return either(*found)


def _sequence(tokens: _Tokens) -> Pattern:
    found = EMPTY
    while tokens.next is not None and tokens.next not in "|)":
        found = then(found, _repeated(tokens))
    return found


def _once_or_more(atom: Pattern) -> Pattern:
    return then(atom, many(atom))


def _maybe(atom: Pattern) -> Pattern:
    return either(atom, EMPTY)


_REPEATED: Final = {"*": many, "+": _once_or_more, "?": _maybe}


def _repeated(tokens: _Tokens) -> Pattern:
    atom = _atom(tokens)
    while tokens.next in _REPEATED:
        atom = _REPEATED[tokens.take()](atom)
    return atom


def _atom(tokens: _Tokens) -> Pattern:
    name = tokens.take()
    if name == "(":
        inner = _either(tokens)
        tokens.take()  # nothing but `)` ends what stands in parentheses, and where it is missing this raises
        return inner
    if name == "!":
        but = _symbols_of(_atom(tokens))
        return one_of(*(ANY.symbols - but))
    if name == "any":
        return ANY
    if name not in NAMED:
        raise PatternError(f"{name!r} is no class of bytes; there are {', '.join(NAMED)} and any")
    return one_of(NAMED[name])


def _symbols_of(pattern: Pattern) -> frozenset[Symbol]:
    if pattern.kind == "either":
        return frozenset().union(*(_symbols_of(part) for part in pattern.parts))
    if pattern.kind != "set":
        raise PatternError("! stands before one class, or before several in parentheses: !(CR | LF)")
    return pattern.symbols


def word(words: str) -> Word:
    """Parse a plain sequence of symbols: `CR LF . CR LF`."""
    try:
        return tuple(NAMED[name] for name in words.split())
    except KeyError as unknown:
        raise PatternError(f"{unknown.args[0]!r} is no class of bytes") from None
