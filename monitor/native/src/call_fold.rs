//! The fold of one call's plain facts: `monitor.core.subjects.step` for calls without clocks, in order.
//!
//! Either all facts of a call in a piece are taken, or Python takes all of them. Nothing is announced of such a call, so
//! its row and its changes follow from its facts and the horizon alone.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::call_sums::CallSums;
use crate::calls::{Change, Fact, Kind, LIVE, Rule, Shown, Story, value_in};
use crate::decode::{Contract, Event, Piece};
use crate::fold::{Bounds, MOST_FACTS, Subjects, is_same_map, pairs_of};
use crate::panes;
use crate::row::{HEAD, Reader, VERSION, write_array, write_integer, write_map, write_ms, write_text};
use crate::series::MINUTE_MS;

/// The most choices of rules that are kept.
const MOST: usize = 1 << 14;
/// The longest id of a call that is kept in panes as it is, in bytes.
const LONGEST_NAME: usize = 64;
const FIELDS: usize = 8;
/// How deep the values of a change are nested.
const DEEP: usize = 3;

/// The promises of one book on calls, as far as they were told.
#[derive(Debug)]
pub struct CallPlan {
    /// The contract of events.
    pub contract: Contract,
    /// The stamp of the book.
    pub stamp: u64,
    /// How long a finished call is kept (ms).
    pub retention_ms: i64,
    /// How long after a call's first fact a period that it counts in may close (ms).
    pub soonest_ms: i64,
    /// The event types that Python applies, as bits.
    pub general: u16,
    /// The attributes that choose rules.
    pub choosing: Vec<Box<[u8]>>,
    /// The instants at which a version takes effect or ends (ms), ascending.
    pub cuts: Vec<i64>,
    /// All rules, by number.
    pub rules: Vec<Rule>,
    /// Into which panes the instants of each measure belong.
    pub slices: panes::Told,
    /// The rules by which calls are counted, by number, for each choice.
    pub promises: FxHashMap<Vec<u8>, Vec<usize>>,
    near: FxHashMap<Vec<u8>, usize>,
}

impl CallPlan {
    /// Return a plan of which nothing but these is known.
    pub fn new(contract: Contract, stamp: u64, retention_ms: i64, soonest_ms: i64) -> Self {
        CallPlan {
            contract,
            stamp,
            retention_ms,
            soonest_ms,
            general: 0,
            choosing: vec![],
            cuts: vec![],
            rules: vec![],
            slices: panes::Told::default(),
            promises: FxHashMap::default(),
            near: FxHashMap::default(),
        }
    }

    /// Keep a rule, and return its number.
    pub fn keep_rule(&mut self, rule: Rule) -> usize {
        let number = self.rules.len();
        self.near.insert(rule.rule.clone(), number);
        self.rules.push(rule);
        number
    }

    /// Keep by which rules, given by number, calls of a choice are counted.
    pub fn keep_promise(&mut self, choice: Vec<u8>, rules: Vec<usize>) {
        if self.promises.len() >= MOST {
            self.promises.clear();
        }
        self.promises.insert(choice, rules);
    }

    /// Return whether so many rules are kept that all are to be forgotten before others are told.
    pub fn is_full(&self) -> bool {
        self.rules.len() >= MOST
    }

    /// Return the key under which the rules for a call are kept.
    fn choice(&self, first_ms: i64, known: &[u8]) -> Vec<u8> {
        let mut key = Vec::with_capacity(48);
        write_integer(&mut key, self.cuts.partition_point(|cut| *cut <= first_ms) as u64);
        for name in &self.choosing {
            key.extend_from_slice(value_in(known, name).unwrap_or(&[0xc0]));
        }
        key
    }

    /// Return the targets of percentiles of a series' measure (ms), each with the name of its count.
    fn near_of(&self, series: &[u8]) -> Option<&[(i64, Box<str>)]> {
        let mut reader = Reader::new(series);
        reader.array()?;
        let start = reader.at();
        reader.text()?;
        reader.text()?;
        self.near.get(reader.since(start)).map(|number| self.rules[*number].near.as_slice())
    }
}

/// A question: by which rules is a call counted whose first fact happened at an instant (ms)?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The key under which the answer is kept.
    pub choice: Vec<u8>,
    /// The instant (ms).
    pub first_ms: i64,
    /// The texts of the attributes that choose; None: there is none, or it is no text.
    pub values: Vec<Option<String>>,
}

