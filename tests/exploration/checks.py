"""What holds for every run: each property a check with a name, which gives its complaints.

The oracle knows the script, the settings, what the hops said and what went over the wires; it knows nothing of how
mail is delivered.
"""

from collections.abc import Callable, Iterator
from typing import Final

from tests.exploration.client import Client
from tests.exploration.hop import Fired, Taken, Talk
from tests.exploration.moments import (
    ABOUT_US,
    END,
    ENVELOPE,
    INTRODUCTION,
    MIDST,
    OPENING,
    Answer,
    Moment,
    Then,
)
from tests.exploration.wire import Seen
from tests.exploration.world import Run

M = Moment
Check = Callable[[Run], Iterator[str]]
CHECKS: Final[dict[str, Check]] = {}
LOOKS: Final = 0.5
"""Seconds by which a deadline may come later than it is written (`net.deadline`), and a few moments on the wire."""
AT_ONCE: Final = 0.05
"""Until what is on the way has come, and was answered."""
LOSES: Final = frozenset({"FIN", "RST", "421"})
"""Answers that end the connection before the message was begun."""
SILENT: Final = frozenset({"silence", "freeze", "half"})


SCRIPTED: Final[set[str]] = set()
"""Those that know what is sent, and when: they hold for the script of `stage.play` alone."""


def check(name: str, *, scripted: bool = False) -> Callable[[Check], Check]:
    """Enter a check under its name."""

    def enter(function: Check) -> Check:
        CHECKS[name] = function
        if scripted:
            SCRIPTED.add(name)
        return function

    return enter


@check("every client hears an answer in time")
def _answered(run: Run) -> Iterator[str]:
    if run.standstill:
        yield run.standstill
    limit = run.settings.limits.final_reply + LOOKS
    for client in run.clients:
        if client.waits:
            yield f"{client.message.subject} waits for a reply to {client.waits}"
        for heard in client.heard:
            if heard.replied - heard.asked > limit:
                yield f"{client.message.subject} heard of {heard.command} after {heard.replied - heard.asked:.1f} s"


@check("no exception is left in a callback")
def _no_fault(run: Run) -> Iterator[str]:
    yield from run.loop.faults
    yield from (str(line["exception"]) for line in run.log if line["event"] == "fault")


@check("a permanent answer is one that a next hop gave")
def _true_permanent(run: Run) -> Iterator[str]:
    for client in run.clients:
        for heard in client.heard:
            if heard.reply.startswith("5") and not heard.reply.startswith("554 5.5.1 "):
                code, _, text = heard.reply.partition(" ")
                if int(code) in ABOUT_US:
                    yield f"{client.message.subject} heard {heard.reply}, which is about how we spoke"
                elif code == "550" and text[:5] in _EXTENSIONS:
                    odd = any(fired.step.answer.right for fired in _fired(run))  # it answered EHLO with something else
                    if not odd and any(
                        _EXTENSIONS[text[:5]] in _offered(run, talk) for hop in run.hops for talk in hop.talks
                    ):
                        yield f"{client.message.subject} heard {heard.reply}, which some next hop offers"
                elif _is_one_behind(run, client):
                    continue
                elif not any(_is_of(fired, client) and fired.step.answer.says.endswith(text) for fired in _fired(run)):
                    yield f"{client.message.subject} heard {heard.reply}, which no next hop said of it"


HELLOS: Final = (M.EHLO, M.EHLO_TLS, M.EHLO_XCLIENT)
_EXTENSIONS: Final = {"5.6.3": "8BITMIME", "5.6.7": "SMTPUTF8"}
"""By the enhanced status code that says that nobody takes it."""


@check("what a next hop answers is what the client hears")
def _faithful(run: Run) -> Iterator[str]:
    for fired in _fired(run):
        client, answer = _client(run, fired), fired.step.answer
        if client is None or client.gone or not _is_answer(run, fired):
            continue
        heard = _replies(client, fired)
        if answer.code < 400 or not heard:
            continue
        mild = answer.code in ABOUT_US or answer.code == 421 or _is_ours(fired)
        if mild or _repeated(client, fired):
            others = {each.step.answer.says for each in _fired(run) if each is not fired}
            wanted = all(reply[0] in "24" or reply in others for reply in heard)
        elif answer.code < 500:
            wanted = answer.says in heard or all(reply[0] in "24" for reply in heard)
        else:
            wanted = answer.says in heard
        if not wanted:
            yield f"{fired.step} of {client.message.subject}, who heard {heard}"


