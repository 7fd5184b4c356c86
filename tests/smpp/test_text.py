"""Segments out and texts in: nothing is cut inside a character, nothing unreadable is guessed."""

import random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import text
from smpp.binds import Bind, LongMessage
from smpp.checks import Codec
from smpp.messages import SegmentOf
from smpp.pdu import SmFields
from smpp.tlv import Tag

BIND = Bind("k-1", "kcell", "127.0.0.1", 2775, "jauap", "secret")
MODES = get_args(LongMessage)
REPLIES = st.text(st.characters(exclude_categories=["Cs"]), max_size=500)


def heard(segments: list[text.Segment]) -> list[text.ParsedText]:
    return [
        text.read_inbound(
            SmFields(
                esm_class=one.esm_class,
                data_coding=one.data_coding,
                short_message=one.short_message,
                tlvs=one.tlvs,
            ),
            BIND,
        )
        for one in segments
    ]


def whole(segments: list[text.Segment]) -> str | None:
    parsed = heard(segments)
    return parsed[0].text if len(parsed) == 1 else text.joined(parsed)[0]


@pytest.mark.parametrize("mode", MODES)
@given(written=REPLIES, reference=st.integers(0, 0xFFFF), seed=st.integers())
def test_every_text_comes_back_whole_from_segments_in_any_order(
    mode: LongMessage, written: str, reference: int, seed: int
) -> None:
    cut = text.segments(written, reference, mode)
    assert text.count(written, mode).segments == len(cut) or mode == "payload"
    random.Random(seed).shuffle(cut)
    composed = whole(cut)
    assert composed is not None
    assert composed.removeprefix("\ufeff") == written.removeprefix("\ufeff")


def test_a_text_keeps_its_unicode_form() -> None:
    decomposed = "И\u0306од"  # as some handsets write "Йод"
    assert whole(text.segments(decomposed, 1, "udh16")) == decomposed
    assert text.count(decomposed, "udh16").units == 4


@pytest.mark.parametrize(
    ("char", "mode", "length", "expected"),
    [
        *(("a", mode, 160, 1) for mode in MODES),
        *(("ә", mode, 70, 1) for mode in MODES),
        *(("a", "udh8", length, n) for length, n in [(161, 2), (306, 2), (307, 3)]),
        *(("a", "udh16", length, n) for length, n in [(161, 2), (304, 2), (305, 3)]),
        *(("a", "sar", length, n) for length, n in [(161, 2), (304, 2), (305, 3)]),
        *(("ә", "udh8", length, n) for length, n in [(71, 2), (134, 2), (135, 3)]),
        *(("ә", "udh16", length, n) for length, n in [(71, 2), (132, 2), (133, 3)]),
        *(("ә", "sar", length, n) for length, n in [(71, 2), (132, 2), (133, 3)]),
    ],
)
def test_segments_are_as_long_as_the_network_allows(
    char: str, mode: LongMessage, length: int, expected: int
) -> None:
    cut = text.segments(char * length, 7, mode)
    assert len(cut) == text.count(char * length, mode).segments == expected
    assert all(len(one.short_message) <= (160 if char == "a" else 140) for one in cut)


def test_a_kazakh_text_is_utf_16_big_endian_without_a_bom() -> None:
    assert text.segments("Иә", 1, "udh16") == [text.Segment(0, 8, b"\x04\x18\x04\xd9")]


def test_the_16_bit_header_carries_the_whole_reference() -> None:
    first, second = text.segments("ә" * 71, 0x1234, "udh16")
    assert first.esm_class == second.esm_class == 0x40
    assert first.short_message[:7] == bytes.fromhex("06080412340201")
    assert second.short_message[:7] == bytes.fromhex("06080412340202")


def test_the_8_bit_header_carries_the_low_octet() -> None:
    first, _ = text.segments("ә" * 71, 0x1234, "udh8")
    assert first.short_message[:6] == bytes.fromhex("050003340201")


def test_sar_and_payload_leave_the_text_bare() -> None:
    first, _ = text.segments("a" * 161, 0x1234, "sar")
    assert first.esm_class == 0
    assert first.tlvs == {0x020C: b"\x12\x34", 0x020E: b"\x02", 0x020F: b"\x01"}
    (only,) = text.segments("a" * 161, 0x1234, "payload")
    assert only == text.Segment(0, 0, b"", {Tag.MESSAGE_PAYLOAD: b"a" * 161})