/// Why Python takes the facts of a call.
#[derive(Debug)]
enum Left {
    /// They are none that this module knows.
    Unknown,
    /// Python is to tell by which rules the call is counted.
    Rules(Question),
}

/// What a step made of a piece.
#[derive(Debug, Default)]
pub struct CallsDone {
    /// How many facts were folded.
    pub count: usize,
    /// The encoded rows, by the number of the call.
    pub rows: Vec<(usize, Vec<u8>)>,
    /// The places of the records whose facts Python takes.
    pub left: Vec<u32>,
    /// What changed in the series.
    pub sums: CallSums,
    /// What is asked of Python, each once.
    pub questions: Vec<Question>,
    asked: FxHashSet<Vec<u8>>,
}

impl CallsDone {
    /// Return what a step has made before any call: these places are Python's.
    pub fn beginning(left: Vec<u32>) -> Self {
        CallsDone { left, ..CallsDone::default() }
    }

    /// Fold the facts of one call, whose stored row is given.
    pub fn take(
        &mut self,
        plan: &CallPlan,
        piece: &Piece,
        subjects: &Subjects,
        number: usize,
        row: Option<&[u8]>,
        at: Bounds,
    ) {
        let events = &subjects.events[number];
        match fold(plan, piece, subjects.id(piece, number), events, row, at, &mut self.sums) {
            Ok(row) => {
                self.count += events.len();
                self.rows.push((number, row));
            }
            Err(left) => {
                self.left.extend(events.iter().map(|index| piece.events[*index as usize].0));
                if let Left::Rules(question) = left {
                    if self.asked.insert(question.choice.clone()) {
                        self.questions.push(question);
                    }
                }
            }
        }
    }
}

/// The row of a call as it stands, without the facts of a piece.
#[derive(Debug)]
struct Row<'a> {
    encoded: &'a [u8],
    facts: Vec<Fact<'a>>,
    ids: Vec<&'a [u8]>,
    last: (i64, i64, &'a [u8]),
    known: Cow<'a, [u8]>,
    shown: Vec<&'a [u8]>,
}

impl<'a> Row<'a> {
    fn new() -> Self {
        Row {
            encoded: b"",
            facts: vec![],
            ids: vec![],
            last: (0, 0, b""),
            known: Cow::Borrowed(&[0x80]),
            shown: vec![],
        }
    }

    /// Read an encoded row; None: it has clocks, or anything else that this module does not know.
    fn read(encoded: &'a [u8], stamp: u64) -> Option<Self> {
        if *encoded.get(HEAD - 1)? != VERSION {
            return None;
        }
        let mut reader = Reader::new(&encoded[HEAD..]);
        if reader.array()? != FIELDS {
            return None;
        }
        reader.integer()?;
        if reader.integer()? != stamp {
            return None;
        }
        let size = reader.array()?;
        let (mut facts, mut ids) = (Vec::with_capacity(size.min(64) + 2), Vec::with_capacity(size.min(64) + 2));
        let mut last: (i64, i64, &[u8]) = (0, 0, b"");
        let start = reader.at();
        for _ in 0..size {
            if reader.array()? != 5 {
                return None;
            }
            last = (reader.ms()?, reader.ms()?, reader.text()?);
            let kind = Kind::of(reader.text()?)?;
            ids.push(last.2);
            facts.push(Fact { time_ms: last.0, kind, map: reader.value(1)? });
        }
        let encoded = reader.since(start);
        let attributes = reader.value(1)?;
        let known = if attributes == [0x80] { facts.last()?.map } else { attributes };
        reader.is(0x90)?; // clocks
        let size = reader.array()?;
        let mut shown = Vec::with_capacity(size.min(64));
        for _ in 0..size {
            shown.push(reader.value(DEEP)?);
        }
        reader.integer()?;
        reader.is(0x90)?; // clocks that late facts undid
        (!facts.is_empty() && reader.is_done()).then_some(Row {
            encoded,
            facts,
            ids,
            last,
            known: Cow::Borrowed(known),
            shown,
        })
    }

