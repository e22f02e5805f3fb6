//! What the facts of one call say and count: `monitor.core.calls.queueing`, `handling`, `calls` and `repeats`.
//!
//! A call's share in its series follows from all of its facts and an instant. Shares are kept in its row as msgpack, so
//! two of them are equal if their bytes are.

use crate::hash::hash;
use crate::row::{Reader, write_array, write_integer, write_ms, write_signed, write_text};

/// The instant of a change that belongs to the live pane.
pub const LIVE: i64 = -1;
/// Scores stand in panes in thousandths.
const THOUSANDTHS: f64 = 1_000.0;
/// Scores from here on are taken for mistakes.
const ABSURD: f64 = 1e6;

/// The type of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It waits in a queue.
    Queued,
    /// An agent took it.
    Answered,
    /// The caller hung up.
    Abandoned,
    /// It went elsewhere.
    Transferred,
    /// The caller wants to be called back.
    CallbackRequested,
    /// The caller was put on hold.
    Held,
    /// The agent is back.
    Retrieved,
    /// It is over.
    Ended,
    /// The customer gave it a score.
    Rated,
}

impl Kind {
    /// Return the kind of an event type; None: this module does not know it.
    pub fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"queued" => Kind::Queued,
            b"answered" => Kind::Answered,
            b"abandoned" => Kind::Abandoned,
            b"transferred" => Kind::Transferred,
            b"callback_requested" => Kind::CallbackRequested,
            b"held" => Kind::Held,
            b"retrieved" => Kind::Retrieved,
            b"ended" => Kind::Ended,
            b"rated" => Kind::Rated,
            _ => return None,
        })
    }

    /// Return the outcome that it decides; None: it decides none.
    fn decides(self) -> Option<Outcome> {
        match self {
            Kind::Answered => Some(Outcome::Answered),
            Kind::Abandoned => Some(Outcome::Abandoned),
            Kind::CallbackRequested => Some(Outcome::Callback),
            _ => None,
        }
    }
}

/// One fact of a call.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// When it happened (ms).
    pub time_ms: i64,
    /// Its type.
    pub kind: Kind,
    /// Its attributes: a map as msgpack.
    pub map: &'a [u8],
}

/// The outcome of a call by its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is none yet.
    Waiting,
    /// It was answered.
    Answered,
    /// The caller gave up.
    Abandoned,
    /// The caller wants to be called back.
    Callback,
    /// It flowed out before an answer.
    Transferred,
}

/// A call's stay in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// When it was first queued (ms).
    pub queued_ms: i64,
    /// Its outcome.
    pub outcome: Outcome,
    /// When that came (ms); of a call that waits, nothing.
    pub at_ms: i64,
}

/// Return a call's stay in the queue; None: no fact says that it was queued.
pub fn stay_of(facts: &[Fact]) -> Option<Stay> {
    let first = facts.iter().position(|fact| fact.kind == Kind::Queued)?;
    let queued_ms = facts[first].time_ms;
    let stay = |outcome, at_ms| Some(Stay { queued_ms, outcome, at_ms });
    let (early, mut ended) = before_the_queue(&facts[..first]);
    if let Some((outcome, at_ms)) = early {
        return stay(outcome, at_ms);
    }
    let mut flow_out: Option<i64> = None;
    for fact in &facts[first + 1..] {
        if let (Some(outcome), None) = (fact.kind.decides(), flow_out) {
            return stay(outcome, fact.time_ms);
        }
        match fact.kind {
            Kind::Queued => (flow_out, ended) = (None, None),
            Kind::Transferred => flow_out = flow_out.or(Some(fact.time_ms)),
            Kind::Ended => ended = ended.or(Some(fact.time_ms)),
            _ => {}
        }
    }
    if let Some(at_ms) = flow_out {
        return stay(Outcome::Transferred, at_ms);
    }
    match ended {
        Some(at_ms) => stay(Outcome::Abandoned, at_ms),
        None => stay(Outcome::Waiting, 0),
    }
}

