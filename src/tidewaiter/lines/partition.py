"""Which states of a machine behave alike?  They are joined when a machine is written out."""

from collections.abc import Callable, Hashable, Sequence


def alike(said: Sequence[Hashable], leads: Callable[[list[int]], Sequence[Hashable]]) -> list[int]:
    """Give the group of each state; those of one group no word tells apart (Moore's algorithm).

    :param said: what is seen of each state by itself.
    :param leads: what tells states apart where the group of each is this: its own, and those it leads to.
    """
    group = _numbered(said)
    while True:
        finer = _numbered(leads(group))
        if len(set(finer)) == len(set(group)):
            return group
        group = finer


def _numbered(keys: Sequence[Hashable]) -> list[int]:
    order: dict[Hashable, int] = {}
    return [order.setdefault(key, len(order)) for key in keys]
