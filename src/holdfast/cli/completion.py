"""Shell completion: a script for bash, zsh or fish with every verb and option in it, made once when it is asked for.

The script calls nothing back, so that pressing Tab costs nothing; make it anew after an update.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from typer import Typer
from typer.main import get_command

from holdfast.core.errors import UsageError, nearest

Options = Mapping[str, list[str]]


def script(shell: str, verbs: Mapping[str, str], command: Callable[..., Callable[..., int]]) -> str:
    """Return the script for a shell. `command` makes the function of a verb. Raises `UsageError` for another shell."""
    makers = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    if shell not in makers:
        raise UsageError(f"There is no completion for {shell or 'no shell'!r}.", nearest(shell, makers))
    return makers[shell](verbs, {verb: _options(verb, command) for verb in verbs})


def _options(verb: str, command: Callable[..., Callable[..., int]]) -> list[str]:
    module = import_module(f"holdfast.cli.{verb.replace('-', '_')}")
    app = Typer(add_completion=False)
    app.command(verb)(command(module.Options, module.run))
    names = (name for option in get_command(app).params for name in option.opts if name.startswith("--"))
    return sorted({*names, "--help"})


def _bash(verbs: Mapping[str, str], options: Options) -> str:
    cases = "\n".join(f'    {verb}) words="{" ".join(options[verb])}" ;;' for verb in verbs)
    return f"""# holdfast --completion bash >> ~/.bashrc
_holdfast() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{" ".join(verbs)} --help --version" -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}}
complete -o filenames -F _holdfast holdfast
"""


def _zsh(verbs: Mapping[str, str], options: Options) -> str:
    known = " ".join(f"'{verb}:{text}'" for verb, text in verbs.items())
    cases = "\n".join(f"    {verb}) compadd -- {' '.join(options[verb])} ;;" for verb in verbs)
    return f"""#compdef holdfast
# holdfast --completion zsh > ~/.zsh/_holdfast   (a folder of $fpath)
_holdfast() {{
  if (( CURRENT == 2 )); then
    local -a verbs=({known})
    _describe verb verbs
    return
  fi
  if [[ $words[CURRENT] != -* ]]; then _files; return; fi
  case $words[2] in
{cases}
  esac
}}
compdef _holdfast holdfast
"""


def _fish(verbs: Mapping[str, str], options: Options) -> str:
    lines = ["# holdfast --completion fish > ~/.config/fish/completions/holdfast.fish"]
    lines += [f"complete -c holdfast -n __fish_use_subcommand -a {verb} -d '{text}'" for verb, text in verbs.items()]
    for verb, names in options.items():
        seen = f"'__fish_seen_subcommand_from {verb}'"
        lines += [f"complete -c holdfast -n {seen} -l {name.removeprefix('--')}" for name in names]
    return "\n".join(lines) + "\n"