/// Return the first outcome and the first end that a skewed clock put before the queue.
fn before_the_queue(facts: &[Fact]) -> (Option<(Outcome, i64)>, Option<i64>) {
    let (mut early, mut ended) = (None, None);
    for fact in facts {
        if fact.kind == Kind::Transferred {
            (early, ended) = (None, None);
        } else if let Some(outcome) = fact.kind.decides() {
            early = early.or(Some((outcome, fact.time_ms)));
        } else if fact.kind == Kind::Ended {
            ended = ended.or(Some(fact.time_ms));
        }
    }
    (early, ended)
}

/// The end, times and result of a handled call.
#[derive(Clone, Copy, Debug)]
struct Conversation {
    ended_ms: i64,
    talk_ms: i64,
    hold_ms: i64,
    wrap_up_ms: i64,
    turnaround_ms: i64,
    idle_ms: Option<i64>,
    resolved: Option<bool>,
    is_escalated: bool,
    is_skewed: bool,
    score: Option<f64>,
}

/// The newest values of the attributes of a conversation.
#[derive(Debug, Default)]
struct Said {
    talk_ms: Option<i64>,
    hold_ms: Option<i64>,
    wrap_up_ms: Option<i64>,
    idle_ms: Option<i64>,
    score: Option<f64>,
}

impl Said {
    /// Read the facts, the newest first; None: a value is none that this module knows.
    fn of(facts: &[Fact]) -> Option<Self> {
        let mut said = Said::default();
        for fact in facts.iter().rev() {
            let mut reader = Reader::new(fact.map);
            for _ in 0..reader.map()? {
                let field = match reader.text()? {
                    b"talk_ms" => &mut said.talk_ms,
                    b"hold_ms" => &mut said.hold_ms,
                    b"wrap_up_ms" => &mut said.wrap_up_ms,
                    b"idle_ms" => &mut said.idle_ms,
                    b"score" => {
                        let score = reader.float()?;
                        if said.score.is_none() && score.abs() < ABSURD {
                            said.score = Some(score);
                        }
                        continue;
                    }
                    _ => {
                        reader.value(0)?;
                        continue;
                    }
                };
                let value = reader.signed()?.max(0);
                *field = field.or(Some(value));
            }
        }
        Some(said)
    }
}

/// Why a call's conversation is not known here: a value of a fact is none that this module knows.
#[derive(Debug)]
pub struct Strange;

/// Return the conversation of a call; None without an answer, or while it has not ended.
fn conversation_of(facts: &[Fact], stay: Stay) -> Result<Option<Conversation>, Strange> {
    let mut facts = facts;
    let mut answered_ms = stay.at_ms;
    match stay.outcome {
        Outcome::Answered => {}
        Outcome::Callback => {
            // Only the end after the call back is that of the conversation.
            facts = &facts[facts.partition_point(|fact| fact.time_ms < answered_ms)..];
            let Some(place) = facts.iter().position(|fact| fact.kind == Kind::Answered) else { return Ok(None) };
            facts = &facts[place..];
            answered_ms = facts[0].time_ms;
        }
        _ => return Ok(None),
    }
    let Some(end) = end_of(facts, answered_ms) else { return Ok(None) };
    let ended_ms = end.time_ms.max(answered_ms);
    let said = Said::of(facts).ok_or(Strange)?;
    let hold_ms = said.hold_ms.unwrap_or_else(|| held_ms(facts, answered_ms, ended_ms));
    Ok(Some(Conversation {
        ended_ms,
        talk_ms: said.talk_ms.unwrap_or_else(|| (ended_ms - answered_ms - hold_ms).max(0)),
        hold_ms,
        wrap_up_ms: said.wrap_up_ms.unwrap_or(0),
        turnaround_ms: (ended_ms - stay.queued_ms).max(0),
        idle_ms: said.idle_ms,
        resolved: match value_in(end.map, b"resolved") {
            Some([0xc2]) => Some(false),
            Some([0xc3]) => Some(true),
            _ => None,
        },
        is_escalated: facts.iter().any(|fact| fact.kind == Kind::Transferred && fact.time_ms > answered_ms),
        is_skewed: end.time_ms < answered_ms,
        score: said.score,
    }))
}

