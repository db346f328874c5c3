"""What is one name: case, white space and signs at the ends do not count; what belongs to a letter does."""

import pytest

from db.entity_names import LONGEST_NAME, normalised_name


@pytest.mark.parametrize(
    ("surfaces", "name"),
    [
        (["@BBC_News", "bbc_news", "BBC_News,", "“BBC_News”"], "bbc_news"),
        (["São  Paulo", "#são paulo!", "SA\u0303O PAULO"], "são paulo"),
        (["London ❤️", "LONDON…"], "london"),
        (["Straße", "STRASSE"], "strasse"),
        (["@हिंदी!"], "हिंदी"),  # ends with a vowel sign, which is no letter to Python
        (["หนังสือ", "#หนังสือ"], "หนังสือ"),
        (["นี่!"], "นี่"),
        (["😀!"], "😀!"),  # signs alone stay
        (["x" * 300], "x" * LONGEST_NAME),
    ],
)
def test_surfaces_of_one_name(surfaces: list[str], name: str) -> None:
    assert {normalised_name(surface) for surface in surfaces} == {name}


def test_what_differs_by_a_vowel_sign_is_another_name() -> None:
    assert normalised_name("हिंदी") != normalised_name("हिंद")
