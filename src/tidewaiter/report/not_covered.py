"""What does the proof not cover?  The sentences of `smuggling.proof`, English in the core, in the user's language.

A test holds the two together.
"""

from tidewaiter.i18n import _


def not_covered() -> tuple[str, ...]:
    """One sentence for each of `smuggling.proof.NOT_COVERED`."""
    return (
        _("a program that no row describes, or that a row describes wrongly; the lab learns the real ones to find out"),
        _("a next hop that ends DATA where a limit is reached that it does not announce with SIZE"),
        _("the envelope: it is explored apart, over all command sequences, in the tests of wire"),
        _("what a program behind the next hop does with the content: compose its row as a further reader"),
    )
