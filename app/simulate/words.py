"""What citizens write, in both languages: a closed list a kind, so that what was meant is known."""

from collections.abc import Mapping
from random import Random
from typing import Final

YES: Final[Mapping[str, tuple[str, ...]]] = {
    "kk": ("1", "1", "1", "Иә", "иә", "ИӘ", "ия", "иа", "келісемін", "Иә, келісемін"),
    "ru": ("1", "1", "1", "Да", "да", "ДА", "согласен", "согласна", "Да, согласна"),
}
NO: Final[Mapping[str, tuple[str, ...]]] = {
    "kk": ("2", "2", "2", "Жоқ", "жоқ", "жок", "қажет емес"),
    "ru": ("2", "2", "2", "Нет", "нет", "НЕТ", "не надо"),
}
UNCLEAR: Final[Mapping[str, tuple[str, ...]]] = {
    "kk": ("ойланамын", "бұл не?", "кейін", "Сәлеметсіз бе"),
    "ru": ("подумаю", "что это?", "кто это", "Здравствуйте"),
}
STOP: Final[Mapping[str, tuple[str, ...]]] = {"kk": ("тоқта", "СТОП"), "ru": ("стоп", "СТОП")}
STRANGER: Final[Mapping[str, tuple[str, ...]]] = {
    "kk": ("бұл мен емес",),
    "ru": ("вы ошиблись номером", "это не мой номер"),
}


def said(chance: Random, words: Mapping[str, tuple[str, ...]], language: str) -> str:
    """One of the wordings in that language."""
    return chance.choice(words[language])
