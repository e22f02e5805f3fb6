"""Child and parent: a consequence of a counted outage adds no failure (domain.md §11)."""

from monitor.core.outages.failures import failures_of
from monitor.core.series.series import OutageRecord


def outage(start, end=0, parent=""):
    return OutageRecord("outage", start, restored_ms=end, parent=parent)


def failures(**outages):
    return sorted(failures_of(outages))


def test_a_child_of_a_counted_outage_adds_no_failure():
    assert failures(fibre=outage(10, 90), site=outage(12, 80, "fibre"), other=outage(12, 80)) == ["fibre", "other"]


def test_a_child_that_was_noticed_before_its_parent_is_its_consequence_too():
    assert failures(site=outage(8, 80, "fibre"), fibre=outage(10, 90)) == ["fibre"]


def test_a_child_whose_parent_is_no_outage_of_the_series_is_a_failure():
    assert failures(site=outage(12, 80, "power-cut")) == ["site"]


def test_a_child_that_began_after_its_parent_was_over_is_a_failure():
    assert failures(fibre=outage(10, 20), site=outage(21, 80, "fibre")) == ["fibre", "site"]
    assert failures(fibre=outage(10, 20), site=outage(20, 80, "fibre")) == ["fibre"]


def test_a_chain_leads_to_its_first_outage():
    assert failures(a=outage(1), b=outage(2, parent="a"), c=outage(3, parent="b")) == ["a"]
    assert failures(b=outage(2, parent="a"), c=outage(3, parent="b")) == ["b"]


def test_outages_that_name_themselves_or_each_other_are_one_failure():
    assert failures(a=outage(1, parent="a")) == ["a"]
    assert failures(a=outage(2, parent="b"), b=outage(1, parent="a"), c=outage(3, parent="a")) == ["b"]