/// Return the end of the conversation. An end before a transfer into another queue belongs to the time before it.
fn end_of<'a>(facts: &[Fact<'a>], answered_ms: i64) -> Option<Fact<'a>> {
    for fact in facts.iter().rev() {
        if fact.kind == Kind::Ended {
            return Some(*fact);
        }
        if matches!(fact.kind, Kind::Queued | Kind::Transferred) && fact.time_ms <= answered_ms {
            return None;
        }
    }
    None
}

fn held_ms(facts: &[Fact], answered_ms: i64, ended_ms: i64) -> i64 {
    let (mut total_ms, mut since_ms) = (0, None);
    for fact in facts {
        let at_ms = fact.time_ms.max(answered_ms).min(ended_ms);
        match (fact.kind, since_ms) {
            (Kind::Held, None) => since_ms = Some(at_ms),
            (Kind::Retrieved, Some(from_ms)) => (total_ms, since_ms) = (total_ms + at_ms - from_ms, None),
            _ => {}
        }
    }
    total_ms + since_ms.map_or(0, |from_ms| ended_ms - from_ms)
}

/// Return the value of a map under a name, as msgpack; None: there is none, or the map holds what is not known.
pub fn value_in<'a>(map: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut reader = Reader::new(map);
    for _ in 0..reader.map()? {
        let key = reader.text()?;
        let value = reader.value(0)?;
        if key == name {
            return Some(value);
        }
    }
    None
}

/// The counts of calls in panes, by number.
pub const NAMES: [&str; 25] = [
    "waiting",
    "answered",
    "abandoned",
    "callback",
    "transferred",
    "answered_within",
    "wait_ms",
    "abandoned_within",
    "abandoned_short",
    "handled",
    "talk_ms",
    "hold_ms",
    "wrap_up_ms",
    "turnaround_ms",
    "busy_ms",
    "idle_ms",
    "flag_told",
    "flag_resolved",
    "flag_told_net",
    "flag_resolved_net",
    "scored",
    "score",
    "flagged",
    "waiting_beyond",
    "lost",
];

/// The number of the count of calls that wait.
pub const WAITING: usize = 0;

