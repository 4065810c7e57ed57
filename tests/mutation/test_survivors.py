"""Does the list of surviving mutants speak of the code of today, with a reason for each?"""

from tests.mutation import ROOT, listed


def test_every_survivor_stands_in_the_code_and_has_a_reason() -> None:
    for survivor in listed():
        code = (ROOT / survivor.path).read_text(encoding="utf-8")
        assert survivor.old.strip() in code, survivor
        assert survivor.new != survivor.old
        assert survivor.why.endswith(".")


def test_no_survivor_is_listed_twice() -> None:
    keys = [(survivor.path, survivor.old, survivor.new) for survivor in listed()]
    assert sorted(set(keys)) == sorted(keys)
