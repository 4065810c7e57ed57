"""Does the list of surviving mutants speak of the code of today, with a reason for each?"""

from tests.mutation import ROOT, Survivor, kinds, listed, unexplained


def test_every_survivor_stands_in_the_code_and_has_a_reason() -> None:
    for survivor in listed():
        code = (ROOT / survivor.path).read_text(encoding="utf-8")
        assert survivor.old.strip() in code, survivor
        assert survivor.new != survivor.old
        assert survivor.why.endswith(".")


def test_no_survivor_is_listed_twice() -> None:
    keys = [(survivor.path, survivor.old, survivor.new) for survivor in listed()]
    assert sorted(set(keys)) == sorted(keys)


def test_a_kind_explains_what_it_changed_and_no_more() -> None:
    old, strict = "zip(a, b, strict=True), zip(c, d, strict=True)", [kind.new for kind in kinds()]
    assert "strict=False" in strict
    assert unexplained([Survivor("x.py", old, old[:-5] + "False)")]) == []
    more = Survivor("x.py", old, old.replace("True", "False"))
    assert unexplained([more]) == [more]


def test_every_kind_has_a_reason() -> None:
    assert all(kind.why.endswith(".") for kind in kinds())