type Counts = Vec<(&'static str, i64)>;

fn conversation_counts(of: &Conversation, counts: &mut Counts) {
    let mut add = |name, n| {
        if n != 0 {
            counts.push((name, n));
        }
    };
    add("handled", 1);
    add("talk_ms", of.talk_ms);
    add("hold_ms", of.hold_ms);
    add("wrap_up_ms", of.wrap_up_ms);
    add("turnaround_ms", of.turnaround_ms);
    if let Some(idle_ms) = of.idle_ms {
        add("busy_ms", of.talk_ms + of.hold_ms + of.wrap_up_ms);
        add("idle_ms", idle_ms);
    }
    if let Some(is_resolved) = of.resolved {
        add("flag_told", 1);
        add("flag_resolved", i64::from(is_resolved));
        if !of.is_escalated {
            add("flag_told_net", 1);
            add("flag_resolved_net", i64::from(is_resolved));
        }
    }
    if let Some(score) = of.score {
        add("scored", 1);
        add("score", (score * THOUSANDTHS).round_ties_even() as i64);
    }
    if of.is_skewed {
        add("flagged", 1);
    }
}

/// How calls are counted: `CallRule` of `monitor.core.agreements.measures`.
#[derive(Debug)]
pub struct Rule {
    /// Agreement and measure as msgpack.
    pub rule: Vec<u8>,
    /// The attributes whose values name its series.
    pub by: Vec<Box<[u8]>>,
    /// The longest wait that is within T (ms).
    pub longest_ms: i64,
    /// The longest wait of a short abandon (ms).
    pub short_abandon_ms: i64,
    /// How long after it was queued a call without an outcome is lost (ms).
    pub give_up_after_ms: i64,
    /// Whether repeat calls are measured.
    pub repeats: bool,
    /// The targets of percentiles (ms), each with the name of the count of what is beyond it.
    pub near: Vec<(i64, Box<str>)>,
}

/// What the facts of a call say, whatever the rule.
#[derive(Debug)]
pub struct Story {
    stay: Option<Stay>,
    conversation: Option<Conversation>,
}

impl Story {
    /// Return what the facts of a call say. They are ordered.
    pub fn of(facts: &[Fact]) -> Result<Self, Strange> {
        let stay = stay_of(facts);
        let conversation = stay.map_or(Ok(None), |stay| conversation_of(facts, stay))?;
        Ok(Story { stay, conversation })
    }
}

/// What a call counts at an instant: its changes as msgpack, and when they change by themselves (ms; 0: never).
#[derive(Debug, Default)]
pub struct Shown {
    /// The changes.
    pub changes: Vec<Vec<u8>>,
    /// When they change by themselves (ms); 0: never.
    pub wake_ms: i64,
    /// Whether the call waits.
    pub is_open: bool,
    /// Whether there is a count that no fact brought: somebody waited for too long.
    pub by_time_alone: bool,
}

impl Shown {
    /// Add what a call counts by a rule in a series (msgpack). ``known`` are its newest attributes, as msgpack.
    pub fn add(&mut self, id: &[u8], story: &Story, rule: &Rule, series: &[u8], known: &[u8], now_ms: i64) {
        let Some(stay) = story.stay else { return };
        if stay.outcome == Outcome::Waiting {
            self.wait(id, stay.queued_ms, rule, series, now_ms);
            if let Some(item) = repeat_item(id, stay, None, rule, known) {
                self.changes.push(change(series, stay.queued_ms, &[], -1, Some((&item, 0))));
            }
            return;
        }
        let wait_ms = (stay.at_ms - stay.queued_ms).max(0);
        let (mut counts, mut value_ms): (Counts, i64) = (Vec::with_capacity(16), -1);
        match stay.outcome {
            Outcome::Answered => {
                counts.push(("answered", 1));
                if wait_ms <= rule.longest_ms {
                    counts.push(("answered_within", 1));
                }
                counts.push(("wait_ms", wait_ms));
                value_ms = wait_ms;
            }
            Outcome::Abandoned => {
                counts.push(("abandoned", 1));
                if wait_ms <= rule.longest_ms {
                    counts.push(("abandoned_within", 1));
                }
                if wait_ms <= rule.short_abandon_ms {
                    counts.push(("abandoned_short", 1));
                }
            }
            Outcome::Callback => counts.push(("callback", 1)),
            Outcome::Transferred | Outcome::Waiting => counts.push(("transferred", 1)),
        }
        let conversation = story.conversation.as_ref();
        if let Some(of) = conversation {
            conversation_counts(of, &mut counts);
        }
        if stay.at_ms < stay.queued_ms && !conversation.is_some_and(|of| of.is_skewed) {
            counts.push(("flagged", 1));
        }
        let item = repeat_item(id, stay, conversation, rule, known);
        let ended_ms = conversation.map_or(0, |of| of.ended_ms);
        let item = item.as_deref().map(|name| (name, ended_ms));
        self.changes.push(change(series, stay.queued_ms, &counts, value_ms, item));
    }

    fn wait(&mut self, id: &[u8], queued_ms: i64, rule: &Rule, series: &[u8], now_ms: i64) {
        let lost_ms = queued_ms + rule.give_up_after_ms;
        if now_ms >= lost_ms {
            self.changes.push(change(series, queued_ms, &[("lost", 1), ("flagged", 1)], -1, None));
            self.by_time_alone = true;
            return;
        }
        self.changes.push(change(series, LIVE, &[("waiting", 1)], -1, Some((id, queued_ms))));
        self.is_open = true;
        let beyond_ms = queued_ms + rule.longest_ms + 1;
        if now_ms < beyond_ms {
            self.wakes(beyond_ms.min(lost_ms));
        } else {
            self.changes.push(change(series, queued_ms, &[("waiting_beyond", 1)], -1, None));
            self.by_time_alone = true;
            self.wakes(lost_ms);
        }
    }

    fn wakes(&mut self, at_ms: i64) {
        if at_ms != 0 && (self.wake_ms == 0 || at_ms < self.wake_ms) {
            self.wake_ms = at_ms;
        }
    }
}

/// Return the name of the item by which repeat calls are found; None: there is none.
fn repeat_item(id: &[u8], stay: Stay, of: Option<&Conversation>, rule: &Rule, known: &[u8]) -> Option<Vec<u8>> {
    if !rule.repeats {
        return None;
    }
    let text_of = |name| value_in(known, name).and_then(|value| Reader::new(value).text());
    let caller = text_of(b"caller").filter(|caller| !caller.is_empty())?;
    let mut who = caller.to_vec();
    who.push(0x1f);
    who.extend_from_slice(text_of(b"issue").unwrap_or_default());
    let mut item = Vec::with_capacity(52);
    item.extend_from_slice(&hash(&who));
    item.push(b'.');
    item.extend_from_slice(&hash(id));
    item.push(b'.');
    item.extend_from_slice(stay.queued_ms.to_string().as_bytes());
    item.extend_from_slice(if of.is_some_and(|of| of.is_escalated) { b".1" } else { b".0" });
    Some(item)
}

/// Return a change as it stands in rows.
fn change(series: &[u8], at_ms: i64, counts: &[(&str, i64)], value_ms: i64, item: Option<(&[u8], i64)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + series.len() + 16 * counts.len());
    write_array(&mut out, 7);
    out.extend_from_slice(series);
    write_signed(&mut out, at_ms);
    write_array(&mut out, counts.len());
    for (name, n) in counts {
        write_array(&mut out, 2);
        write_text(&mut out, name.as_bytes());
        write_signed(&mut out, *n);
    }
    write_signed(&mut out, value_ms);
    match item {
        None => out.push(0xc0),
        Some((name, value)) => {
            write_array(&mut out, 2);
            write_text(&mut out, name);
            write_ms(&mut out, value);
        }
    }
    out.push(0xc0);
    write_integer(&mut out, 1);
    out
}

