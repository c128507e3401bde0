"""What goes through a segment comes out the same."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvtui.model.state import ClusterState
from hvtui.recording import keyframe
from hvtui.recording.condense import Condenser, Expander
from tests.unit.recording.streams import Step, live, talks, thinned, told


@settings(max_examples=80, deadline=None)
@given(talks(), talks(most=15), st.booleans())
def test_a_segment_gives_back_the_state_at_its_end(steps: list[Step], before: list[Step], exact: bool) -> None:
    store, clock = live()
    began = 0
    for ms, one in before:
        clock.set(ms)
        store.put(one)
        began = ms
    key = keyframe.decode(keyframe.encode(keyframe.take(store.state)))
    condenser = Condenser(key, began)
    for ms, one in steps:
        clock.set(began + ms)
        store.put(one)
        condenser.add(began + ms, one, 0, exact=exact)
    body = condenser.body()

    copy, other = live()
    keyframe.put(key, copy.state)
    for item in sorted(Expander(key, began).read(body), key=lambda item: item.time):
        other.set(item.time)
        copy.put(item.told)
    assert told(copy.state) == told(store.state)


@settings(max_examples=60, deadline=None)
@given(talks())
def test_between_marks_only_load_and_heartbeats_are_late(steps: list[Step]) -> None:
    store, clock = live()
    key = keyframe.take(store.state)
    condenser = Condenser(key, 0)
    pictures = []
    for place, (ms, one) in enumerate(steps):
        clock.set(ms)
        store.put(one)
        condenser.add(ms, one, 0)
        if place + 1 == len(steps) or steps[place + 1][0] != ms:
            pictures.append((ms, thinned(store.state)))
    items = sorted(Expander(key, 0).read(condenser.body()), key=lambda item: item.time)

    copy, other = live()
    for ms, picture in pictures:
        while items and items[0].time <= ms:
            item = items.pop(0)
            other.set(item.time)
            copy.put(item.told)
        assert thinned(copy.state) == picture


@settings(max_examples=40, deadline=None)
@given(talks())
def test_a_keyframe_gives_back_the_state(steps: list[Step]) -> None:
    store, clock = live()
    for ms, one in steps:
        clock.set(ms)
        store.put(one)
    state = ClusterState()
    keyframe.put(keyframe.decode(keyframe.encode(keyframe.take(store.state))), state)
    assert told(state) == told(store.state)
    # And over another picture, too.
    keyframe.put(keyframe.take(ClusterState()), state)
    assert told(state) == told(ClusterState())
    keyframe.put(keyframe.take(store.state), state)
    assert told(state) == told(store.state)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_read(body: bytes) -> None:
    # What `reading` turns into a word for a person, and nothing else.
    with suppress(ValueError, LookupError, TypeError):
        list(Expander(keyframe.take(ClusterState()), 0).read(body))


def test_a_body_with_something_unknown_in_it_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown"):
        list(Expander(keyframe.take(ClusterState()), 0).read(b"\x91\x91\xd4\x09\x00"))
