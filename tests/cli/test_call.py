"""What the front door knows of a verb."""

from groundup.cli.call import Call


def test_a_call_begins_without_a_run() -> None:
    assert Call().run_folder is None
