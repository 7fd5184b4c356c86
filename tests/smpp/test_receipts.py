"""Receipts as OsmoMSC, Jasmin and the networks word them; and what must not be taken for one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from smpp import addresses, receipts
from smpp.binds import Bind
from smpp.messages import ReceiptState
from smpp.pdu import SmFields
from smpp.tlv import Tag

BIND = Bind("k-1", "kcell", "127.0.0.1", 2775, "jauap", "secret", message_id="verbatim")
ALMATY = replace(BIND, receipt_time_zone="Asia/Almaty")
USUAL = (
    "id:42 sub:001 dlvrd:001 submit date:2611210500 done date:2611210501 "
    "stat:DELIVRD err:000 text:Balanyz"
)


def receipt(text: str, *, esm_class: int = 4, **tlvs: bytes) -> SmFields:
    return SmFields(
        source="77011234567",
        source_ton=1,
        dest="1414",
        dest_ton=3,
        esm_class=esm_class,
        short_message=text.encode(),
        tlvs={Tag[name]: value for name, value in tlvs.items()},
    )


def read(fields: SmFields, bind: Bind = BIND) -> receipts.ParsedReceipt:
    parsed = receipts.read(fields, bind)
    assert parsed is not None
    return parsed


def test_the_usual_receipt_is_read() -> None:
    assert read(receipt(USUAL), ALMATY) == receipts.ParsedReceipt(
        message_ids=("42",),
        state=ReceiptState.DELIVRD,
        error="000",
        done_at=datetime(2026, 11, 21, 0, 2, tzinfo=UTC),
        phone="+77011234567",
    )


def test_fields_are_found_in_any_order_and_case() -> None:
    parsed = read(receipt("STAT:undeliv Err:00B Done Date:261121050130 ID: 0042"), ALMATY)
    assert parsed.state is ReceiptState.UNDELIV
    assert (parsed.error, parsed.message_ids) == ("00B", ("0042",))
    assert parsed.done_at == datetime(2026, 11, 21, 0, 1, 30, tzinfo=UTC)


def test_the_text_of_the_message_says_nothing_about_its_fate() -> None:
    parsed = read(receipt("id:42 err:001 stat:REJECTD text:stat:DELIVRD err:000 id:43"))
    assert (parsed.state, parsed.error, parsed.message_ids) == (
        ReceiptState.REJECTD,
        "001",
        ("42",),
    )
    assert read(receipt("id:42 text:stat:DELIVRD")).state is ReceiptState.UNKNOWN


def test_an_empty_field_does_not_swallow_the_next() -> None:
    parsed = read(receipt("id: sub: dlvrd: submit date: done date: stat:EXPIRED err: text:"))
    assert (parsed.message_ids, parsed.state, parsed.error) == ((), ReceiptState.EXPIRED, "")


def test_osmomsc_without_dates_and_with_its_own_id_is_read_by_its_reference() -> None:
    fields = receipt(
        "id:00000001 sub:000 dlvrd:000 submit date:YYMMDDhhmm done date:YYMMDDhhmm "
        "stat:DELIVRD err:000 text:",
        USER_MESSAGE_REFERENCE=b"\x00\x34",
    )
    parsed = read(structs.replace(fields, source_ton=3, data_coding=2), ALMATY)
    assert (parsed.done_at, parsed.user_message_reference) == (None, 0x34)
    assert (parsed.state, parsed.phone) == (ReceiptState.DELIVRD, "+77011234567")


def test_jasmin_without_sub_dlvrd_and_text_is_read() -> None:
    uuid = "0b4c1f3e-6f5e-4b9a-9c39-0d5d1c0d6e11"
    text = f"id:{uuid} submit date:2611210005 done date:2611210005 stat:ACCEPTD err:000"
    fields = receipt(text, RECEIPTED_MESSAGE_ID=uuid.encode(), MESSAGE_STATE=b"\x06")
    assert read(fields).message_ids == (uuid,)
    assert read(fields).state is ReceiptState.ACCEPTD


@pytest.mark.parametrize(("number", "state"), list(enumerate(ReceiptState, 1)))
def test_the_state_parameter_wins_over_the_text(number: int, state: ReceiptState) -> None:
    assert read(receipt("id:1 stat:ENROUTE", MESSAGE_STATE=bytes((number,)))).state is state


def test_the_states_are_numbered_as_the_standard_numbers_them() -> None:
    assert read(receipt("", MESSAGE_STATE=b"\x02")).state is ReceiptState.DELIVRD
    assert read(receipt("", MESSAGE_STATE=b"\x05")).state is ReceiptState.UNDELIV
    assert read(receipt("", MESSAGE_STATE=b"\x08")).state is ReceiptState.REJECTD
    assert read(receipt("stat:DELIVRD", MESSAGE_STATE=b"\x63")).state is ReceiptState.DELIVRD


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        ("DELIVERED", ReceiptState.DELIVRD),
        ("UNDELIVERABLE", ReceiptState.UNDELIV),
        ("BUFFERED", ReceiptState.ENROUTE),
        ("2", ReceiptState.DELIVRD),
        ("77", ReceiptState.UNKNOWN),
        ("LOST", ReceiptState.UNKNOWN),
        ("", ReceiptState.UNKNOWN),
    ],
)
def test_other_spellings_of_a_state_are_known_or_unknown(stat: str, state: ReceiptState) -> None:
    assert read(receipt(f"id:1 stat:{stat}")).state is state


def test_a_receipt_with_parameters_alone_is_one_even_without_its_esm_class() -> None:
    fields = receipt("", esm_class=0, RECEIPTED_MESSAGE_ID=b"ab12\0", MESSAGE_STATE=b"\x02")
    assert read(fields).message_ids == ("ab12",)


def test_the_id_keeps_its_last_character_without_a_nul() -> None:
    fields = receipt("", RECEIPTED_MESSAGE_ID=b"ABCDEF12", MESSAGE_STATE=b"\x02")
    assert read(fields).message_ids == ("ABCDEF12",)


def test_a_reply_worded_like_a_receipt_is_a_reply() -> None:
    assert receipts.read(receipt(USUAL, esm_class=0), BIND) is None
    assert receipts.read(receipt(USUAL, esm_class=0x40), BIND) is None
    assert receipts.read(receipt("1", esm_class=0, MESSAGE_STATE=b"\x02"), BIND) is None


@pytest.mark.parametrize("esm_class", [0x04, 0x05, 0x07, 0x44, 0x84, 0x20, 0x24, 0x21])
def test_the_bits_of_esm_class_make_a_receipt_beside_any_others(esm_class: int) -> None:
    assert read(receipt(USUAL, esm_class=esm_class)).message_ids == ("42",)


@pytest.mark.parametrize("esm_class", [0x00, 0x01, 0x02, 0x03, 0x40, 0x41, 0x80, 0xC3, 0x10, 0x18])
def test_no_other_bit_makes_a_reply_a_receipt(esm_class: int) -> None:
    assert receipts.read(receipt(USUAL, esm_class=esm_class), BIND) is None
    assert receipts.read(receipt("1", esm_class=esm_class), BIND) is None


def test_an_acknowledgement_of_a_handset_counts_as_far_as_it_names_what_it_is_about() -> None:
    about: dict[str, bytes] = {"RECEIPTED_MESSAGE_ID": b"42\0"}
    assert read(receipt("stat:DELIVRD", esm_class=0x08, **about)).state is ReceiptState.DELIVRD
    assert receipts.read(receipt("1", esm_class=0x08, **about), BIND) is None
    assert receipts.read(receipt("1", esm_class=0x08), BIND) is None


def test_without_an_id_a_receipt_is_known_by_its_reference() -> None:
    parsed = read(receipt("stat:DELIVRD", USER_MESSAGE_REFERENCE=b"\0\x2a"))
    assert (parsed.message_ids, parsed.user_message_reference) == ((), 42)
    one_octet = read(receipt("stat:DELIVRD", USER_MESSAGE_REFERENCE=b"\x2a"))
    assert one_octet.user_message_reference == 42


def test_an_intermediate_notification_is_no_reply_and_no_end() -> None:
    parsed = read(receipt("", esm_class=0x20))
    assert not parsed.state.is_final


def test_a_receipt_in_utf_16_and_one_in_the_payload_are_read() -> None:
    wide = structs.replace(receipt(""), data_coding=8, short_message=USUAL.encode("utf-16-be"))
    assert read(wide).message_ids == ("42",)
    assert read(receipt("", MESSAGE_PAYLOAD=USUAL.encode())).message_ids == ("42",)
    mislabelled = structs.replace(receipt(USUAL), data_coding=8)
    assert read(mislabelled).message_ids == ("42",)


def test_the_networks_error_is_taken_where_the_text_has_none() -> None:
    assert read(receipt("", NETWORK_ERROR_CODE=b"\x03\x00\x1b")).error == "27"


def test_without_a_time_zone_the_done_date_is_not_believed() -> None:
    assert read(receipt(USUAL)).done_at is None


@pytest.mark.parametrize(
    ("date", "done_at"),
    [
        ("2611210459", datetime(2026, 11, 21, 0, 0, tzinfo=UTC)),
        ("261121045959", datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)),
        ("202611210459", datetime(2026, 11, 21, 0, 0, tzinfo=UTC)),
        ("20261121045959", datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)),
        ("2613210459", None),
        ("26112104", None),
        ("0000000000", None),
        ("00010101000000", None),
        ("9" * 5000, None),
    ],
)
def test_minute_precision_rounds_up_and_seconds_are_kept(
    date: str, done_at: datetime | None
) -> None:
    assert read(receipt(f"id:1 done date:{date} stat:DELIVRD"), ALMATY).done_at == done_at


def test_where_the_smsc_leaves_the_addresses_as_sent_the_handset_is_still_found() -> None:
    fields = structs.replace(
        receipt(USUAL), source="1414", source_ton=3, dest="77011234567", dest_ton=1
    )
    assert read(fields).phone == "+77011234567"


@given(
    st.lists(
        st.sampled_from(["id:", "stat:", "done date:", "err:", "text:", "DELIVRD", "2611210501"])
        | st.text(max_size=12)
    ),
    st.dictionaries(st.sampled_from(list(Tag)), st.binary(max_size=20), max_size=4),
)
def test_no_receipt_whatever_stops_the_reader(words: list[str], tlvs: dict[int, bytes]) -> None:
    fields = structs.replace(receipt(" ".join(words)), tlvs=tlvs)
    parsed = read(fields, replace(ALMATY, message_id="auto"))
    assert len(set(parsed.message_ids)) == len(parsed.message_ids)


def test_ids_are_compared_in_every_spelling_of_the_same_number() -> None:
    assert receipts.candidates("1234567", "auto")[0] == "1234567"
    assert {"12D687", "12d687", "0012D687"} <= set(receipts.candidates("1234567", "auto"))
    assert "1234567" in receipts.candidates("0012D687", "auto")
    assert "1234567" in receipts.candidates("0012d687", "auto")
    assert "42" in receipts.candidates("0000000042", "auto")
    assert "ABCD-1" in receipts.candidates("abcd-1", "auto")
    assert receipts.candidates("", "auto") == ()


def test_an_absurdly_long_id_is_harmless() -> None:
    assert receipts.candidates("9" * 200, "auto") == ("9" * 200,)
    assert receipts.candidates("9" * 5000, "auto") == ()
    huge = receipt("id:1 err:" + "8" * 5000, NETWORK_ERROR_CODE=b"\3" * 5000)
    assert len(read(huge).error) == 32
    assert read(receipt("", NETWORK_ERROR_CODE=b"\3" * 5000)).error == ""
    assert read(receipt("", USER_MESSAGE_REFERENCE=b"\3" * 5000)).user_message_reference is None
    assert read(receipt("id:1 stat:" + "9" * 5000)).state is ReceiptState.UNKNOWN


def test_a_declared_base_comes_first() -> None:
    assert receipts.candidates("00000010", "hex-to-dec")[0] == "16"
    assert receipts.candidates("16", "dec-to-hex")[0] == "10"
    assert receipts.candidates("0010", "verbatim") == ("0010",)


@pytest.mark.parametrize(
    ("address", "ton", "expected"),
    [
        ("77011234567", 1, "+77011234567"),
        ("+77011234567", 0, "+77011234567"),
        ("0077011234567", 0, "+77011234567"),
        ("87011234567", 2, "+77011234567"),
        ("7011234567", 2, "+77011234567"),
        ("77011234567", 3, "+77011234567"),
        ("81312345678", 1, "+81312345678"),
        ("1414", 3, None),
        ("eGov", 5, None),
        ("77011234567", 5, None),
        ("", 0, None),
    ],
)
def test_a_phone_is_one_however_the_network_writes_it(
    address: str, ton: int, expected: str | None
) -> None:
    assert addresses.phone(address, ton) == expected


_VALUE = st.text("aZ09:,; \0\n\t\xa0\x1c", max_size=4) | st.sampled_from(
    ["stat", "err", "id:1", "DELIVRD"]
)


@given(
    st.lists(_VALUE, min_size=7, max_size=7),
    st.sampled_from([" ", "  ", ",", ""]),
    st.sampled_from([" text:", " Text:x stat:", " TEXT:", ""]),
    st.sampled_from(["", "x", " ", "sub:9 "]),
)
def test_a_usual_receipt_is_read_as_any_other(
    values: list[str], between: str, end: str, before: str
) -> None:
    pairs = zip(receipts.USUAL_NAMES, values, strict=True)
    text = before + between.join(f"{name}:{value}" for name, value in pairs) + end
    assert receipts.fields_of(text) == receipts.fields_anyhow(text)


def test_what_most_networks_send_is_read_at_once() -> None:
    text = "id:7 sub:001 dlvrd:001 submit date:2611210900 done date:2611210901 stat:DELIVRD err:000"
    assert receipts.USUAL.match(text + " text:")
