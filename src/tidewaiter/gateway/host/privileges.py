"""From root to the user that carries mail, for good; or, in a process apart, for one question."""

import ctypes
import grp
import os
import pickle
import pwd
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from tidewaiter.config.settings import Workers
from tidewaiter.gateway.error import StartError
from tidewaiter.i18n import system
from tidewaiter.model.sentence import Sentence

Answer = TypeVar("Answer")

_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4  # linux/prctl.h


class PrivilegeError(StartError):
    """We cannot become the user that the configuration names."""

    def __init__(self, sentence: Sentence, key: str = "user") -> None:
        """Keep why, and which key of the table `workers` is to be changed."""
        super().__init__(sentence)
        self.key = key


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
    except (KeyError, ValueError) as error:  # a name with a NUL is a ValueError
        raise PrivilegeError(Sentence("this machine has no user {name}", name=workers.user)) from error
    gid = entry.pw_gid if workers.group is None else _group(workers.group)
    return Person(entry.pw_uid, gid, tuple(os.getgrouplist(workers.user, gid)))


def _group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except (KeyError, ValueError) as error:
        raise PrivilegeError(Sentence("this machine has no group {name}", name=name), "group") from error


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
        raise PrivilegeError(Sentence("only root can become another user")) from error
    except OSError as error:  # setuid(2) is EAGAIN where that user has too many processes
        why = Sentence("becoming another user failed: {reason}", reason=system.reason(error))
        raise PrivilegeError(why) from error
    if someone.uid != 0 and 0 in os.getresuid():
        raise PrivilegeError(Sentence("root could be regained"))


def keep_from_children() -> None:
    """Let no capability that was given to us go on to the programs that we start.

    systemd gives CAP_NET_BIND_SERVICE as an ambient one, which children would inherit; capabilities(7).
    """
    ctypes.CDLL(None).prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def answer_as(someone: Person | None, question: Callable[[], Answer]) -> Answer:
    """What the question gives where only that person's rights hold; we keep our own.

    It is asked in a fork, so only while there is one thread. Where we are not root already, it is
    asked as whoever we are.

    :raises PrivilegeError: if the fork dies before it has answered.
    """
    if someone is None or os.getuid() != 0:
        return question()
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            become(someone)
            with os.fdopen(write_end, "wb") as pipe:
                pickle.dump(question(), pipe)
        finally:
            os._exit(0)  # not a second copy of whoever called
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    if not answer:
        raise PrivilegeError(Sentence("the question could not be asked as that user"))
    return pickle.loads(answer)  # type: ignore[no-any-return]  # noqa: S301 - from our own fork
