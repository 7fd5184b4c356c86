"""IINs and phones are read as people write them, judged by digits alone, and shown masked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recipients.rules import (
    PhoneKind,
    check_iin,
    mask_iin,
    mask_phone,
    mask_text,
    normalise_phone,
)

OURS = "+77071234567"


def iin_from(eleven: list[int]) -> str | None:
    """The IIN whose first eleven digits these are, by the resolution's two rounds of weights."""
    for weights in (range(1, 12), [*range(3, 12), 1, 2]):
        control = sum(d * w for d, w in zip(eleven, weights, strict=True)) % 11
        if control != 10:
            return "".join(map(str, [*eleven, control]))
    return None


eleven_digits = st.lists(st.integers(0, 9), min_size=11, max_size=11)


@given(eleven_digits)
def test_every_iin_that_can_be_issued_passes(eleven: list[int]) -> None:
    iin = iin_from(eleven)
    if iin is not None:
        assert check_iin(iin) is None


@given(eleven_digits, st.integers(0, 9))
def test_only_one_control_digit_fits(eleven: list[int], last: int) -> None:
    tried = "".join(map(str, [*eleven, last]))
    assert (check_iin(tried) is None) == (tried == iin_from(eleven))


def test_a_second_round_of_weights_is_used_when_the_first_gives_ten() -> None:
    eleven = [0] * 9 + [1, 0]  # the first round gives 10, the second 1
    assert check_iin("000000000101") is None
    assert iin_from(eleven) == "000000000101"


@pytest.mark.parametrize(
    ("iin", "problem"),
    [
        ("000000000000", None),  # its control digit fits, and nothing else is judged
        ("000000000001", "iin.control-digit"),
        ("00000000000", "iin.length"),
        ("0000000000000", "iin.length"),
        ("", "iin.digits"),
        ("00000000000a", "iin.digits"),
        ("٠٠٠٠٠٠٠٠٠٠٠٠", "iin.digits"),
        ("000000 00000", "iin.digits"),
    ],
)
def test_an_iin_is_judged_by_length_and_control_digit_only(iin: str, problem: str | None) -> None:
    assert check_iin(iin) == problem


@pytest.mark.parametrize(
    "raw",
    [
        "8 707 123 45 67",
        "+7 707 123 45 67",
        "87071234567",
        "77071234567",
        "7071234567",
        "8(707)123-45-67",
        "8 (707) 123–45–67",
        "+87071234567",
        "+8 707 123 45 67",
        "８７０７１２３４５６７",
        "８７０７ 123 45 67",
        "8\u00a0707\u00a0123\u00a045\u00a067",
        "\u200e+7 707 123 45 67\u200f",
        "\ufeff77071234567",
        "tel:+7-707-123-45-67",
        " 8.707.123.45.67 ",
    ],
)
def test_a_mobile_number_is_read_however_it_is_written(raw: str) -> None:
    phone = normalise_phone(raw)
    assert (phone.e164, phone.kind, phone.problem, phone.warning) == (
        OURS,
        PhoneKind.MOBILE,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("raw", "kind", "problem"),
    [
        ("8 7172 55 14 74", PhoneKind.LANDLINE, "phone.landline"),
        ("7172551474", PhoneKind.LANDLINE, "phone.landline"),
        ("+7 710 123 45 67", PhoneKind.LANDLINE, "phone.landline"),
        ("8 800 080 7777", PhoneKind.LANDLINE, "phone.landline"),
        ("+7 751 123 45 67", PhoneKind.LANDLINE, "phone.landline"),  # VoIP
        ("+7 916 123 45 67", PhoneKind.FOREIGN, "phone.foreign"),
        ("+7 495 123 45 67", PhoneKind.FOREIGN, "phone.foreign"),
        ("+49 1511 2345678", PhoneKind.FOREIGN, "phone.foreign"),
        ("+86 138 1234 5678", PhoneKind.FOREIGN, "phone.foreign"),
        ("1414", PhoneKind.SHORT_CODE, "phone.short-code"),
        ("101", PhoneKind.SHORT_CODE, "phone.short-code"),
        ("3040", PhoneKind.SHORT_CODE, "phone.short-code"),
        ("+1414", PhoneKind.INVALID, "phone.not-a-number"),
        ("551474", PhoneKind.INVALID, "phone.not-a-number"),
        ("0077071234567", PhoneKind.INVALID, "phone.not-a-number"),
        ("+997 707 123 45 67", PhoneKind.INVALID, "phone.not-a-number"),
        ("7707123456", PhoneKind.INVALID, "phone.not-a-number"),
        ("eGov", PhoneKind.INVALID, "phone.not-a-number"),
        ("٨٧٠٧١٢٣٤٥٦٧", PhoneKind.INVALID, "phone.not-a-number"),
        ("", PhoneKind.INVALID, "phone.not-a-number"),
    ],
)
def test_what_cannot_get_an_sms_says_why(raw: str, kind: PhoneKind, problem: str) -> None:
    phone = normalise_phone(raw)
    assert (phone.kind, phone.problem, phone.is_reachable) == (kind, problem, False)


@pytest.mark.parametrize("prefix", ["703", "704", "709", "750", "600", "699"])
def test_a_kazakh_prefix_the_library_does_not_know_warns_and_stops_nobody(prefix: str) -> None:
    phone = normalise_phone(f"8{prefix}1234567")
    assert phone.is_reachable
    assert (phone.e164, phone.problem, phone.warning) == (
        f"+7{prefix}1234567",
        None,
        "phone.unknown-prefix",
    )


@given(st.integers(0, 9999))
def test_every_handset_of_the_sandbox_is_a_mobile_phone(last: int) -> None:
    phone = normalise_phone(f"+7700000{last:04}")
    assert (phone.e164, phone.kind) == (f"+7700000{last:04}", PhoneKind.MOBILE)
    assert phone.warning is None


@given(st.text())
def test_no_text_makes_reading_a_phone_fail(raw: str) -> None:
    phone = normalise_phone(raw)
    assert phone.is_reachable == (phone.problem is None)


@given(st.from_regex(r"\+77(0[0125678]|47|7[15678])[0-9]{7}", fullmatch=True))
def test_a_normalised_phone_stays_as_it_is(e164: str) -> None:
    assert normalise_phone(e164).e164 == e164
    assert normalise_phone(normalise_phone(e164).e164) == normalise_phone(e164)


def test_masks_leave_what_a_clerk_needs_and_no_more() -> None:
    assert mask_phone(OURS) == "+7 707 *** ** 67"
    assert mask_phone("+4915112345678") == "***78"
    assert mask_phone("1414") == "***"
    assert mask_iin("900101300123") == "********0123"
    assert mask_iin("90010130") == "************"


def test_free_text_loses_iins_phones_and_accounts_but_keeps_the_answer() -> None:
    heard = "иә, ЖСН 900101300123, шот KZ86125KZT5004100100, 87071234567 т. 1"
    assert mask_text(heard) == ("иә, ЖСН **********23, шот ******************00, *********67 т. 1")
    assert mask_text("1") == "1"


@given(st.text(), st.from_regex(r"[0-9]{12}", fullmatch=True))
def test_no_run_of_twelve_digits_survives(around: str, iin: str) -> None:
    assert iin not in mask_text(f"{around} {iin} {around}")
