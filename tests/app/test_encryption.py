"""The vault: what is sealed opens only unaltered, in its own context, with a key we have."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ledger.encryption import INDEX_OCTETS, Vault, VaultError

FIRST, SECOND, THIRD = (bytes([n]) * 32 for n in (1, 2, 3))
PHONE = "+77010000001"


@given(st.binary(), st.binary())
def test_what_was_sealed_opens_to_the_same(plaintext: bytes, context: bytes) -> None:
    vault = Vault(FIRST)
    assert vault.open(vault.seal(plaintext, context), context) == plaintext


def test_another_context_does_not_open_it() -> None:
    vault = Vault(FIRST)
    with pytest.raises(VaultError):
        vault.open(vault.seal(b"text", b"case 1"), b"case 2")


def test_any_altered_octet_is_noticed() -> None:
    vault = Vault(FIRST)
    sealed = vault.seal(b"text", b"case")
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(VaultError):
            vault.open(bytes(altered), b"case")


def test_a_cut_value_is_noticed() -> None:
    vault = Vault(FIRST)
    sealed = vault.seal(b"", b"case")
    for length in range(len(sealed)):
        with pytest.raises(VaultError):
            vault.open(sealed[:length], b"case")


def test_the_same_text_is_never_sealed_the_same_twice() -> None:
    vault = Vault(FIRST)
    sealed = vault.seal_each([(b"yes", b"case")] * 100)
    assert len({one[1:13] for one in sealed}) == 100
    assert {vault.open(one, b"case") for one in sealed} == {b"yes"}


def test_another_master_opens_nothing() -> None:
    with pytest.raises(VaultError):
        Vault(SECOND).open(Vault(FIRST).seal(b"text", b""), b"")


def test_after_a_rotation_old_values_open_and_new_ones_carry_the_new_key() -> None:
    before = Vault(FIRST)
    after = Vault(SECOND, {0: FIRST})
    sealed = before.seal(b"text", b"case")
    assert after.open(sealed, b"case") == b"text"
    assert not after.is_current(sealed)
    resealed = after.reseal(sealed, b"case")
    assert (sealed[0], resealed[0]) == (0, 1)
    assert after.reseal(resealed, b"case") == resealed
    assert Vault(THIRD, {0: FIRST, 1: SECOND}).open(resealed, b"case") == b"text"
    with pytest.raises(VaultError, match="key 1"):
        before.open(resealed, b"case")


def test_the_index_is_short_survives_a_rotation_and_differs_by_kind_and_key() -> None:
    vault = Vault(FIRST)
    index = vault.index("phone", PHONE)
    assert len(index) == INDEX_OCTETS
    assert index == vault.index("phone", PHONE) == Vault(SECOND, {0: FIRST}).index("phone", PHONE)
    others = {vault.index("iin", PHONE), Vault(SECOND).index("phone", PHONE)}
    assert index not in others | {vault.index("phone", PHONE + "0")}


def test_keys_of_a_wrong_length_or_without_an_index_key_are_refused() -> None:
    with pytest.raises(ValueError, match="32 octets"):
        Vault(b"short")
    with pytest.raises(ValueError, match="index key"):
        Vault(SECOND, {1: FIRST})
    with pytest.raises(ValueError, match="ids"):
        Vault(SECOND, {0: FIRST}, key_id=256)


def test_a_new_key_opens_before_it_seals() -> None:
    waiting = Vault(SECOND, {0: FIRST}, sealing=0)
    assert waiting.seal(b"text", b"case")[0] == 0
    assert waiting.open(Vault(SECOND, {0: FIRST}).seal(b"text", b"case"), b"case") == b"text"
    assert waiting.seal(b"text", b"case")[0] == 1  # somebody has begun, so it goes along


def test_a_former_key_can_be_left_out_when_the_index_key_is_kept() -> None:
    before = Vault(SECOND, {0: FIRST})
    after = Vault(SECOND, key_id=1, index_key=before.index_key)
    assert after.open(before.seal(b"text", b"case"), b"case") == b"text"
    assert after.index("phone", PHONE) == before.index("phone", PHONE)


def test_a_key_that_came_while_running_is_asked_for_once_it_is_met() -> None:
    running = Vault(FIRST, learn=lambda: {0: FIRST, 1: SECOND})
    fresh = Vault(SECOND, {0: FIRST}).seal(b"text", b"case")
    assert running.open(fresh, b"case") == b"text"
    with pytest.raises(VaultError, match="key 2"):
        running.open(b"\x02" + fresh[1:], b"case")


def test_a_thousand_replies_are_sealed_and_indexed_in_a_few_milliseconds() -> None:
    vault = Vault(FIRST)
    start = time.perf_counter()
    for _ in range(1000):
        vault.open(vault.seal(b"1" * 40, b"case"), b"case")
        vault.index("phone", PHONE)
    assert time.perf_counter() - start < 0.2