def test_a_surrogate_pair_is_never_cut() -> None:
    first, second = heard(text.segments("Ж" * 65 + "😀" + "Ж" * 64, 1, "udh16"))
    assert first.text == "Ж" * 65
    assert second.text == "😀" + "Ж" * 64
    for before in range(140):
        pieces = heard(text.segments("Ж" * before + "😀" + "Ж" * (140 - before), 1, "udh16"))
        assert "".join(piece.text or "?" for piece in pieces).count("😀") == 1


@given(st.text(st.sampled_from("aәЖ😀1"), min_size=60, max_size=700), st.sampled_from(MODES))
def test_segments_are_few_and_of_nearly_one_length(written: str, mode: LongMessage) -> None:
    lengths = [len(one.raw) for one in heard(text.segments(written, 1, mode))]
    assert len(lengths) == text.count(written, mode).segments or mode == "payload"
    assert all(length % 2 == 0 for length in lengths) or written.isascii()
    apart = max(lengths) - min(lengths)
    # a code unit or two for each piece's rounding, and two octets where a pair moved
    assert apart <= 2 * (len(lengths) + 3) or "😀" in written or mode == "payload"


def test_the_characters_that_forced_ucs2_are_named_once_each() -> None:
    counted = text.count("R 1 – жоқ_ж", "udh16")
    assert counted == text.SegmentCount(1, 11, "ucs2", ("–", "ж", "о", "қ", "_"))


def test_a_text_of_more_than_255_segments_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 255"):
        text.segments("ә" * 66 * 256, 1, "udh16")
    with pytest.raises(ValueError, match="at most 64000"):
        text.segments("ә" * 32_001, 1, "payload")


@pytest.mark.parametrize(
    ("coding", "data", "expected"),
    [
        (0x00, b"\x00 \x1b\x65", "@ €"),
        (0x01, b"@", "@"),
        (0x01, b"\xe4", None),
        (0x02, b"1", None),
        (0x03, b"\xe4", "ä"),
        (0x03, b"\x95", None),
        (0x04, b"1", None),
        (0x06, "да".encode("iso8859-5"), "да"),
        (0x08, "иә".encode("utf-16-be"), "иә"),
        (0x08, b"\xfe\xff" + "иә".encode("utf-16-be"), "иә"),
        (0x08, b"\xff\xfe" + "иә".encode("utf-16-le"), "иә"),
        (0x08, b"\x04\x18\x04", None),
        (0x08, b"\xd8\x3d", None),
        (0x0F, b"\x00", "@"),
        (0x48, "иә".encode("utf-16-be"), "иә"),
        (0xF0, b"\x00", "@"),
        (0xF4, b"1", None),
        (0xF8, b"\x00", "@"),
        (0x40, b"\x00", "@"),
        (0x58, "иә".encode("utf-16-be"), "иә"),
        (0xE0, "иә".encode("utf-16-be"), "иә"),
        (0x15, b"1", None),
        (0x20, b"1", None),
        (0x77, b"1", None),
    ],
)
def test_octets_are_read_by_their_data_coding_or_not_at_all(
    coding: int, data: bytes, expected: str | None
) -> None:
    assert text.decode(data, coding, {}) == expected


def test_a_bind_may_say_what_its_data_codings_mean() -> None:
    assert text.decode(b"@", 0, {"0": "ascii"}) == "@"
    assert text.decode("жоқ".encode(), 4, {"4": "utf8"}) == "жоқ"
    assert text.decode("нет".encode("cp1251"), 0, {"0": "cp1251"}) == "нет"


def test_every_codec_of_the_bind_file_can_be_read() -> None:
    assert set(get_args(Codec)) == set(text.READERS)


