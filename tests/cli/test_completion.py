"""Shell completion: what Tab offers is what the command line takes."""

import shutil
import subprocess

import pytest

from holdfast.cli import app
from holdfast.cli.completion import script


def tab(*words: str) -> list[str]:
    """What bash offers when Tab is pressed behind these words."""
    typed = " ".join(f"'{word}'" for word in words)
    ask = f'source /dev/stdin; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _holdfast; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", ask], input=printed("bash"), capture_output=True, text=True, check=True)
    return done.stdout.split()


def printed(shell: str) -> str:
    """The script as `holdfast --completion` makes it."""
    return script(shell, app.VERBS, app.command)


def test_tab_offers_verbs_and_their_options() -> None:
    """The first word completes to a verb, a dash behind it to that verb's options and no other's."""
    assert ["audit"] == tab("holdfast", "aud")
    assert ["--compare"] == tab("holdfast", "audit", "--comp")
    assert [] == tab("holdfast", "explain", "--comp")


def test_every_verb_is_in_every_script() -> None:
    """All three shells know all verbs, and those that are here can read their script."""
    for shell in ("bash", "zsh", "fish"):
        text = printed(shell)
        assert [] == [verb for verb in app.VERBS if verb not in text]
        if shutil.which(shell):
            subprocess.run([shell, "-n", "/dev/stdin"], input=text, text=True, check=True)


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown shell is one message with those that are known."""
    assert 2 == app.main(["--completion", "bsh"])
    assert "Did you mean 'bash'? Known: bash, fish, zsh." in capsys.readouterr().err
