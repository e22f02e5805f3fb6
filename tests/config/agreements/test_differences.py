"""What `agreements apply` tells before it publishes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.agreements.differences import describe_difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.config.agreements.checking import Check


@pytest.fixture
def document(checked: Callable[..., Check], agreement_text: str) -> dict[str, Any]:
    return checked(agreement_text).documents[0].document


def test_a_new_agreement_is_told_in_one_line(document: dict[str, Any]) -> None:
    assert describe_difference(None, document) == [
        "new: Service desk, accepted, valid from 2026-01-01, 3 measures, 1 objective"
    ]


def test_the_same_agreement_has_no_difference(document: dict[str, Any]) -> None:
    assert describe_difference(document, copy.deepcopy(document)) == []


def test_each_change_is_told_where_it_is(document: dict[str, Any]) -> None:
    new = copy.deepcopy(document)
    new["version"] = 2
    new["clocks"][0]["targets"]["P1"] = {"within": "10m", "calendar": "always"}
    new["clocks"][0]["targets"]["P2"] = "30m"
    del new["objectives"][0]["at_risk"]
    new["calls"].append({"id": "sales", "answer_within": "10s"})
    new["outages"] = []
    new["contacts"][0]["phone"] = "+49 30 1"

    assert describe_difference(document, new) == [
        "version: 1 → 2",
        "contacts[on-call].phone: added: +49 30 1",
        "clocks[response].targets.P1: 15m → {within: 10m, calendar: always}",
        "clocks[response].targets.P2: added: 30m",
        "calls[sales]: added: {id: sales, answer_within: 10s}",
        "outages[network]: removed (was {id: network, service_hours: office})",
        "objectives[in-time].at_risk: removed (was 97 %)",
    ]


def test_the_order_of_entries_with_ids_is_no_difference() -> None:
    old = {"clocks": [{"id": "a", "x": 1}, {"id": "b"}]}
    new = {"clocks": [{"id": "b"}, {"id": "a", "x": 2}]}

    assert describe_difference(old, new) == ["clocks[a].x: 1 → 2"]


def test_contacts_of_one_role_are_told_apart_by_their_names() -> None:
    old = {"contacts": [{"role": "on-call", "name": "A"}, {"role": "on-call", "name": "B"}]}
    new = {"contacts": [{"role": "on-call", "name": "A"}]}

    assert describe_difference(old, new) == ["contacts[B]: removed (was {role: on-call, name: B})"]


def test_lists_without_ids_are_told_whole() -> None:
    old = {"contacts": [{"role": "on-call", "phone": "1"}, {"role": "on-call", "phone": "2"}], "by": ["queue"]}
    new = {"contacts": [{"role": "on-call", "phone": "1"}], "by": ["queue", "team"]}

    assert describe_difference(old, new) == [
        "contacts: [{role: on-call, phone: 1}, {role: on-call, phone: 2}] → [{role: on-call, phone: 1}]",
        "by: [queue] → [queue, team]",
    ]


def test_true_is_not_one() -> None:
    assert describe_difference({"a": True, "b": None}, {"a": 1, "b": 0}) == ["a: true → 1", "b: nothing → 0"]
    assert describe_difference({"a": [[True]]}, {"a": [[1]]}) == ["a: [[true]] → [[1]]"]


plain = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from("ab"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "x", "y"]), inner, max_size=3)
        | st.lists(st.fixed_dictionaries({"id": st.sampled_from("ab")}, optional={"x": inner}), max_size=2)
    ),
    max_leaves=6,
)
documents = st.dictionaries(st.sampled_from("ab"), plain, max_size=2)


def unordered(value: Any) -> Any:
    """Return a text that is equal for values that differ at most in the order of entries with ids."""
    if isinstance(value, dict):
        return "map" + repr(sorted((key, unordered(inner)) for key, inner in value.items()))
    if isinstance(value, list):
        ids = [one.get("id") if isinstance(one, dict) else None for one in value]
        items = [unordered(one) for one in value]
        return repr(sorted(items) if len(set(map(str, ids))) == len(ids) and None not in ids else items)
    return repr(value)


@settings(max_examples=400)
@given(documents, documents)
def test_nothing_is_told_exactly_if_nothing_differs(old: dict[str, Any], new: dict[str, Any]) -> None:
    same = unordered(old) == unordered(new)

    assert (describe_difference(old, new) == []) == same
