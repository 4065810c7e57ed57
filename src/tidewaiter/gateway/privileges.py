"""From root to the user that carries mail, for good."""

import grp
import os
import pwd
from typing import NamedTuple

from tidewaiter.config.settings import Workers
from tidewaiter.gateway.error import StartError


class PrivilegeError(StartError):
    """We cannot become the user that the configuration names."""


class Person(NamedTuple):
    """A user as the kernel knows it."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def person(workers: Workers) -> Person | None:
    """The user that the configuration names; None if it names none.

    :raises PrivilegeError: if the user or the group is unknown.
    """
    if workers.user is None:
        return None
    try:
        entry = pwd.getpwnam(workers.user)
        gid = entry.pw_gid if workers.group is None else grp.getgrnam(workers.group).gr_gid
    except KeyError as error:
        raise PrivilegeError(f"{error.args[0]}") from error
    return Person(entry.pw_uid, gid, tuple(os.getgrouplist(workers.user, gid)))


def become(someone: Person) -> None:
    """Give up every other right; being that person already is enough.

    :raises PrivilegeError: if we may not, or if root could be regained.
    """
    if os.getuid() == someone.uid != 0:
        return
    try:
        os.setgroups(someone.groups)
        os.setresgid(someone.gid, someone.gid, someone.gid)
        os.setresuid(someone.uid, someone.uid, someone.uid)
    except PermissionError as error:
        raise PrivilegeError("only root can become another user") from error
    if someone.uid != 0 and 0 in os.getresuid():
        raise PrivilegeError("root could be regained")
