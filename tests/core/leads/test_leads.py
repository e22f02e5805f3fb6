"""Stories of leads: what each of them has in its series, and the figures that come of it (domain.md §6)."""

import pytest

from monitor.core.agreements.lead_measure import Goal, LeadRule, Weights
from monitor.core.agreements.measures import Filter
from monitor.core.leads.figures import lead_figures
from monitor.core.series.panes import merge_panes
from monitor.core.series.series import Pane, SeriesKey, decode_pane_key
from monitor.core.time.spans import Span
from monitor.core.time.windows import Window
from tests.core.stories import Story, agreement, clock, event, ms, span, when

DAY, MONTH = Window("day"), Window("month")
MONTH_SPAN = Span(ms("Mon 00:00") - 86_400_000, ms("Mon 00:00") + 30 * 86_400_000)  # March 2026, UTC


def rule(**more):
    return LeadRule(**{
        "id": "leads", "follow_up_within_ms": span("4h"), "calendar": "office", "depth_within_ms": span("10d"),
        "attempts": 3, "windows": (DAY, MONTH), **more,
    })  # fmt: skip


def lead(subject_id, type, **more):
    return event("lead", subject_id, type, **more)


class Sales(Story):
    """A sales department under one lead measure."""

    def __init__(self, of=None, *more, **agreed):
        self.rule = of or rule()
        self.agreement = agreement(self.rule, *more, **agreed)
        super().__init__(self.agreement, subject="lead", retention="400d")

    def total(self):
        """All panes of days together: March in March."""
        panes = [
            pane for key, pane in self.rows.items()
            if isinstance(pane, Pane) and decode_pane_key(key).width == "day"
            and decode_pane_key(key).series.measure == self.rule.id
        ]  # fmt: skip
        return merge_panes(panes)

    def values(self, kind="month", now="Mon+28 00:00", shown=MONTH_SPAN):
        found = lead_figures(self.rule, self.agreement, self.total(), kind, shown, ms(now))
        return {one.indicator: one.value for one in found}

    def live(self):
        return self.counts("leads", ())


def at_days(story):
    """The days on which a lead's counts stand."""
    return {
        when(decode_pane_key(key).start_ms): dict(pane.counts) for key, pane in sorted(story.rows.items())
        if isinstance(pane, Pane) and decode_pane_key(key).width == "day"
    }  # fmt: skip


