"""When the gateway looks for something to claim."""

from app.gateway.looks import LOOK_S, Looks

ROOM = {"kcell": 10, "tele2": 10}


def looked(found: int = 0, at: float = 1.0, *, has_more: bool = False) -> Looks:
    looks = Looks()
    looks.begins(ROOM, at)
    looks.ends(found, ROOM, ROOM, has_more=has_more)
    return looks


def test_at_first_and_whenever_something_may_be_there_it_is_worth_a_look() -> None:
    assert Looks().is_worth(ROOM, ROOM, 0.0)
    looks = looked()
    looks.ask()
    assert looks.is_worth(ROOM, {}, 1.01)
    assert not looks.rests


def test_after_a_look_that_found_nothing_room_is_no_reason_for_another() -> None:
    looks = looked()
    assert looks.rests
    assert not looks.is_worth(ROOM, ROOM, 1.01)
    assert looks.is_worth(ROOM, ROOM, 1.0 + LOOK_S)  # but time is


def test_after_one_that_found_something_it_is_looked_for_more() -> None:
    looks = looked(found=3)
    assert looks.is_worth(ROOM, ROOM, 1.01)
    assert not looks.rests


def test_after_one_that_took_all_answers_only_room_for_offers_is_a_reason_for_another() -> None:
    looks = looked(found=3)
    assert not looks.is_worth(ROOM, {}, 1.01)
    assert looked(found=10, has_more=True).is_worth(ROOM, {}, 1.01)


def test_a_network_that_had_no_room_for_offers_is_looked_at_as_soon_as_it_has() -> None:
    looks = Looks()
    looks.begins(ROOM, 1.0)
    looks.ends(0, {"kcell": 10}, ROOM, has_more=False)
    assert not looks.rests
    assert not looks.is_worth(ROOM, {"kcell": 10}, 1.01)
    assert looks.is_worth(ROOM, ROOM, 1.01)


def test_what_falls_due_while_there_is_no_room_leaves_with_the_first_that_comes() -> None:
    """A link whose window is full whenever it is looked at would else be missed for seconds."""
    looks = looked()
    assert not looks.is_worth({}, {}, 1.0 + LOOK_S)
    assert not looks.rests  # whoever makes room wakes the lane
    assert looks.is_worth(ROOM, ROOM, 1.01 + LOOK_S)


def test_who_asks_during_a_look_is_not_forgotten_by_its_end() -> None:
    looks = Looks()
    looks.begins(ROOM, 1.0)
    looks.ask()
    looks.ends(0, ROOM, ROOM, has_more=False)
    assert not looks.rests
    assert looks.is_worth(ROOM, {}, 1.01)


def test_what_falls_due_for_one_network_without_room_leaves_with_its_first() -> None:
    """Looks at another network's outbox say nothing of it."""
    looks = looked()
    others = {"tele2": 10}
    assert looks.is_worth(others, others, 1.0 + LOOK_S)
    looks.begins(others, 1.0 + LOOK_S)
    looks.ends(0, others, ROOM, has_more=False)
    assert not looks.rests
    assert looks.is_worth(ROOM, others, 1.01 + LOOK_S)  # answers have room before bulk has
