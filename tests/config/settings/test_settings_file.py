"""The settings file to start from: it says what the program does without it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.config.settings.settings import Settings, catalogue, load_settings
from monitor.config.settings.settings_file import commented_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_as_it_is_it_sets_nothing(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(commented_settings())

    assert load_settings(file, {}) == Settings()
    assert all(line.startswith("#") for line in commented_settings().splitlines() if line)


def test_with_its_comment_signs_taken_away_every_line_is_a_setting_at_its_default(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(re.sub(r"^#(?! \S)", "", commented_settings(), flags=re.MULTILINE))

    settings = load_settings(file, {})

    assert settings.model_dump() == Settings().model_dump()
    for setting in catalogue():
        assert settings._origins[setting.path].startswith(f"{file}:"), setting.name


def test_it_tells_what_each_setting_means_and_its_variable() -> None:
    text = " ".join(re.sub(r"[#\s]+", " ", commented_settings()).split())

    for setting in catalogue():
        assert setting.description.rstrip(".") in text
        assert setting.variable in text