class TestSpeedOfFollowUp:
    def test_it_is_the_first_human_attempt_minus_the_hand_over_in_business_hours(self):
        story = Sales()
        story.at("Thu 12:00", lead("L-1", "created"))  # the clock does not start at the creation
        story.at("Fri 16:00", lead("L-1", "handed_over"))
        story.at("Fri 16:01", lead("L-1", "attempted", automatic=True))  # nobody did that
        story.at("Mon+7 09:30", lead("L-1", "attempted", channel="phone"))

        values = story.values()
        assert values["mean"] == span("1h30m")
        assert values["follow_up"] == 1

    def test_the_clock_follow_up_starts_at_the_hand_over_too_and_automatic_attempts_do_not_stop_it(self):
        follow_up = clock("follow_up", {"*": ("4h", "office")}, subject="lead", by=())
        story = Sales(None, follow_up)
        story.at("Thu 12:00", lead("L-1", "created"))
        story.at("Fri 16:00", lead("L-1", "handed_over"))
        story.at("Fri 16:01", lead("L-1", "attempted", automatic=True))
        story.at("Mon+7 09:30", lead("L-1", "attempted"))

        [one] = story.clocks("L-1")
        assert (one.state, one.elapsed_ms) == ("stopped", span("1h30m"))

    def test_whoever_waits_beyond_the_promised_time_is_a_miss_already_and_in_time_at_the_due_instant(self):
        story = Sales()
        story.at("Mon 09:00", lead("L-1", "handed_over"), lead("L-2", "handed_over"), lead("L-3", "handed_over"))
        story.at("Mon 12:59:59", lead("L-1", "attempted"))
        story.at("Mon 13:00", lead("L-2", "attempted")).until("Mon 13:00")
        assert (story.values()["follow_up"], story.live().get("late")) == (1, None)
        story.due(ms("Mon 13:00") + 1)

        assert story.values()["follow_up"] == pytest.approx(2 / 3)
        assert story.live() == {"open": 3, "waiting": 1, "late": 1, "following": 3}

    def test_an_idle_night_does_not_count_and_the_deadline_fires_without_an_event(self):
        story = Sales()
        story.at("Mon 15:00", lead("L-1", "handed_over"))
        assert story.until("Tue 11:00").total().counts.get("waiting_beyond") is None
        assert story.until("Tue 11:00:01").total().counts["waiting_beyond"] == 1

    def test_an_attempt_before_the_hand_over_is_a_skewed_clock_0_and_flagged(self):
        story = Sales()
        story.at("Mon 10:00", lead("L-1", "attempted"))
        story.at("Mon 10:05", lead("L-1", "handed_over"))

        counts = story.total().counts
        assert (counts["followed"], counts["followed_within"], counts["flagged"]) == (1, 1, 1)
        assert "follow_ms" not in counts

    def test_without_a_promised_time_the_speed_is_measured_but_there_is_no_share(self):
        story = Sales(rule(follow_up_within_ms=0))
        story.at("Mon 10:00", lead("L-1", "handed_over"), lead("L-2", "handed_over"))
        story.at("Mon 10:05", lead("L-1", "attempted"))

        assert (story.values()["follow_up"], story.values()["longest"]) == (None, pytest.approx(span("5m"), rel=0.01))
        assert story.live()["waiting"] == 1

    def test_what_nobody_was_handed_has_no_value(self):
        story = Sales().at("Mon 10:00", lead("L-1", "created"))

        values = story.values()
        assert [values[one] for one in ("follow_up", "mean", "p90", "depth", "depth_kept", "revenue")] == [None] * 6


class TestDepthOfFollowUp:
    def test_attempts_count_until_the_lead_is_contacted(self):
        story = Sales()
        story.at("Mon 09:00", lead("L-1", "handed_over"))
        story.at("Mon 10:00", lead("L-1", "attempted"), lead("L-1", "attempted", automatic=True))
        story.at("Tue 10:00", lead("L-1", "attempted"), lead("L-1", "contacted", sequence=1))
        story.at("Wed 10:00", lead("L-1", "attempted"))  # a talk with somebody who was reached

        assert story.values()["depth"] == 2
        assert story.total().counts["depth_2"] == 1

    def test_whoever_is_not_reached_counts_when_the_days_are_over_and_needs_the_promised_attempts(self):
        story = Sales()
        story.at("Mon 09:00", lead("L-1", "handed_over"), lead("L-2", "handed_over"))
        for day in ("Mon", "Tue", "Wed"):
            story.at(f"{day} 10:00", lead("L-1", "attempted"))
        story.at("Tue 11:00", lead("L-2", "attempted"))

        assert story.values()["depth"] is None
        assert story.until("Thu+7 09:00").values()["depth"] is None
        values = story.until("Thu+7 09:00:01").values()
        assert (values["depth"], values["depth_kept"], values["depth_1"], values["depth_3"]) == (2, 0.5, 1, 1)
        story.at("Thu+7 10:00", lead("L-2", "attempted"))  # after its ten days
        assert story.values()["depth"] == 2

    def test_a_contact_that_no_attempt_was_told_of_is_one_and_a_disqualification_is_none(self):
        story = Sales()
        story.at("Mon 09:00", lead("L-1", "handed_over"), lead("L-2", "handed_over"))
        story.at("Mon 09:30", lead("L-1", "contacted"), lead("L-2", "disqualified"))

        values = story.values()
        assert (values["depth_1"], values["depth_0"], values["depth_kept"]) == (1, 1, 1)

    def test_six_attempts_or_more_are_one_class(self):
        story = Sales()
        story.at("Mon 09:00", lead("L-1", "handed_over"))
        for minute in range(8):
            story.at(f"Mon 10:0{minute}", lead("L-1", "attempted"))
        story.at("Mon 11:00", lead("L-1", "lost"))

        assert (story.values()["depth_6"], story.values()["depth"]) == (1, 8)