    /// Take a fact that is newer than all before it.
    fn fact(&mut self, plan: &CallPlan, piece: &'a Piece, event: &Event) -> Result<(), Left> {
        let order = (event.time_ms, event.sequence, piece.get(event.id));
        let is_first = self.facts.is_empty();
        if plan.general & (1 << event.kind) != 0
            || (!is_first && order <= self.last)
            || self.facts.len() >= MOST_FACTS
            || self.ids.contains(&order.2)
        {
            return Err(Left::Unknown);
        }
        let kind = Kind::of(plan.contract.name_of(event.kind).as_bytes()).ok_or(Left::Unknown)?;
        let map = piece.get(event.map);
        if is_first {
            self.known = Cow::Borrowed(map);
        } else {
            self.learn(piece, event)?;
        }
        self.facts.push(Fact { time_ms: event.time_ms, kind, map });
        self.ids.push(order.2);
        self.last = order;
        Ok(())
    }

    /// Take over the attributes of a fact.
    fn learn(&mut self, piece: &Piece, event: &Event) -> Result<(), Left> {
        if piece.get(event.map) == &*self.known {
            return Ok(());
        }
        let mut pairs = pairs_of(&self.known).ok_or(Left::Unknown)?;
        let mut is_new = false;
        for one in piece.attributes(event) {
            let (key, value) = (piece.get(one.key), piece.get(one.value));
            match pairs.iter_mut().find(|(name, _)| *name == key) {
                Some(held) if held.1 == value => continue,
                Some(held) => held.1 = value,
                None => pairs.push((key, value)),
            }
            is_new = true;
        }
        if is_new {
            let mut map = Vec::with_capacity(self.known.len() + 64);
            write_map(&mut map, pairs.len());
            for (key, value) in pairs {
                map.extend_from_slice(key);
                map.extend_from_slice(value);
            }
            self.known = Cow::Owned(map);
        }
        Ok(())
    }
}

fn fold(
    plan: &CallPlan,
    piece: &Piece,
    id: &[u8],
    events: &[u32],
    row: Option<&[u8]>,
    at: Bounds,
    sums: &mut CallSums,
) -> Result<Vec<u8>, Left> {
    if id.len() > LONGEST_NAME {
        return Err(Left::Unknown);
    }
    let mut call = match row {
        None => Row::new(),
        Some(row) => Row::read(row, plan.stamp).ok_or(Left::Unknown)?,
    };
    for index in events {
        call.fact(plan, piece, &piece.events[*index as usize].1)?;
    }
    let shown = shown_of(plan, &call, id, at.horizon_ms)?;
    let (Some(first), Some(newest)) = (call.facts.first(), call.facts.last()) else { return Err(Left::Unknown) };
    let soonest_ms = first.time_ms.saturating_add(plan.soonest_ms);
    if newest.time_ms >= soonest_ms {
        return Err(Left::Unknown);
    }
    let (was, is) = difference(&call.shown, &shown.changes);
    let (was, is) = (read_all(&was).ok_or(Left::Unknown)?, read_all(&is).ok_or(Left::Unknown)?);
    if at.horizon_ms >= soonest_ms && (shown.by_time_alone || has_waited_too_long(&call.shown)) {
        return Err(Left::Unknown);
    }
    let is_too_late = |one: &Change| one.at_ms != LIVE && one.at_ms - one.at_ms.rem_euclid(MINUTE_MS) < at.oldest_ms;
    // A wait is never taken out for good here: what remains of a list of the longest depends on the order of that.
    let stays = |one: &&Change| {
        let same =
            |other: &&Change| (other.series, other.at_ms, other.value_ms) == (one.series, one.at_ms, one.value_ms);
        one.value_ms < 0 || is.iter().any(|other| same(&other))
    };
    if was.iter().chain(&is).any(is_too_late) || !was.iter().all(|one| stays(&one)) {
        return Err(Left::Unknown);
    }
    let row = encoded(plan, piece, &call, events, &shown)?;
    if row.len() > at.row {
        return Err(Left::Unknown);
    }
    for one in &was {
        let is_same = |new: &Change| {
            (new.series, new.at_ms, new.item.map(|item| item.0)) == (one.series, one.at_ms, one.item.map(|item| item.0))
        };
        let is_replaced = one.at_ms != LIVE && is.iter().any(is_same);
        sums.take_out(one, !is_replaced);
    }
    for one in &is {
        let is_measured = one.value_ms >= 0
            && !was.iter().any(|old| (old.series, old.at_ms, old.value_ms) == (one.series, one.at_ms, one.value_ms));
        sums.put_in(one, is_measured.then(|| plan.near_of(one.series).unwrap_or_default()));
    }
    Ok(row)
}

