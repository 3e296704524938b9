"""The generator of the web client's schema: it notices drift, and refuses what it cannot say in TypeScript."""

from pathlib import Path

import msgspec
import pytest

from scripts.generate_client_schema import TARGET, Types, main


def test_the_schema_of_the_client_is_that_of_the_server() -> None:
    assert main(["--check"]) == 0


def test_a_field_that_the_server_does_not_have_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drifted = tmp_path / "schema.gen.ts"
    drifted.write_text(TARGET.read_text("utf-8").replace("  reply_to?: string;", "  answer_to?: string;"), "utf-8")
    assert main(["--check"], drifted) == 1
    assert "make reference" in capsys.readouterr().err
    assert main([], drifted) == 0
    assert main(["--check"], drifted) == 0


def test_a_missing_schema_fails_the_check(tmp_path: Path) -> None:
    assert main(["--check"], tmp_path / "schema.gen.ts") == 1


def test_a_default_may_be_left_out_by_the_client_and_is_always_sent_by_the_server() -> None:
    asked = msgspec.defstruct("Asked", [("text", str), ("reply_to", str | None, None)])
    answered = msgspec.defstruct("Answered", [("cursor", str | None, None)])
    lean = msgspec.defstruct("Lean", [("cursor", str | None, None)], omit_defaults=True)
    types = Types()
    types.of(asked, sent=True)
    types.of(answered, sent=False)
    types.of(lean, sent=False)
    assert list(types.written()) == [
        "export interface Answered {\n  cursor: string | null;\n}\n",
        "export interface Asked {\n  text: string;\n  reply_to?: string;\n}\n",
        "export interface Lean {\n  cursor?: string;\n}\n",
    ]


def test_two_structs_of_one_name_are_refused() -> None:
    types = Types()
    types.of(msgspec.defstruct("Same", [("a", int)]), sent=False)
    with pytest.raises(TypeError, match="both called Same"):
        types.of(msgspec.defstruct("Same", [("b", int)]), sent=False)
