import os
import subprocess
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from tests.config.test_parsing import ISSUE
from tidewaiter.gateway.host import mail_loop
from tidewaiter.gateway.host.requirements import mistakes_of_file

TLS = """
tls = "starttls"
certificate = "cert.pem"
key = "key.pem"

[[route]]"""


@pytest.fixture
def file(open_path: Path) -> Path:
    """A configuration with TLS whose files are all in order."""
    authority = trustme.CA()
    certificate = authority.issue_cert("mx.tidewaiter.test")
    certificate.private_key_pem.write_to_path(open_path / "key.pem")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(open_path / "cert.pem", append=True)
    authority.cert_pem.write_to_path(open_path / "ca.pem")
    found = open_path / "tw.toml"
    found.write_text(ISSUE.decode().replace("\n[[route]]", TLS) + 'tls = "verify"\nca = "ca.pem"\n')
    return found


def mistakes(file: Path) -> str:
    """Without the file's name before each."""
    return "\n".join(str(mistake).removeprefix(f"{file}:") for mistake in mistakes_of_file(file))


def test_files_in_order_are_no_mistake(file: Path) -> None:
    assert mistakes(file) == ""


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("key.pem", None, "12: listener[0].key: {folder}/key.pem: No such file or directory"),
        ("cert.pem", None, "11: listener[0].certificate: {folder}/cert.pem: No such file or directory"),
        ("key.pem", "no key", "11: listener[0].certificate: {folder}/cert.pem and its key cannot be used"),
        ("cert.pem", "no certificate", "11: listener[0].certificate: {folder}/cert.pem and its key cannot be used"),
        ("ca.pem", None, "18: route[0].ca: {folder}/ca.pem: No such file or directory"),
        ("ca.pem", "no authority", "18: route[0].ca: {folder}/ca.pem: no certificates in PEM form"),
    ],
)
def test_a_file_that_is_not_in_order_is_named(file: Path, name: str, content: str | None, expected: str) -> None:
    (file.parent / name).unlink()
    if content is not None:
        (file.parent / name).write_text(content)
    assert mistakes(file).startswith(expected.format(folder=file.parent))


def test_a_key_of_another_certificate_is_named(file: Path) -> None:
    other = trustme.CA().issue_cert("mx.tidewaiter.test")
    other.private_key_pem.write_to_path(file.parent / "key.pem")
    assert "key values mismatch" in mistakes(file)