/// Return what a call counts at an instant.
fn shown_of(plan: &CallPlan, call: &Row, id: &[u8], now_ms: i64) -> Result<Shown, Left> {
    let story = Story::of(&call.facts).map_err(|_| Left::Unknown)?;
    let first_ms = call.facts.first().map_or(0, |fact| fact.time_ms);
    let choice = plan.choice(first_ms, &call.known);
    let Some(rules) = plan.promises.get(&choice) else {
        let text_of = |name: &[u8]| {
            let text = Reader::new(value_in(&call.known, name)?).text()?;
            String::from_utf8(text.to_vec()).ok()
        };
        let values = plan.choosing.iter().map(|name| text_of(name)).collect();
        return Err(Left::Rules(Question { choice, first_ms, values }));
    };
    let mut shown = Shown::default();
    let mut series = Vec::with_capacity(64);
    for rule in rules.iter().map(|number| &plan.rules[*number]) {
        series.clear();
        write_array(&mut series, 3);
        series.extend_from_slice(&rule.rule);
        write_array(&mut series, rule.by.len());
        for name in &rule.by {
            match value_in(&call.known, name) {
                None => write_text(&mut series, b""),
                Some(value) => {
                    Reader::new(value).text().ok_or(Left::Unknown)?;
                    series.extend_from_slice(value);
                }
            }
        }
        shown.add(id, &story, rule, &series, &call.known, now_ms);
    }
    Ok(shown)
}

/// Return the changes that are only in the first list, and those only in the second: the old out, the new in.
fn difference<'a>(old: &[&'a [u8]], new: &'a [Vec<u8>]) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
    let mut left: Vec<&[u8]> = new.iter().map(Vec::as_slice).collect();
    let mut was = vec![];
    for one in old {
        match left.iter().position(|other| other == one) {
            Some(place) => {
                left.remove(place);
            }
            None => was.push(*one),
        }
    }
    (was, left)
}

fn read_all<'a>(changes: &[&'a [u8]]) -> Option<Vec<Change<'a>>> {
    changes.iter().map(|one| Change::read(one)).collect()
}

/// Return whether changes may hold a count that no fact brought.
fn has_waited_too_long(shown: &[&[u8]]) -> bool {
    shown.iter().any(|one| match Change::read(one) {
        None => true,
        Some(one) => one.counts.iter().any(|(name, _)| matches!(crate::calls::NAMES[*name], "waiting_beyond" | "lost")),
    })
}

fn encoded(plan: &CallPlan, piece: &Piece, call: &Row, events: &[u32], shown: &Shown) -> Result<Vec<u8>, Left> {
    let newest = call.facts.last().ok_or(Left::Unknown)?;
    let is_whole = is_same_map(&call.known, newest.map).ok_or(Left::Unknown)?;
    let (mut wake_ms, mut ended_ms) = (shown.wake_ms, 0);
    if !shown.is_open {
        ended_ms = newest.time_ms;
        wake_ms = ended_ms + plan.retention_ms;
    }
    let mut out = Vec::with_capacity(128 + call.encoded.len() + 160 * (shown.changes.len() + events.len()));
    out.extend_from_slice(&wake_ms.to_be_bytes());
    out.push(VERSION);
    write_array(&mut out, FIELDS);
    write_ms(&mut out, wake_ms);
    write_integer(&mut out, plan.stamp);
    write_array(&mut out, call.facts.len());
    out.extend_from_slice(call.encoded);
    for index in events {
        out.extend_from_slice(piece.get(piece.events[*index as usize].1.fact));
    }
    out.extend_from_slice(if is_whole { &[0x80] } else { &call.known });
    out.push(0x90);
    write_array(&mut out, shown.changes.len());
    for one in &shown.changes {
        out.extend_from_slice(one);
    }
    write_ms(&mut out, ended_ms);
    out.push(0x90);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_both_lists_changes_nothing() {
        let new = vec![b"a".to_vec(), b"b".to_vec(), b"b".to_vec()];
        let (was, is) = difference(&[b"b", b"c"], &new);
        assert_eq!((was, is), (vec![&b"c"[..]], vec![&b"a"[..], &b"b"[..]]));
    }

    #[test]
    fn hostile_bytes_are_no_row() {
        let mut bytes = vec![0, 0, 0, 0, 0, 0, 0, 1, VERSION, 0x98, 1, 2, 0x91];
        for _ in 0..300 {
            assert!(Row::read(&bytes, 2).is_none());
            bytes.push(0xdc);
        }
        assert!(Row::read(&[], 2).is_none());
    }
}
