from __future__ import annotations

import pytest

from ingest.command import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_named_by_the_help_of_the_job_and_says_its_version(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, said in ((["--help"], f" {name}"), ([name, "--version"], "StoreLens ")):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert not ended.value.code
        assert said in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_what_no_command_understands_is_refused_in_two_lines(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--unheard-of"])
    assert ended.value.code == 2
    assert f"python -m ingest {name}: error: " in capsys.readouterr().err