def test_a_key_with_a_password_is_named_and_nobody_is_asked_for_it(file: Path) -> None:
    key = file.parent / "key.pem"
    found = serialization.load_pem_private_key(key.read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(b"a password")
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key.write_bytes(found.private_bytes(pem, pkcs8, encryption))
    assert "cannot be used" in mistakes(file)


def test_mistakes_of_the_file_itself_come_first(file: Path) -> None:
    file.write_text(file.read_text().replace("hostname", "hostnam"))
    (file.parent / "key.pem").unlink()
    assert mistakes(file) == "1: hostnam: unknown key; did you mean hostname?\n1: hostname: is missing"


def test_an_unknown_user_is_a_mistake(file: Path) -> None:
    file.write_text(file.read_text() + '[workers]\nuser = "no-such-user"\n')
    assert mistakes(file) == "20: workers.user: this machine has no user no-such-user"
    file.write_text(file.read_text().replace("no-such-user", "a\\u0000b"))
    assert mistakes(file) == "20: workers.user: this machine has no user a\\u0000b"


def test_an_unknown_group_is_a_mistake(file: Path) -> None:
    file.write_text(file.read_text() + '[workers]\nuser = "root"\ngroup = "no-such-group"\n')
    assert mistakes(file) == "21: workers.group: this machine has no group no-such-group"


def test_a_name_that_no_file_can_have_is_a_mistake(file: Path) -> None:
    long = "x" * 300
    text = file.read_text() + f'[log]\nfile = "{long}"\n'
    file.write_text(text.replace('"state"', f'"{long}"').replace("smtp://127.0.0.1:2526", f"maildir:{long}"))
    file.write_text(file.read_text().replace('tls = "verify"\nca = "ca.pem"\n', ""))
    assert [line.split(": ")[1::2] for line in mistakes(file).splitlines()] == [
        ["store.path", "File name too long"],
        ["route[0].next_hop[0]", "File name too long"],
        ["log.file", "File name too long"],
    ]


def test_a_folder_is_no_log_file(file: Path) -> None:
    file.write_text(file.read_text() + '[log]\nfile = "."\n')
    assert mistakes(file) == f"20: log.file: {file.parent}: Is a directory"


def test_a_folder_that_cannot_be_is_a_mistake(file: Path) -> None:
    file.write_text(file.read_text().replace('"state"', '"missing/state"'))
    assert "store.path" in mistakes(file)


def with_maildir(file: Path, path: str, user: str = "") -> Path:
    text = file.read_text().replace("smtp://127.0.0.1:2526", f"maildir:{path}")
    file.write_text(text.replace('tls = "verify"\nca = "ca.pem"\n', "") + user)
    return file


def test_a_maildir_that_can_be_made_is_no_mistake(file: Path) -> None:
    assert mistakes(with_maildir(file, "not/yet/there")) == ""
    assert not (file.parent / "not").exists(), "a check makes nothing"


@pytest.mark.parametrize("there", ["mail", "mail/new", "link"])
def test_a_maildir_whose_folder_is_none_is_a_mistake(file: Path, there: str) -> None:
    (file.parent / "mail").mkdir()
    (file.parent / "link").symlink_to("nowhere")
    if there == "mail":
        (file.parent / "mail").rmdir()
    if there != "link":
        (file.parent / there).touch()
    found = mistakes(with_maildir(file, there.partition("/")[0]))
    assert found == f"16: route[0].next_hop[0]: {file.parent}/{there}" + (
        ": No such file or directory" if there == "link" else " is not a folder"
    )


def test_a_next_hop_that_only_the_machine_knows_to_be_us_is_a_mistake(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = file.read_text().replace("127.0.0.1:2525", "0.0.0.0:2525")
    file.write_text(text.replace("smtp://127.0.0.1:2526", "smtp://192.0.2.7:2525"))
    assert mistakes(file) == ""
    monkeypatch.setattr(mail_loop, "is_ours", lambda asked: str(asked) == "192.0.2.7")
    assert mistakes(file) == "16: route[0].next_hop[0]: is one of our own listeners: mail loops"


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user, or mount")


@needs_root
def test_a_key_that_only_root_can_read_is_a_mistake(file: Path) -> None:
    for one in file.parent.iterdir():
        one.chmod(0o644)
    file.write_text(file.read_text() + '[workers]\nuser = "nobody"\n')
    assert mistakes(file) == ""
    (file.parent / "key.pem").chmod(0o600)
    assert mistakes(file) == f"12: listener[0].key: {file.parent}/key.pem: Permission denied"
    file.chmod(0o600)
    assert "workers.user: could not reload" in mistakes(file)
    assert os.getuid() == 0, "only the question was asked as another"


@needs_root
def test_a_user_whom_we_may_not_become_is_a_mistake(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(groups: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.setgroups", refuse)  # as for root in a container without CAP_SETGID
    file.write_text(file.read_text() + '[workers]\nuser = "nobody"\n')
    assert mistakes(file) == "20: workers.user: the question could not be asked as that user"


@needs_root
def test_a_folder_that_only_root_can_enter_is_a_mistake(file: Path) -> None:
    text = file.read_text() + '[workers]\nuser = "nobody"\n[log]\nfile = "log"\n'
    file.write_text(text.replace('"state"', f'"{file.parent}/closed/state"').replace('"log"', '"closed/log"'))
    (file.parent / "closed").mkdir(mode=0o700)
    found = mistakes(file)
    assert f"store.path: {file.parent}/closed: Permission denied" in found
    assert f"log.file: {file.parent}/closed: Permission denied" in found
    file.parent.chmod(0o700)
    assert f"workers.user: could not reload: {file}: Permission denied" in mistakes(file)


@needs_root
@pytest.mark.parametrize("closed", ["mail", "mail/tmp", "mail/new", "mail/cur"])
def test_a_maildir_that_only_root_can_write_is_a_mistake(file: Path, closed: str) -> None:
    for one in file.parent.iterdir():
        one.chmod(0o644)
    for folder in ("mail", "mail/tmp", "mail/new", "mail/cur"):
        (file.parent / folder).mkdir()
        (file.parent / folder).chmod(0o777)
    with_maildir(file, "mail", '[workers]\nuser = "nobody"\n')
    assert mistakes(file) == ""
    (file.parent / closed).chmod(0o700)
    assert mistakes(file).startswith(f"16: route[0].next_hop[0]: {file.parent}/{closed}")


@needs_root
def test_a_maildir_below_what_only_root_can_write_is_a_mistake(file: Path) -> None:
    for one in file.parent.iterdir():
        one.chmod(0o644)
    with_maildir(file, "/proc/nope/x", '[workers]\nuser = "nobody"\n')
    assert mistakes(file) == "16: route[0].next_hop[0]: /proc: Permission denied"


@needs_root
def test_a_maildir_on_what_is_read_only_is_a_mistake(file: Path) -> None:
    mail = file.parent / "mail"
    mail.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tidewaiter-test", mail], check=True)
    try:
        assert mistakes(with_maildir(file, "mail")) == f"16: route[0].next_hop[0]: {mail}: Read-only file system"
    finally:
        subprocess.run(["umount", mail], check=True)


@needs_root
def test_a_state_folder_in_memory_is_a_mistake(file: Path) -> None:
    state = file.parent / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tidewaiter-test", state], check=True)
    try:
        assert mistakes(file).startswith("4: store.path: is on tmpfs")
    finally:
        subprocess.run(["umount", state], check=True)