@check("no message is delivered twice")
def _once(run: Run) -> Iterator[str]:
    for client in run.clients:
        times = len(_taken(run, client))
        begun = sum(talk.began.count(client.message.sender) for hop in run.hops for talk in hop.talks)
        if times > 1 or begun > 1:
            yield f"{client.message.subject} came whole {times} times, and was begun {begun} times"


@check("250 is said of what was taken, and of nothing else")
def _honest(run: Run) -> Iterator[str]:
    for client in run.clients:
        taken = _taken(run, client)
        lied = any(_lies(fired) and fired.about == client.message.sender for fired in _fired(run))
        if _is_one_behind(run, client):
            continue
        if client.final.startswith("250") and client.of("content") and not lied:
            kept = [each for each in taken if each.reply.startswith("2")]
            if not kept:
                yield f"{client.message.subject} heard 250, and was not taken"
            elif not kept[0].content.endswith(client.message.content):
                yield f"{client.message.subject} was changed"
            elif list(kept[0].recipients) != client.named:
                yield f"{client.message.subject} was taken for {kept[0].recipients}"
        elif client.gone is None and any(each.reply.startswith("250 2.0.0") for each in taken):
            yield f"{client.message.subject} was taken, and heard {client.final!r}"


@check("a reply before the end stops the writing and resets the connection")
def _stops(run: Run) -> Iterator[str]:
    for fired in _fired(run):
        if fired.step.moment in MIDST and fired.step.answer.code >= 200 and _is_early(fired):
            _, after = _heard_at(fired)
            if any(seen.way == ">" for seen in after):
                yield f"{fired.step}: {sum(len(seen.what) for seen in after if seen.way == '>')} octets behind it"
            if fired.talk.far is not None and fired.talk.far.ended != "abort":
                yield f"{fired.step}: the connection was ended by {fired.talk.far.ended or 'nobody'}"


@check("a reply that nobody asked for spends the connection")
def _spent(run: Run) -> Iterator[str]:
    for fired in _fired(run):
        answer = fired.step.answer
        if answer.right or (fired.step.moment is M.IDLE and answer.says):
            later = [line for time, line in fired.talk.commands if time > fired.time + AT_ONCE and line != "QUIT"]
            halved = any(each.talk is fired.talk and each.step.answer.name == "half" for each in _fired(run))
            if later and not halved:  # what was said twice was the missing half
                yield f"{fired.step}, and then {later}"


@check("where nothing is wrong with the message, it is delivered", scripted=True)
def _delivered(run: Run) -> Iterator[str]:
    if run.forever or run.company.drains or len(run.steps) > 1:
        return
    for client in run.clients:
        if client.gone is None and _must_deliver(run, client) and not client.final.startswith("250"):
            yield f"{client.message.subject} heard {client.final!r}"
        elif client.gone is None and _must_deliver(run, client):
            refused = [heard.reply for heard in client.of("RCPT") if heard.reply[:4] not in {"250 ", "452 "}]
            yield from (f"a recipient of {client.message.subject} heard {reply}" for reply in refused)


@check("a good address or hop is found while the client waits", scripted=True)
def _found(run: Run) -> Iterator[str]:
    others = run.company.spare or run.company.addresses > 1
    before = all(step.moment in {*OPENING, M.MAIL, M.RCPT} for step in run.steps)
    gone = all(step.answer.name in LOSES | SILENT | {"refuse", "swallow", "broken"} for step in run.steps)
    if not (others and before and gone) or run.company.drains:
        return
    for client in run.clients:
        waited = max((heard.replied - heard.asked for heard in client.of("RCPT")), default=0.0)
        if not client.final.startswith("250") or waited > run.settings.route[0].timeouts.rcpt:
            yield f"{client.message.subject} heard {client.final!r} after {waited:.1f} s"