class TestFunnel:
    def test_what_becomes_of_a_lead_counts_where_it_was_created_and_its_revenue_where_it_was_won(self):
        story = Sales()
        story.at("Mon 09:00", lead("L-1", "created"), lead("L-2", "created"))
        story.at("Tue 09:00", lead("L-1", "handed_over"), lead("L-2", "handed_over"))
        story.at("Tue 09:10", lead("L-1", "contacted"))
        story.at("Wed 09:10", lead("L-1", "qualified"))
        story.at("Fri 09:10", lead("L-1", "won", amount=799.5), lead("L-2", "lost"))

        days = at_days(story)
        assert days["Mon 00:00"] == {
            "created": 2, "delivered": 2, "delivered_weight": 2000, "then_handed_over": 2, "then_attempted": 1,
            "then_contacted": 1, "then_qualified": 1, "then_won": 1, "then_lost": 1,
        }  # fmt: skip
        assert days["Fri 00:00"] == {
            "won": 1, "lost": 1, "revenue": 79_950, "won_marketing": 1, "revenue_marketing": 79_950,
        }  # fmt: skip
        assert story.live() == {}

    def test_the_last_outcome_decides_and_of_two_equal_ones_the_first_instant_with_the_newest_amount(self):
        story = Sales()
        story.at("Mon 09:00", lead("L-1", "lost"))
        story.at("Tue 09:00", lead("L-1", "won", amount=100))
        story.at("Wed 09:00", lead("L-1", "won", amount=120))
        story.at("Thu 09:00", lead("L-1", "won"))

        assert at_days(story)["Tue 00:00"] == {
            "won": 1, "revenue": 12_000, "won_marketing": 1, "revenue_marketing": 12_000
        }  # fmt: skip
        story.at("Fri 09:00", lead("L-1", "lost"))  # the deal fell through
        assert {day: counts for day, counts in at_days(story).items() if counts} == {"Fri 00:00": {"lost": 1}}

    @pytest.mark.parametrize("amount", [{}, {"amount": -5.0}, {"amount": 1e300}, {"amount": float("nan")}])
    def test_an_amount_that_cannot_be_is_no_revenue_and_flagged(self, amount):
        story = Sales().at("Mon 09:00", lead("L-1", "won", **amount))

        assert story.total().counts == {"won": 1, "flagged": 1, "won_marketing": 1}
        assert story.values()["revenue"] == 0

    def test_a_lead_of_which_nothing_is_heard_any_more_is_given_up(self):
        story = Sales(rule(give_up_after_ms=span("30d")))
        story.at("Mon 09:00", lead("L-1", "created"))

        assert story.until("Wed+28 08:59").live() == {"open": 1}
        assert story.until("Wed+28 09:00").live() == {}


