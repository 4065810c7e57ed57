"""A Maildir: whole, on disk, and only then acknowledged (promise 4)."""

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.running import INBOUND, Caller, RunningGateway, running_gateway
from tests.gateway.test_flow import without_received
from tidewaiter.delivery.maildir import Maildir, with_newlines
from tidewaiter.store.file_thread import FileThread

MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"


def configuration(path: str = "mail") -> str:
    return INBOUND.format(hops=f'"maildir:{path}"', listener="", route="", limits='spool_memory = "1KiB"')


async def deliver(gateway: RunningGateway, content: bytes) -> str:
    async with await Caller.call(gateway.port) as caller:
        await caller.envelope()
        return await caller.data(content)


@pytest.mark.parametrize(
    "content", [MESSAGE, b"", b"Subject: x\r\n\r\n" + b".y\r\n" * 100_000], ids=["small", "none", "large"]
)
async def test_a_message_lies_in_new_with_return_path_and_lf_lines(content: bytes, tmp_path: Path) -> None:
    async with running_gateway(tmp_path, configuration()) as gateway:
        assert (await deliver(gateway, content)).startswith("250 ")
        [file] = (tmp_path / "mail" / "new").iterdir()
        assert list((tmp_path / "mail" / "tmp").iterdir()) == []
    head, _, rest = file.read_bytes().partition(b"\n")
    assert head == b"Return-Path: <a@client.test>"
    assert without_received(rest.replace(b"\n", b"\r\n")) == content
    assert b"\r" not in rest


async def test_each_message_has_a_name_of_its_own(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, configuration()) as gateway:
        for _ in range(5):
            await deliver(gateway, MESSAGE)
    assert len(list((tmp_path / "mail" / "new").iterdir())) == 5


async def test_a_folder_that_cannot_be_written_is_451_and_leaves_no_half_message(tmp_path: Path) -> None:
    (tmp_path / "mail").write_bytes(b"a file where the Maildir should be")
    async with running_gateway(tmp_path, configuration()) as gateway:
        assert (await deliver(gateway, MESSAGE)).startswith("451 4.3.0 ")
        [record] = gateway.memory.transactions
        assert record.outcome == "deferred"
        assert str(tmp_path / "mail") in record.next_hop_reply, "which folder it is"


def test_the_order_is_write_fsync_rename_fsync_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def note_fsync(file: int) -> None:
        path = Path(f"/proc/self/fd/{file}").readlink()
        what = "itself" if path.is_dir() else f"a message of {path.stat().st_size}"
        steps.append(f"fsync {path.relative_to(tmp_path).parts[0]}, {what}")
        fsync(file)

    def note_rename(self: Path, target: Path) -> Path:
        steps.append(f"rename {self.parent.name} {target.parent.name}")
        return rename(self, target)

    for folder in ("tmp", "new", "cur"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "rename", note_rename)
    maildir = Maildir("maildir", str(tmp_path), "mx.test", files=None)  # type: ignore[arg-type]  # unused
    maildir._settled = True
    maildir._deliver("name", [b"hello"])
    assert steps == ["fsync tmp, a message of 5", "rename tmp new", "fsync new, itself"]


@given(st.lists(st.text("\r\n.x", max_size=4)))
def test_newlines_do_not_depend_on_how_the_content_was_cut(pieces: list[str]) -> None:
    content = [piece.encode() for piece in pieces]
    assert b"".join(with_newlines(content)) == b"".join(content).replace(b"\r\n", b"\n")
    assert list(itertools.islice(with_newlines([]), 2)) == [b""]


def test_the_names_keep_clear_of_what_a_maildir_gives_a_meaning(tmp_path: Path) -> None:
    maildir = Maildir("maildir", str(tmp_path), "a/b:c", files=FileThread.__new__(FileThread))
    assert maildir._hostname == "a\\057b\\072c"
