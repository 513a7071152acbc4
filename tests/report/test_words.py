import re
import string
from pathlib import Path

import pytest

import unrolled.report
from unrolled.core.errors import ConfigError
from unrolled.report.words import NAMES, WORDS, Words

SOURCES = [path for path in Path(unrolled.report.__path__[0]).glob("*.py") if path.name != "words.py"]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(WORDS))
def test_both_languages_say_it_with_the_same_values(key: str) -> None:
    english, chinese = WORDS[key]
    assert english.strip() and chinese.strip()
    assert fields(english) == fields(chinese)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_names_have_both_languages(name: str) -> None:
    assert all(text.strip() for text in NAMES[name])


def test_every_key_is_used_and_every_used_key_exists() -> None:
    text = "\n".join(path.read_text() for path in SOURCES)
    quoted = set(re.findall(r"[\"']([a-z_]+)[\"']", text))
    assert set(re.findall(r'\bwords\(\s*["\']([a-z_]+)["\']', text)) <= set(WORDS)
    spoken_by_words_itself = {"capped", "standardised"}
    assert set(WORDS) - quoted == spoken_by_words_itself


def test_names_are_translated_with_their_suffix_and_kept_when_unknown() -> None:
    assert Words("zh").name("accuracy") == "准确率"
    assert Words("en").name("rmse_capped") == "RMSE, capped"
    assert Words("zh").name("mse_standardised") == "MSE（标准化）"
    assert Words("zh").name("my_own_measure") == "my_own_measure"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigError, match="'fr' is not known"):
        Words("fr")  # type: ignore[arg-type]