class TestMarketing:
    def test_only_its_leads_are_delivered_and_its_share_is_of_all_revenue(self):
        story = Sales(rule(marketing=Filter(any_of=(("source", frozenset({"web"})),))))
        story.at("Mon 09:00", lead("L-1", "created", source="web"), lead("L-2", "created", source="outbound"))
        story.at("Tue 09:00", lead("L-1", "won", amount=300.0), lead("L-2", "won", amount=100.0))

        values = story.values()
        assert (values["delivered"], values["close_rate"], values["customers"]) == (1, 1, 2)
        assert (values["revenue"], values["average_deal"], values["marketing_share"]) == (400, 300, 0.75)

    def test_a_lead_weighs_what_its_source_segment_and_score_say_or_its_own_weight(self):
        weights = Weights(by={"segment": {"enterprise": 2_000}}, scores=((80.0, 1_500), (50.0, 1_200)))
        story = Sales(rule(weights=weights))
        story.at("Mon 09:00", lead("L-1", "created", segment="enterprise", score=85.0))
        assert story.values()["delivered"] == 3
        story.at("Mon 09:01", lead("L-2", "created", segment="small", score=60.0), lead("L-3", "created", score=1.0))
        assert story.values()["delivered"] == pytest.approx(3 + 1.2 + 1)
        story.at("Mon 09:02", lead("L-4", "created", segment="enterprise", score=99.0, weight=0.25))
        assert story.values()["delivered"] == pytest.approx(5.45)

    def test_delivered_may_mean_handed_over(self):
        goal = Goal(sales={"month": 1_000_000}, share=1.0, average_deal=100_000, close_rate=1.0, counts="handed_over")
        story = Sales(rule(goal=goal))
        story.at("Mon 09:00", lead("L-1", "created"), lead("L-2", "created"))
        story.at("Tue 09:00", lead("L-1", "handed_over"))

        assert at_days(story)["Tue 00:00"]["delivered"] == 1
        assert "delivered" not in at_days(story)["Mon 00:00"]

    def test_golden_100_leads_5_customers_at_800_dollars_close_rate_5_percent_4000_dollars(self):
        """domain.md §10: 100 leads → 5 customers at $800: close rate 5 %, $4,000."""
        goal = Goal(sales={"month": 800_000}, share=0.5, average_deal=80_000, close_rate=0.04)
        story = Sales(rule(goal=goal))
        for number in range(100):
            story.at("Mon 09:00", lead(f"L-{number}", "created"))
        for number in range(5):
            story.at("Tue 09:00", lead(f"L-{number}", "won", amount=800.0))

        values = story.values()
        assert (values["close_rate"], values["revenue"], values["average_deal"]) == (0.05, 4_000, 800)
        assert values["leads_needed"] == 125  # 8,000 x 50 % / 800 / 4 %
        assert values["leads_needed_now"] == 200  # 8,000 x 100 % / 800 / 5 %: all revenue was marketing's


def test_leads_of_an_agreement_without_lead_measures_have_their_clocks_only():
    follow_up = clock("follow_up", {"*": "4h"}, subject="lead", by=())
    story = Story(agreement(follow_up), subject="lead")
    story.at("Mon 09:00", lead("L-1", "handed_over")).at("Mon 10:00", lead("L-1", "contacted"))

    assert story.row("L-1").shown == []
    assert story.counts("follow_up", (), width="quarter") == {"met": 1, "elapsed_ms": span("1h"), "wall_ms": span("1h")}


def test_a_lead_that_is_not_meant_has_nothing_in_the_series():
    story = Sales(rule(where=Filter(any_of=(("team", frozenset({"field"})),))))
    story.at("Mon 09:00", lead("L-1", "created", team="inside"))

    assert not [row for row in story.rows.values() if isinstance(row, Pane)]


def test_leads_of_two_teams_are_two_series():
    story = Sales(rule(by=("team",)))
    story.at("Mon 09:00", lead("L-1", "created", team="field"), lead("L-2", "created", team="inside"))

    found = {decode_pane_key(key).series for key, row in story.rows.items() if isinstance(row, Pane)}
    assert found == {SeriesKey("desk", "leads", ("field",)), SeriesKey("desk", "leads", ("inside",))}


def test_a_lead_that_was_first_told_without_attributes_counts_with_those_that_come_later():
    follow_up = clock("follow_up", {"*": "4h"}, subject="lead", by=("team",))
    story = Story(agreement(follow_up), subject="lead")
    story.at("Mon 09:00", lead("L-1", "handed_over")).at("Mon 09:10", lead("L-1", "qualified", team="field"))

    assert story.counts("follow_up", ("field",)) == {"open": 1}
    assert story.counts("follow_up", ("",)) == {}