@pytest.mark.parametrize(
    ("header", "segment"),
    [
        ("050003AB0302", SegmentOf(0xAB, 3, 2)),
        ("060804ABCD0302", SegmentOf(0xABCD, 3, 2)),
        ("0B05040B8423F0" + "0003AB0302", SegmentOf(0xAB, 3, 2)),  # ports before it
        ("06050415810000", None),
        ("050003AB0101", None),
        ("00", None),
    ],
)
def test_every_element_of_a_header_is_read_and_ports_are_ignored(
    header: str, segment: SegmentOf | None
) -> None:
    octets = bytes.fromhex(header)
    fields = SmFields(esm_class=0x40, data_coding=8, short_message=octets + b"\x00\x31")
    assert text.read_inbound(fields, BIND) == text.ParsedText("1", b"\x00\x31", 8, segment)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "09",
        "050003AB03",
        "050003AB0304" + "31",  # segment 4 of 3
        "050003AB0300" + "31",
        "050003AB0001" + "31",
        "050004AB0302" + "31",  # an element longer than the header
        "040002AB03" + "31",
        "0100" + "31",
    ],
)
def test_a_broken_header_leaves_the_octets_and_no_text(data: str) -> None:
    octets = bytes.fromhex(data)
    fields = SmFields(esm_class=0x40, short_message=octets)
    assert text.read_inbound(fields, BIND) == text.ParsedText(None, octets, 0)


def test_letters_of_a_national_table_are_not_guessed() -> None:
    fields = SmFields(esm_class=0x40, short_message=bytes.fromhex("0325010131"))
    assert text.read_inbound(fields, BIND).text is None


def test_a_payload_is_read_and_one_that_contradicts_the_short_message_is_not() -> None:
    payload = {int(Tag.MESSAGE_PAYLOAD): b"1"}
    assert text.read_inbound(SmFields(tlvs=payload), BIND).text == "1"
    both = text.read_inbound(SmFields(short_message=b"2", tlvs=payload), BIND)
    assert (both.text, both.raw) == (None, b"21")


def test_one_sar_parameter_without_the_others_is_broken() -> None:
    fields = SmFields(short_message=b"1", tlvs={Tag.SAR_MSG_REF_NUM: b"\x01"})
    assert text.read_inbound(fields, BIND).text is None


@given(
    st.builds(
        SmFields,
        esm_class=st.integers(0, 255),
        data_coding=st.sampled_from([0, 1, 3, 6, 8, 0x0F, 0x48, 0xF0]) | st.integers(0, 255),
        short_message=st.binary(max_size=254),
        tlvs=st.dictionaries(st.sampled_from(list(Tag)), st.binary(max_size=20), max_size=4),
    )
)
def test_no_octets_whatever_stop_the_reader(fields: SmFields) -> None:
    payload = fields.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    assert (fields.short_message + payload).endswith(text.read_inbound(fields, BIND).raw)


def part(number: int, raw: bytes, *, total: int = 2, coding: int = 8) -> text.ParsedText:
    read = text.decode(raw, coding, {})
    return text.ParsedText(read, raw, coding, SegmentOf(1, total, number))


def test_a_surrogate_pair_cut_by_a_handset_is_joined_before_it_is_read() -> None:
    octets = "иә 👍".encode("utf-16-be")
    parts = [part(2, octets[-2:]), part(1, octets[:-2])]
    assert [one.text for one in parts] == [None, None]
    assert text.joined(parts) == ("иә 👍", octets)


def test_an_escape_cut_by_a_handset_is_joined_before_it_is_read() -> None:
    parts = [part(1, b"1 \x1b", coding=0), part(2, b"\x65", coding=0)]
    assert text.joined(parts)[0] == "1 €"


def test_segments_of_two_alphabets_are_joined() -> None:
    parts = [part(1, b"OK, ", coding=0), part(2, "иә".encode("utf-16-be"))]
    assert text.joined(parts)[0] == "OK, иә"


def test_a_repeated_segment_counts_once() -> None:
    parts = [part(2, b"\x00\x32"), part(1, b"\x00\x31"), part(2, b"\x00\x32")]
    assert text.joined(parts) == ("12", b"\x00\x31\x00\x32")


def test_a_missing_segment_leaves_the_octets_and_no_text() -> None:
    assert text.joined([part(2, b"\x00\x31")]) == (None, b"\x00\x31")
    assert text.joined(list[text.ParsedText]()) == (None, b"")
