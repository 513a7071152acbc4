import re
import string
from pathlib import Path

import pytest

import unrolled.report
from unrolled.core.errors import ConfigError
from unrolled.evaluate.verdict import _MEASURES
from unrolled.prepare.regularity import Rhythm
from unrolled.report.names import NAMES
from unrolled.report.words import WORDS, Words

SOURCES = [
    path for path in Path(unrolled.report.__path__[0]).glob("*.py") if not path.name.endswith(("words.py", "names.py"))
]


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
    assert Words("en").name("rmse_capped") == "RMSE (capped)"
    assert Words("zh").name("mse_standardised") == "MSE（标准化）"
    assert Words("zh").name("my_own_measure") == "my_own_measure"


def test_measures_of_a_class_or_target_keep_its_name() -> None:
    assert Words("zh").name("recall:V") == "召回率：V"
    assert Words("en").name("mae_standardised:Close") == "MAE (standardised): Close"
    assert Words("zh").name("车间:3") == "车间:3"


@pytest.mark.parametrize("language", [0, 1])
def test_the_verdict_calls_measures_and_the_table_calls_them_alike(language: int) -> None:
    words = Words("zh" if language else "en")
    for name, said in _MEASURES.items():
        assert said[language].lower() == words.name(name).lower()


@pytest.mark.parametrize(
    ("step", "chinese"),
    [
        ("1 business day", "1 个工作日"),
        ("15 min", "15 分钟"),
        ("3 month", "3 个月"),
        ("1 week", "1 周"),
        ("2.5", "2.5"),
        ("", ""),
    ],
)
def test_the_step_between_rows(step: str, chinese: str) -> None:
    assert Words("zh").step(step) == chinese
    assert Words("en").step(step) == step


def test_every_unit_of_a_rhythm_has_a_chinese_name() -> None:
    fixed = {str(Rhythm(step=seconds)) for seconds in (604800.0, 86400.0, 3600.0, 60.0, 1.0, 0.5)}
    others = {str(Rhythm(step=86400.0, weekdays="1111100")), str(Rhythm(step=2.6e6, months=1))}
    others.add(str(Rhythm(step=3.2e7, months=12)))
    assert all(not re.search("[a-z]", Words("zh").step(text)) for text in fixed | others)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigError, match="'fr' is not known"):
        Words("fr")  # type: ignore[arg-type]
