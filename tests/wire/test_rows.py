"""Rows come back as they were put, tell when they wake, and are refused by name where they cannot be read."""

from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.facts.events import ATTRIBUTES, Fact
from monitor.core.facts.ledger import MAX_FACTS, Rejected, enter
from monitor.core.objectives.verdicts import Announced
from monitor.core.series.series import Pane, PaneKey, SeriesKey, empty_pane, encode_pane_key
from monitor.core.subjects.rows import SubjectRow, subject_key
from monitor.core.windows.rest import RestRow
from monitor.core.windows.rows import MergedPane, WindowRow, encode_window_key, merged_pane_key
from monitor.errors import StateError
from monitor.stream.partitions.app import WorkerSettings
from monitor.wire.contract import EARLIEST_MS, MAX_ID, MAX_INTEGER, MAX_TEXT
from monitor.wire.partials import PANE, Partial, decode_partial
from monitor.wire.rows import EVALUATE_ROWS, SOURCE_ROWS, RowCodec, RowKind
from monitor.wire.versions import Layout, unchanged, without_own_version
from tests.partials import encode_partial
from tests.wire import strategies

KEY = subject_key("T-17")
ROW = SubjectRow(1_795_439_101_123, 7, [], {"priority": "P1"}, [], [])


class Name(NamedTuple):
    name: str


class Names(NamedTuple):
    wake_ms: int
    names: list[str]
    note: str = "none"


def codec(layout: Layout, *, wakes: bool = False) -> RowCodec:
    return RowCodec({b"x": RowKind(layout, wakes)})


OLD = codec(Layout(Name, 1, {0: without_own_version(4)}))
NEW = codec(
    Layout(Names, 3, {0: without_own_version(4), 1: lambda row: [0, row[0]], 2: lambda row: [row[0], [row[1]]]}),
    wakes=True,
)


def test_the_longest_ledger_that_events_can_make_fits_in_a_record_of_the_changelog():
    # given facts with every attribute as long as the contract allows, in characters of four bytes
    longest = {name: "😀" * MAX_TEXT for name, kind in ATTRIBUTES.items() if kind is str}
    facts: list[Fact] = []
    for number in range(2_000):
        fact = Fact(EARLIEST_MS + number, MAX_INTEGER, f"{number:04}" + "😀" * (MAX_ID - 4), "updated", longest)

        if enter(facts, fact) == Rejected(fact, "ledger_full"):
            break

    assert len(facts) >= 64
    row = ROW._replace(facts=facts, attributes=longest)
    assert len(SOURCE_ROWS.encode(KEY, row)) < WorkerSettings(app_id="a", bootstrap="b").max_record_bytes


def test_a_ledger_of_ordinary_facts_is_bounded_by_their_number():
    facts: list[Fact] = []
    ordinary = {"customer": "finance", "service": "payroll", "team": "second level", "reason": "waiting_for_customer"}
    for number in range(MAX_FACTS):
        assert enter(facts, Fact(EARLIEST_MS + number, 0, f"e-{number}", "updated", ordinary)) == number


