"""Rows come back as they were put, tell when they wake, and are refused by name where they cannot be read."""

from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.events import ATTRIBUTES, Fact
from monitor.core.ledger import MAX_FACTS, Rejected, enter
from monitor.core.rows import SUBJECT_ROW_VERSION, SubjectRow, subject_key
from monitor.core.series import Pane, empty_pane, encode_pane_key
from monitor.core.verdicts import Announced
from monitor.core.windows import MergedPane, WindowRow, encode_window_key, merged_pane_key
from monitor.errors import StateError
from monitor.stream.worker import WorkerSettings
from monitor.wire.contract import EARLIEST_MS, MAX_ID, MAX_INTEGER, MAX_TEXT
from monitor.wire.rows import EVALUATE_ROWS, SOURCE_ROWS, RowCodec, RowKind
from tests.wire import strategies

KEY = subject_key("T-17")
ROW = SubjectRow(SUBJECT_ROW_VERSION, 1_795_439_101_123, 7, [], {"priority": "P1"}, [], [])


class Old(NamedTuple):
    version: int
    name: str


class New(NamedTuple):
    version: int
    wake_ms: int
    names: list[str]
    note: str = "none"


OLD = RowCodec({b"x": RowKind(Old, version=1)})
NEW = RowCodec({
    b"x": RowKind(
        New,
        wakes=True,
        version=3,
        upgrades={1: lambda row: [2, 0, row[1]], 2: lambda row: [3, row[1], [row[2]]]},
    )
})  # fmt: skip


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
        encoded = NEW.encode(b"x", New(3, 5, ["a"]))
        shorter = encoded[:8] + msgspec.msgpack.encode([3, 5, ["a"]])

        assert NEW.decode(b"x", shorter) == NEW.decode(b"x", encoded)


class TestVersions:
    def test_an_older_row_is_upgraded_step_by_step(self):
        encoded = OLD.encode(b"x1", Old(1, "lily"))

        assert NEW.decode(b"x1", encoded) == New(3, 0, ["lily"])

    def test_an_older_row_that_has_the_present_shape_is_upgraded_too(self):
        codec = RowCodec({b"x": RowKind(Old, version=2, upgrades={1: lambda row: [2, row[1].upper()]})})

        assert codec.decode(b"x", OLD.encode(b"x", Old(1, "lily"))) == Old(2, "LILY")

    def test_an_older_row_without_an_upgrade_names_the_way_out(self):
        codec = RowCodec({b"x": RowKind(Old, version=2)})

        with pytest.raises(
            StateError, match="version 1, which can no longer be upgraded to 2: run a release in between"
        ):
            codec.decode(b"x", OLD.encode(b"x", Old(1, "lily")))

    def test_an_upgrade_that_leads_elsewhere_is_found_out(self):
        codec = RowCodec({b"x": RowKind(Old, version=2, upgrades={1: lambda row: row})})

        with pytest.raises(StateError, match="to version 2 made version 1"):
            codec.decode(b"x", OLD.encode(b"x", Old(1, "lily")))

    def test_an_upgrade_that_makes_no_row_is_found_out(self):
        codec = RowCodec({b"x": RowKind(Old, version=2, upgrades={1: lambda _: [2, 5]})})

        with pytest.raises(StateError, match="is no Old"):
            codec.decode(b"x", OLD.encode(b"x", Old(1, "lily")))

    @pytest.mark.parametrize("version", [SUBJECT_ROW_VERSION + 1, 99])
    def test_a_newer_row_asks_for_an_update_of_the_workers(self, version):
        same_shape = SOURCE_ROWS.encode(KEY, ROW._replace(version=version))
        another_shape = same_shape[:8] + msgspec.msgpack.encode([version, "of a later day"])

        for encoded in (same_shape, another_shape):
            with pytest.raises(StateError, match=rf"'sT-17' has version {version}.*update all workers"):
                SOURCE_ROWS.decode(KEY, encoded)


class TestDamage:
    @pytest.mark.parametrize("body", [b"", b"\xc1", b"\x01", b"\x90", b"\x98\x01", b"\x91\xa1\xff", b"\x91" * 5_000])
    def test_bytes_that_are_no_row_stop_the_worker_with_the_key(self, body):
        with pytest.raises(StateError, match="sT-17"):
            SOURCE_ROWS.decode(KEY, bytes(8) + body)

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