@check("when all that went wrong is over, mail goes through", scripted=True)
def _recovers(run: Run) -> Iterator[str]:
    last = run.clients[-1]
    if run.program.over and not run.company.drains and not last.final.startswith("250"):
        yield f"the last message heard {last.final!r}"


@check("the worker leaves when it is told to")
def _leaves(run: Run) -> Iterator[str]:
    if run.left_after > run.settings.route[0].timeouts.end + LOOKS:
        yield f"after {run.left_after:.1f} s"


@check("nothing is left when all is over")
def _conserved(run: Run) -> Iterator[str]:
    yield from (f"{what}: {count}" for what, count in run.left.items() if count)


@check("the log says which hop, at which moment, with which reply")
def _logged(run: Run) -> Iterator[str]:
    lines = [line for line in run.log if "hop.test" in str(line.get("next_hop", ""))]
    for fired in _fired(run):
        client, answer = _client(run, fired), fired.step.answer
        if (
            fired.step.moment in {M.IDLE, M.QUIT}
            or (client is not None and client.gone)
            or run.company.drains
            or run.company.leaving
        ):
            continue
        if (answer.code // 100 == _RIGHT.get(fired.step.moment, 2) or answer.right) and fired.step.moment not in MIDST:
            continue
        if fired.step.moment.name.startswith("EHLO") and answer.code in {500, 502}:
            continue  # HELO follows
        if answer.name == "half" and lines:
            continue  # whatever is said next is its other half
        if client is not None and _is_one_behind(run, client) and lines:
            continue  # it is read as the answer to something else
        if answer.code and not _heard_at(fired)[1] and fired.talk.far is not None and fired.talk.far.ended:
            continue  # it came to a connection that we had left
        words, text = MOMENTS[fired.step.moment], answer.says if answer.code >= 400 else ""
        if not any(text in str(line) and any(word in str(line) for word in words) for line in lines):
            yield f"{fired.step}: no line names {words} and {text!r}"


_RIGHT: Final = {M.DATA: 3}
MOMENTS: Final[dict[Moment, tuple[str, ...]]] = {
    M.CONNECT: ("connect", "no connection stands"),
    M.GREETING: ("greeting", "no connection stands"),
    M.EHLO: ("EHLO", "HELO", "LHLO", "no connection stands"),
    M.STARTTLS: ("STARTTLS", "no connection stands"),
    M.HANDSHAKE: ("handshake", "connect", "no connection stands"),
    M.EHLO_TLS: ("EHLO", "HELO", "no connection stands"),
    M.XCLIENT: ("XCLIENT", "client refused"),
    M.EHLO_XCLIENT: ("EHLO", "HELO", "XCLIENT", "client refused"),
    M.MAIL: ("MAIL", "sender refused"),
    M.RCPT: ("RCPT", "refused by the next hop"),
    M.RCPT_2: ("RCPT", "refused by the next hop"),
    M.DATA: ("DATA",),
    **dict.fromkeys(MIDST, ("content", "next_hop_reply")),
    **dict.fromkeys(END, ("end of message", "next_hop_reply")),
    M.RSET: ("RSET",),
}
"""Words of which the log says one."""


# What the oracle makes of a script.


def _fired(run: Run) -> list[Fired]:
    return run.program.fired


def _client(run: Run, fired: Fired) -> Client | None:
    return next((client for client in run.clients if fired.about == client.message.sender), None)


def _offered(run: Run, talk: Talk) -> tuple[str, ...]:
    """What it offered on this connection, where its last answer to EHLO was the one that is right."""
    greeted = [time for time, line in talk.commands if line[:4] in {"EHLO", "LHLO", "HELO"}]
    wrong = [fired.time for fired in _fired(run) if fired.talk is talk and fired.step.moment in HELLOS]
    return () if greeted and any(time >= greeted[-1] for time in wrong) else talk.offers


def _is_one_behind(run: Run, client: Client) -> bool:
    """On a connection of its mail the hop said half a reply, or one too many: the next is read for the one before it.

    Nobody who hears the hop can see that, until a reply is missing or comes unasked.
    """
    shifts = [each for each in _fired(run) if each.about == client.message.sender]
    shifts = [each for each in shifts if each.step.answer.name == "half" or each.step.answer.right]
    return any(each.talk is shift.talk and each is not shift for shift in shifts for each in _fired(run))


def _is_of(fired: Fired, client: Client) -> bool:
    return fired.about == client.message.sender or fired.step.moment in INTRODUCTION


def _taken(run: Run, client: Client) -> list[Taken]:
    return [taken for hop in run.hops for taken in hop.taken if taken.sender == client.message.sender]


def _repeated(client: Client, fired: Fired) -> bool:
    """The client had heard 250 of it before, in this envelope."""
    moment, taken = fired.step.moment, False
    for heard in client.heard:
        if heard.command.startswith("MAIL"):
            taken = False
        elif heard.replied < fired.time and heard.reply.startswith("250"):
            taken = taken or heard.command == f"RCPT TO:<{fired.recipient}>"
            taken = taken or (moment is M.MAIL and heard.command.startswith("RCPT"))
    return taken


def _replies(client: Client, fired: Fired) -> list[str]:
    """Replies to the command that the step was about, from then on."""
    moment = fired.step.moment
    command = "RCPT" if moment is M.MAIL else "content"
    if moment in {M.RCPT, M.RCPT_2}:
        command = f"RCPT TO:<{fired.recipient}>"
    return [heard.reply for heard in client.of(command) if heard.replied > fired.time]


def _is_ours(fired: Fired) -> bool:
    return fired.step.moment not in (*ENVELOPE, *MIDST, *END, *INTRODUCTION)


def _is_answer(run: Run, fired: Fired) -> bool:
    """It is one reply, and nothing had gone wrong on this connection before."""
    first = next(each for each in _fired(run) if each.talk is fired.talk)
    return fired.step.answer.code > 0 and not fired.step.answer.right and first is fired


def _heard_at(fired: Fired) -> tuple[list[Seen], list[Seen]]:
    """What our end did until it had heard the reply, and behind that."""
    seen = fired.talk.far.seen if fired.talk.far is not None else []
    at = next((at for at, each in enumerate(seen) if each.way == "<" and each.time >= fired.time), len(seen))
    return seen[: at + 1], seen[at + 1 :]


def _is_early(fired: Fired) -> bool:
    """Our end of the message had not been written when the reply came."""
    before, _ = _heard_at(fired)
    if before and before[-1].unsent:
        return True
    written = b"".join(each.what for each in before if each.way == ">")
    if fired.step.moment is M.CONTENT:
        return not written.endswith(b"\r\n.\r\n")
    line, _, chunk = written[written.rindex(b"BDAT ") :].partition(b"\r\n")
    return len(chunk) < int(line.split()[1])


def _lies(fired: Fired) -> bool:
    """The hop says that it took what it never read."""
    return fired.step.moment in MIDST and fired.step.answer.says.startswith("2") and not _is_early(fired)


def _spoils(answer: Answer) -> bool:
    """Who comes next on this connection may suffer."""
    return answer.name in SILENT or answer.then in {Then.DEAF, Then.FREEZE, Then.COMMANDS}


def _must_deliver(run: Run, client: Client) -> bool:
    """Nothing that was said is about this message, and there was a way for it."""
    if run.company.connections == 1 and any(_spoils(fired.step.answer) for fired in _fired(run)):
        return False
    mine = [fired for fired in _fired(run) if fired.about == client.message.sender]
    opening = [fired for fired in _fired(run) if not fired.about and fired.step.moment in OPENING + INTRODUCTION]
    if any(fired.step.moment in INTRODUCTION for fired in opening):
        return False
    if opening:
        return run.company.spare or run.company.addresses > 1 or run.company.name == "others, enough connections"
    return all(fired.step.moment in ENVELOPE and fired.step.answer.name in LOSES for fired in mine)