/// A change, as it is read.
#[derive(Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The series as msgpack.
    pub series: &'a [u8],
    /// The instant that it belongs to (ms), or [`LIVE`].
    pub at_ms: i64,
    /// What it adds to the counts, by their numbers.
    pub counts: Vec<(usize, i64)>,
    /// The duration for the sketch (ms); -1: none.
    pub value_ms: i64,
    /// The name of its item, and the value.
    pub item: Option<(&'a [u8], i64)>,
}

impl<'a> Change<'a> {
    /// Read a change; None: it is none of a call.
    pub fn read(encoded: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(encoded);
        (reader.array()? == 7).then_some(())?;
        let series = reader.value(2)?;
        let at_ms = reader.signed()?;
        let size = reader.array()?;
        let mut counts = Vec::with_capacity(size.min(NAMES.len()));
        for _ in 0..size {
            (reader.array()? == 2).then_some(())?;
            let name = reader.text()?;
            counts.push((NAMES.iter().position(|one| one.as_bytes() == name)?, reader.signed()?));
        }
        let value_ms = reader.signed()?;
        let mut ahead = reader;
        let item = match ahead.array() {
            Some(2) => {
                reader = ahead;
                Some((reader.text()?, reader.ms()?))
            }
            Some(_) => return None,
            None => {
                reader.is(0xc0)?;
                None
            }
        };
        reader.is(0xc0)?; // an outage
        reader.is(1)?; // times
        reader.is_done().then_some(Change { series, at_ms, counts, value_ms, item })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(of: &[(Kind, i64)]) -> Vec<Fact<'static>> {
        of.iter().map(|(kind, time_ms)| Fact { time_ms: *time_ms, kind: *kind, map: &[0x80] }).collect()
    }