class TestRoundTrips:
    @given(strategies.subject_rows)
    def test_a_subject_comes_back_as_it_was_put(self, row):
        encoded = SOURCE_ROWS.encode(KEY, row)

        assert SOURCE_ROWS.decode(KEY, encoded) == row
        assert SOURCE_ROWS.wake_ms(encoded) == row.wake_ms

    @given(strategies.pane_keys, strategies.panes)
    def test_a_pane_comes_back_as_it_was_put_and_never_wakes(self, key, pane):
        encoded = SOURCE_ROWS.encode(encode_pane_key(key), pane)

        decoded = SOURCE_ROWS.decode(encode_pane_key(key), encoded)

        assert decoded == pane
        assert isinstance(decoded, Pane)
        assert SOURCE_ROWS.wake_ms(encoded) == 0

    @given(strategies.subject_rows)
    def test_the_parts_come_back_as_their_types(self, row):
        decoded = SOURCE_ROWS.decode(KEY, SOURCE_ROWS.encode(KEY, row))

        for ours, theirs in zip(
            decoded.facts + decoded.clocks + decoded.shown, row.facts + row.clocks + row.shown, strict=True
        ):
            assert type(ours) is type(theirs)
        for ours, theirs in zip(decoded.facts, row.facts, strict=True):
            assert [type(one) for one in ours.attributes.values()] == [type(one) for one in theirs.attributes.values()]

    @given(strategies.pane_keys, st.dictionaries(strategies.names, strategies.panes, max_size=3))
    def test_the_panes_of_all_sources_come_back_as_they_were_put(self, key, sources):
        row_key, row = merged_pane_key(key), MergedPane(sources)

        decoded = EVALUATE_ROWS.decode(row_key, EVALUATE_ROWS.encode(row_key, row))

        assert decoded == row
        assert all(isinstance(pane, Pane) for pane in decoded.sources.values())

    @given(
        strategies.series_keys,
        st.dictionaries(
            strategies.milliseconds,
            st.dictionaries(
                strategies.names,
                st.builds(
                    Announced,
                    st.sampled_from(["quiet", "at_risk", "breached", "eased"]),
                    st.integers(0, 99),
                    strategies.milliseconds,
                    st.integers(0, 99),
                ),
                max_size=2,
            ),
            max_size=2,
        ),
        strategies.milliseconds,
        st.integers(0, 99),
        st.booleans(),
    )
    def test_what_is_remembered_of_a_window_comes_back_as_it_was_put(self, series, told, open_from_ms, closed, dormant):
        row_key, row = encode_window_key(series, "month"), WindowRow(told, open_from_ms, closed, dormant)

        decoded = EVALUATE_ROWS.decode(row_key, EVALUATE_ROWS.encode(row_key, row))

        assert decoded == row
        assert all(isinstance(one, Announced) for by_id in decoded.told.values() for one in by_id.values())

    def test_a_row_with_a_new_field_that_has_a_default_reads_older_rows(self):
        encoded = NEW.encode(b"x", Names(5, ["a"]))
        shorter = encoded[:9] + msgspec.msgpack.encode([5, ["a"]])

        assert NEW.decode(b"x", shorter) == NEW.decode(b"x", encoded)


