"""Laws of leads: any order, repetition, batch boundary and restart gives the same panes and alert ids."""

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.lead_measure import Goal, LeadRule, Weights
from monitor.core.agreements.measures import Filter
from monitor.core.facts.events import Event, Fact
from monitor.core.series.series import Pane
from monitor.core.subjects.engine import SourceEngine
from monitor.core.time.windows import Window
from tests.core.stories import MONDAY_MS, Story, agreement, clock, span

MINUTE = 60_000
END_MS = MONDAY_MS + 40 * 86_400_000
KINDS = ["created", "handed_over", "attempted", "contacted", "qualified", "disqualified", "won", "lost"]
WINDOWS = (Window("rolling", 86_400_000), Window("day"), Window("month"))
RULES = (
    LeadRule(
        id="pipeline", windows=WINDOWS, weights=Weights(by={"source": {"web": 1_500}}),
        marketing=Filter(any_of=(("source", frozenset({"web"})),)),
        goal=Goal(sales={"month": 1_000_000}, share=0.5, average_deal=80_000, close_rate=0.1, counts="handed_over"),
    ),
    LeadRule(
        id="sales", windows=WINDOWS, by=("team",), follow_up_within_ms=span("4h"), calendar="office", attempts=2,
        depth_within_ms=span("3d"), give_up_after_ms=span("20d"),
    ),
    clock("follow_up", {"*": ("4h", "office")}, subject="lead", by=("team",)),
)  # fmt: skip


@st.composite
def histories(draw):
    """A few leads' facts, in the order in which they happened."""
    events = []
    for subject in range(draw(st.integers(1, 3))):
        at = MONDAY_MS + draw(st.integers(0, 5 * 24 * 60)) * MINUTE
        for number, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=9))):
            attributes = draw(st.sampled_from([{}, {}, {"source": "web"}, {"team": "field"}, {"source": "fair"}]))
            if kind == "attempted" and draw(st.booleans()):
                attributes = {**attributes, "automatic": draw(st.booleans())}
            if kind == "won":
                attributes = {**attributes, "amount": draw(st.sampled_from([100.0, 800.0, -1.0, 99.99]))}
            events.append(Event("lead", f"L-{subject}", Fact(at, number, f"{subject}-{number}", kind, attributes)))
            at += draw(st.integers(0, 2_000)) * MINUTE
    return sorted(events, key=lambda one: one.fact[:3])


class Sales(Story):
    def __init__(self):
        super().__init__(agreement(*RULES), subject="lead", retention="400d")

    def restart(self):
        """Another process takes over the rows."""
        self.engine = SourceEngine("lead", self, retention_ms=span("400d"))
        self.engine.restore(list(self.rows))


def run(batches, *, judged=0, restart_after=None):
    """The rows after these batches, judged by event time while they come in and by the clock afterwards."""
    story = Sales()
    for number, batch in enumerate(batches):
        story.take(story.engine.batch(batch, judged, story.book))
        if number == restart_after:
            story.restart()
    story.due(END_MS)
    return story


def panes(story):
    return {key: row for key, row in story.rows.items() if isinstance(row, Pane) and any(row)}


@settings(max_examples=100, deadline=None)
@given(histories(), st.data())
def test_any_arrival_order_gives_the_same_panes(events, data):
    straight = run([[one] for one in events])

    shuffled = run([[one] for one in data.draw(st.permutations(events))])

    assert panes(shuffled) == panes(straight)


@settings(max_examples=60, deadline=None)
@given(histories(), st.data())
def test_any_repetition_batch_boundary_and_restart_gives_the_same_panes_and_alert_ids(events, data):
    straight = run([[one] for one in events])

    repeated = sorted([*events, *data.draw(st.lists(st.sampled_from(events)))], key=lambda one: one.fact[:3])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(repeated)), max_size=4)) | {len(repeated)})
    batches = [repeated[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    again = run(batches, restart_after=data.draw(st.integers(0, len(batches))))

    assert panes(again) == panes(straight)
    assert sorted(one.id for one in again.alerts) == sorted(one.id for one in straight.alerts)


@settings(max_examples=60, deadline=None)
@given(histories(), st.data())
def test_how_often_deadlines_were_looked_at_meanwhile_changes_nothing(events, data):
    straight = run([[one] for one in events])

    looked = Sales()
    for one in events:
        looked.due(one.fact.time_ms - 1)
        looked.take(looked.engine.batch([one], one.fact.time_ms, looked.book))
        if data.draw(st.booleans()):
            looked.due(one.fact.time_ms)
    looked.due(END_MS)

    # Those of rolling windows are kept a few days only: what is corrected later no window needs any more.
    kept = [{key: pane for key, pane in panes(one).items() if b"quarter" not in key} for one in (looked, straight)]
    assert kept[0] == kept[1]


@settings(max_examples=60, deadline=None)
@given(histories())
def test_all_that_is_counted_is_counted_once(events):
    story = run([[one] for one in events])

    subjects = {one.subject_id: [] for one in events}
    for one in events:
        subjects[one.subject_id].append(one.fact.type)
    counts = story.counts("pipeline", (), width="day")
    handed = sum("handed_over" in kinds for kinds in subjects.values())
    assert counts.get("created", 0) == sum("created" in kinds for kinds in subjects.values())
    assert counts.get("followed", 0) + counts.get("waiting_beyond", 0) <= handed
    assert counts.get("depth_leads", 0) == handed
    assert sum(counts.get(f"depth_{n}", 0) for n in range(7)) == handed
    outcomes = [[kind for kind in kinds if kind in ("won", "lost", "disqualified")][-1:] for kinds in subjects.values()]
    assert counts.get("won", 0) == outcomes.count(["won"])
    assert all(number > 0 for number in counts.values())