    fn rule() -> Rule {
        Rule {
            rule: b"\xa1a\xa1m".to_vec(),
            by: vec![],
            longest_ms: 20,
            short_abandon_ms: 5,
            give_up_after_ms: 100,
            repeats: false,
            near: vec![],
        }
    }

    const SERIES: &[u8] = b"\x93\xa1a\xa1m\x90";

    fn shown(of: &[(Kind, i64)], now_ms: i64) -> Shown {
        let mut shown = Shown::default();
        shown.add(b"C", &Story::of(&facts(of)).unwrap(), &rule(), SERIES, &[0x80], now_ms);
        shown
    }

    fn counts(shown: &Shown) -> Vec<(&'static str, i64)> {
        let read = shown.changes.iter().map(|one| Change::read(one).unwrap());
        read.flat_map(|one| one.counts).map(|(number, n)| (NAMES[number], n)).collect()
    }

    #[test]
    fn a_call_has_one_outcome() {
        use Kind::{Abandoned, Answered, CallbackRequested, Ended, Queued, Transferred};
        for (of, outcome, at_ms) in [
            (&[(Queued, 1)][..], Outcome::Waiting, 0),
            (&[(Queued, 1), (Answered, 3), (Queued, 4)], Outcome::Answered, 3),
            (&[(Queued, 1), (Transferred, 2), (Answered, 3)], Outcome::Transferred, 2),
            (&[(Queued, 1), (Transferred, 2), (Queued, 3), (Abandoned, 4)], Outcome::Abandoned, 4),
            (&[(Queued, 1), (Ended, 2)], Outcome::Abandoned, 2),
            (&[(Queued, 1), (CallbackRequested, 5), (Answered, 6)], Outcome::Callback, 5),
            (&[(Answered, 1), (Queued, 2)], Outcome::Answered, 1),
            (&[(Answered, 1), (Transferred, 2), (Queued, 3)], Outcome::Waiting, 0),
        ] {
            let stay = stay_of(&facts(of)).unwrap();
            assert_eq!((stay.outcome, stay.at_ms), (outcome, at_ms), "{of:?}");
        }
        assert_eq!(stay_of(&facts(&[(Answered, 1)])), None);
    }

    #[test]
    fn a_wait_is_beyond_t_and_then_lost() {
        let call = [(Kind::Queued, 10)];
        let now = |now_ms| {
            let shown = shown(&call, now_ms);
            (counts(&shown), shown.wake_ms, shown.is_open)
        };
        assert_eq!(now(30), (vec![("waiting", 1)], 31, true));
        assert_eq!(now(31), (vec![("waiting", 1), ("waiting_beyond", 1)], 110, true));
        assert_eq!(now(110), (vec![("lost", 1), ("flagged", 1)], 0, false));
    }

    #[test]
    fn a_conversation_is_counted_beside_the_outcome() {
        use Kind::{Answered, Ended, Held, Queued, Retrieved, Transferred};
        let of = [(Queued, 0), (Answered, 20), (Held, 25), (Retrieved, 28), (Transferred, 30), (Ended, 50)];
        let expected = [
            ("answered", 1),
            ("answered_within", 1),
            ("wait_ms", 20),
            ("handled", 1),
            ("talk_ms", 27),
            ("hold_ms", 3),
            ("turnaround_ms", 50),
        ];
        assert_eq!(counts(&shown(&of, 0)), expected);
    }

    #[test]
    fn hostile_bytes_are_no_change() {
        let whole = &shown(&[(Kind::Queued, 10), (Kind::Answered, 15)], 0).changes[0];
        assert!(Change::read(whole).is_some());
        for end in 0..whole.len() {
            assert!(Change::read(&whole[..end]).is_none());
        }
    }
}