class TestVersions:
    def test_a_row_is_written_with_the_version_of_its_layout(self):
        assert OLD.encode(b"x", Name("lily"))[8:10] == b"\x01\x91"
        assert NEW.encode(b"x", Names(5, ["a"]))[8:10] == b"\x03\x93"

    def test_an_older_row_is_upgraded_step_by_step(self):
        assert NEW.decode(b"x1", OLD.encode(b"x1", Name("lily"))) == Names(0, ["lily"])

    def test_a_row_of_before_versions_is_known_by_its_first_byte(self):
        unmarked = bytes(8) + msgspec.msgpack.encode([4, "lily"])

        assert OLD.decode(b"x", unmarked) == Name("lily")
        assert NEW.decode(b"x", unmarked) == Names(0, ["lily"])

    def test_a_row_that_had_an_older_version_of_its_own_names_it(self):
        with pytest.raises(StateError, match=r"'x' has an old version of its own, \[3\]"):
            OLD.decode(b"x", bytes(8) + msgspec.msgpack.encode([3, "lily"]))

    def test_an_older_row_that_has_the_present_shape_is_upgraded_too(self):
        louder = codec(Layout(Name, 2, {1: lambda row: [row[0].upper()]}))

        assert louder.decode(b"x", OLD.encode(b"x", Name("lily"))) == Name("LILY")

    def test_an_older_row_without_an_upgrade_names_the_way_out(self):
        later = codec(Layout(Name, 2, {}))

        with pytest.raises(
            StateError, match="version 1, which can no longer be upgraded to 2: run a release in between"
        ):
            later.decode(b"x", OLD.encode(b"x", Name("lily")))

    @pytest.mark.parametrize("upgrade", [lambda _: [5], lambda row: row[3], lambda row: row[0]["a"], lambda _: ()])
    def test_an_upgrade_that_makes_no_row_is_found_out(self, upgrade):
        wrong = codec(Layout(Name, 2, {1: upgrade}))

        with pytest.raises(StateError, match="'x' is no Name of version 1"):
            wrong.decode(b"x", OLD.encode(b"x", Name("lily")))

    @pytest.mark.parametrize("upgrades", [{0: unchanged}, {2: unchanged}, {0: unchanged, 2: unchanged}])
    def test_upgrades_that_do_not_lead_to_the_version_are_refused(self, upgrades):
        with pytest.raises(ValueError, match="Name: version 2 has upgrades from"):
            Layout(Name, 2, upgrades)

    @pytest.mark.parametrize("version", [SOURCE_ROWS.kinds[b"s"].layout.version + 1, 99, 127])
    def test_a_newer_row_asks_for_an_update_of_the_workers(self, version):
        encoded = SOURCE_ROWS.encode(KEY, ROW)
        same_shape = encoded[:8] + bytes([version]) + encoded[9:]
        another_shape = encoded[:8] + bytes([version]) + msgspec.msgpack.encode(["of a later day"])

        for newer in (same_shape, another_shape):
            with pytest.raises(StateError, match=rf"'sT-17' has version {version}.*update all workers"):
                SOURCE_ROWS.decode(KEY, newer)

    def test_a_pane_without_a_list_of_its_longest_durations_is_read_wherever_it_stands(self):
        """Version 1 of panes, as bytes: two durations in the bucket from 1,785,856 to 1,802,239 ms."""
        pane = bytes.fromhex("9481a36d65740281cd03ed028080")
        row, key = bytes(8) + b"\x01", b"\x1fresolution\x1fday\x1f0"
        expected = Pane({"met": 2}, {1005: 2}, {}, {}, {-1: 1_802_240})

        assert SOURCE_ROWS.decode(b"pdesk" + key, row + pane) == expected
        assert EVALUATE_ROWS.decode(b"wdesk" + key, row + b"\x91\x81\xa1t" + pane) == MergedPane({"t": expected})
        assert EVALUATE_ROWS.decode(b"xdesk" + key, row + b"\x91" + pane) == RestRow(expected)
        sent = decode_partial(b"pdesk" + key + b"\x1ft/0", b"\x01\x92\xa3t/0" + pane)
        assert isinstance(sent, Partial)
        assert sent.pane == expected

    def test_what_holds_panes_has_their_version(self):
        assert EVALUATE_ROWS.kinds[b"w"].layout.version == SOURCE_ROWS.kinds[b"p"].layout.version
        assert (
            encode_partial("tickets/0", PaneKey(SeriesKey("a", "b", ()), "hour", 0), empty_pane())[1][:1] == PANE.head
        )


class TestDamage:
    @pytest.mark.parametrize(
        "body", [b"", b"\xc1", b"\xc0", b"\x01", b"\x90", b"\x98\x01", b"\x91\xa1\xff", b"\x91" * 5_000]
    )
    @pytest.mark.parametrize("version", [b"", b"\x01"])
    def test_bytes_that_are_no_row_stop_the_worker_with_the_key(self, version, body):
        with pytest.raises(StateError, match="sT-17"):
            SOURCE_ROWS.decode(KEY, bytes(8) + version + body)

    def test_a_pane_that_is_none(self):
        with pytest.raises(StateError, match="is no Pane"):
            SOURCE_ROWS.decode(b"pdesk", bytes(8) + msgspec.msgpack.encode([1, 2]))

    def test_a_row_too_short_for_its_wake_instant(self):
        with pytest.raises(StateError, match="damaged"):
            SOURCE_ROWS.wake_ms(b"\x00")

    @pytest.mark.parametrize("key", [b"", b"?odd"])
    def test_a_key_of_no_kind(self, key):
        with pytest.raises(StateError, match="of no kind"):
            SOURCE_ROWS.decode(key, bytes(9))
        with pytest.raises(StateError, match="of no kind"):
            SOURCE_ROWS.encode(key, ROW)

    def test_a_row_of_another_type_than_its_key_says(self):
        with pytest.raises(StateError, match="is a Pane, its key wants a SubjectRow"):
            SOURCE_ROWS.encode(KEY, empty_pane())

    def test_a_number_that_no_row_can_hold(self):
        with pytest.raises(StateError, match="cannot be written"):
            SOURCE_ROWS.encode(KEY, ROW._replace(stamp=2**70))
        with pytest.raises(StateError, match="cannot be written"):
            SOURCE_ROWS.encode(KEY, ROW._replace(wake_ms=2**63))
