"""The GSM alphabet against 3GPP TS 23.038, and what of it may leave us."""

import pytest

from smpp import gsm


def test_the_alphabet_has_128_septets_each_once() -> None:
    assert len(gsm.ALPHABET) == 128
    assert len(set(gsm.ALPHABET)) == 128


@pytest.mark.parametrize("char", ["@", "$", "_", "`", "{", "€", "é", "ә", "\x1b", "~"])
def test_what_differs_between_gsm_ascii_and_latin_1_is_not_plain(char: str) -> None:
    assert not gsm.is_plain(char)


def test_letters_digits_and_common_marks_are_plain() -> None:
    assert gsm.is_plain("Kelisseniz - 1, bas tartsanyz - 2.\r\n(24 sagat) #*+/:;<=>?!\"%&'")


def test_a_text_that_is_not_plain_is_refused_instead_of_altered() -> None:
    with pytest.raises(ValueError, match="data_coding 0"):
        gsm.encode("a_b")


def test_septets_are_read_by_gsm_and_not_by_ascii() -> None:
    assert gsm.decode(b"\x00\x02\x11\x24\x5f\x60\x7b") == "@$_¤§¿ä"


def test_the_extension_table_is_read() -> None:
    assert gsm.decode(b"\x1b\x65 \x1b\x28x\x1b\x29 \x1b\x3d") == "€ {x} ~"


@pytest.mark.parametrize("data", [b"1\x1b", b"\x1b1", b"\x80", b"\x1b\x1b"])
def test_an_escape_that_leads_nowhere_and_an_octet_too_large_are_no_text(data: bytes) -> None:
    assert gsm.decode(data) is None
