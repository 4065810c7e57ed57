"""Does a shell take the completions that are made from the parser?"""

import subprocess

import pytest

from tidewaiter.cli import Exit, main
from tidewaiter.cli.verbs import MODULES

COMPLETE = """
{script}
COMP_WORDS=(tidewaiter {words}); COMP_CWORD={place}; COMP_LINE="tidewaiter {words}"; COMP_POINT=${{#COMP_LINE}}
_shtab_tidewaiter; printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def script(capsys: pytest.CaptureFixture[str], shell: str) -> str:
    assert main(["completion", shell]) == Exit.GOOD
    return capsys.readouterr().out


@pytest.mark.parametrize(("typed", "offered"), [("", set(MODULES)), ("di", {"dialect"}), ("dialect sm", {"smuggle"})])
def test_bash_is_offered_what_may_follow(capsys: pytest.CaptureFixture[str], typed: str, offered: set[str]) -> None:
    place = len(typed.split(" "))
    program = COMPLETE.format(script=script(capsys, "bash"), words=typed or "''", place=place)
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert offered <= set(done.stdout.split())


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_get_a_script_that_names_every_verb(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    text = script(capsys, shell)
    assert [verb for verb in MODULES if verb not in text] == []
