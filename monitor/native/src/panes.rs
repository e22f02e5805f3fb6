//! Panes as `monitor.wire.rows` writes them, and what a step adds to them: `monitor.core.series.sums`.
//!
//! Panes with outages, and those whose items do not fit one row, are not known here. Such a pane reads as None, and
//! what would go into it is left to Python.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::row::{Reader, write_array, write_map, write_signed, write_text};
use crate::series::{MINUTE_MS, MOST, Sum, Sums};

/// The version of the layout of panes that this module reads and writes.
pub const VERSION: u8 = 2;
/// Bytes before the msgpack of a row: an instant, which is 0 for panes, and the version of the layout.
pub const HEAD: usize = 9;
/// Joins the fields of a pane's key.
pub const SEPARATOR: u8 = 0x1f;
/// The key under which the list of the longest durations holds from where on it is complete.
pub const FROM: i64 = -1;
/// The number of the live pane of a series among its widths.
const LIVE: usize = usize::MAX;
/// A pane with at most this many items is not measured.
const FEW: usize = 16;
/// The bytes of an item besides its name.
const ITEM: usize = 8;

/// The most of a pane that is put here.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Bytes of its row.
    pub row: usize,
    /// Bytes of its items: Python looks whether larger ones fit one row.
    pub items: usize,
}

/// What is added to a pane.
pub trait Added {
    /// Add it.
    fn add_to(&self, pane: &mut Pane<'_>);
}

impl Added for Sum {
    fn add_to(&self, pane: &mut Pane<'_>) {
        pane.add(self);
    }
}

/// By how much the number of open clocks changes.
#[derive(Debug)]
struct Open {
    is_paused: bool,
    times: i64,
}

impl Added for Open {
    fn add_to(&self, pane: &mut Pane<'_>) {
        pane.count("open", self.times);
        if self.is_paused {
            pane.count("paused", self.times);
        }
    }
}

/// A width of panes.
#[derive(Debug)]
pub struct Width {
    /// Its name in keys.
    pub name: Box<str>,
    /// How long panes are (ms); 0: as long as the local day.
    pub length_ms: i64,
    /// How long after its start a pane is dropped (ms).
    pub kept_ms: i64,
}

/// Into which panes the instants of a measure belong.
#[derive(Debug)]
pub struct Slices {
    /// The widths.
    pub widths: Vec<Width>,
    /// The agreement's zone.
    pub zone: Box<str>,
    /// The instants at which panes are cut (ms), ascending.
    pub cuts: Vec<i64>,
}

/// What Python has told about slices: those of measures, and local days.
#[derive(Debug, Default)]
pub struct Told {
    /// By agreement and measure, as msgpack.
    pub slices: FxHashMap<Vec<u8>, Slices>,
    /// By zone: local days, ascending, each from its start to its end (ms).
    pub days: FxHashMap<Box<str>, Vec<(i64, i64)>>,
}

impl Told {
    /// Keep a local day of a zone.
    pub fn keep_day(&mut self, zone: &str, start_ms: i64, end_ms: i64) {
        let days = self.days.entry(zone.into()).or_default();
        let place = days.partition_point(|day| day.0 < start_ms);
        if days.get(place).is_none_or(|day| day.0 != start_ms) {
            days.insert(place, (start_ms, end_ms));
        }
    }

    /// Return the start of the pane that holds an instant; None: the local day was not told.
    fn start_ms(&self, slices: &Slices, width: &Width, at_ms: i64) -> Option<i64> {
        let start_ms = if width.length_ms > 0 {
            at_ms - at_ms.rem_euclid(width.length_ms)
        } else {
            let days = self.days.get(&slices.zone)?;
            let place = days.partition_point(|day| day.0 <= at_ms);
            let day = days.get(place.checked_sub(1)?)?;
            (at_ms < day.1).then_some(day.0)?
        };
        let place = slices.cuts.partition_point(|cut| *cut <= at_ms);
        Some(place.checked_sub(1).map_or(start_ms, |before| slices.cuts[before].max(start_ms)))
    }
}

/// A pane of a step.
#[derive(Debug)]
pub struct Place {
    series: usize,
    width: usize,
    start_ms: i64,
    /// When it is dropped (ms); 0: never.
    pub until_ms: i64,
}

/// The fields of a series in the keys of its panes.
#[derive(Debug)]
struct Named<'a> {
    /// Agreement and measure as msgpack.
    rule: &'a [u8],
    agreement: &'a [u8],
    measure: &'a [u8],
    values: Vec<&'a [u8]>,
}

impl<'a> Named<'a> {
    fn of(series: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(series);
        reader.array()?;
        let start = reader.at();
        let (agreement, measure) = (reader.text()?, reader.text()?);
        let rule = reader.since(start);
        let size = reader.array()?;
        let mut values = Vec::with_capacity(size);
        for _ in 0..size {
            values.push(reader.text()?);
        }
        Some(Named { rule, agreement, measure, values })
    }
}

/// The panes that a step changes.
#[derive(Debug)]
pub struct Places<'a> {
    told: &'a Told,
    named: Vec<Named<'a>>,
    /// The panes, each once.
    pub panes: Vec<Place>,
    numbers: FxHashMap<(usize, usize, i64), usize>,
    /// For each minute of the sums the panes of all widths; None: Python puts it into them.
    minutes: Vec<Option<Vec<usize>>>,
    /// For each live change of the sums its pane.
    live: Vec<usize>,
    /// The measures and instants whose local day was not told.
    pub days: Vec<(&'a [u8], i64)>,
}

impl<'a> Places<'a> {
    /// Find the panes that sums belong to; None: a series is none.
    pub fn of(told: &'a Told, sums: &'a Sums) -> Option<Self> {
        let minutes = sums.minutes.iter().map(|(place, _)| *place);
        Self::find(told, &sums.series, minutes, sums.live.iter().map(|((series, _), _)| *series))
    }

    /// Find the panes of minutes, and the live ones, of series that are given by number; None: a series is none.
    pub fn find(
        told: &'a Told,
        series: &'a [Box<[u8]>],
        minutes: impl Iterator<Item = (usize, i64)>,
        live: impl Iterator<Item = usize>,
    ) -> Option<Self> {
        let named = series.iter().map(|series| Named::of(series)).collect::<Option<Vec<_>>>()?;
        let (panes, numbers, days) = (vec![], FxHashMap::default(), vec![]);
        let mut places = Places { told, named, panes, numbers, minutes: vec![], live: vec![], days };
        for (series, minute) in minutes {
            let found = places.of_minute(series, minute * MINUTE_MS);
            places.minutes.push(found);
        }
        for series in live {
            let number = places.number_of(series, LIVE, 0, 0);
            places.live.push(number);
        }
        Some(places)
    }

    fn of_minute(&mut self, series: usize, at_ms: i64) -> Option<Vec<usize>> {
        let rule = self.named[series].rule;
        let slices = self.told.slices.get(rule)?;
        let mut found = Vec::with_capacity(slices.widths.len());
        for (number, width) in slices.widths.iter().enumerate() {
            let Some(start_ms) = self.told.start_ms(slices, width, at_ms) else {
                if !self.days.contains(&(rule, at_ms)) {
                    self.days.push((rule, at_ms));
                }
                return None;
            };
            found.push((number, start_ms, start_ms + width.kept_ms));
        }
        Some(
            found
                .into_iter()
                .map(|(width, start_ms, until_ms)| self.number_of(series, width, start_ms, until_ms))
                .collect(),
        )
    }

    fn number_of(&mut self, series: usize, width: usize, start_ms: i64, until_ms: i64) -> usize {
        *self.numbers.entry((series, width, start_ms)).or_insert_with(|| {
            self.panes.push(Place { series, width, start_ms, until_ms });
            self.panes.len() - 1
        })
    }

    /// Write the key of the row of a pane.
    pub fn write_key(&self, place: &Place, out: &mut Vec<u8>) {
        let named = &self.named[place.series];
        let width: &str = match self.told.slices.get(named.rule) {
            Some(slices) if place.width != LIVE => &slices.widths[place.width].name,
            _ => "live",
        };
        out.clear();
        out.push(b'p');
        for field in [named.agreement, named.measure, width.as_bytes(), place.start_ms.to_string().as_bytes()] {
            if out.len() > 1 {
                out.push(SEPARATOR);
            }
            out.extend_from_slice(field);
        }
        for value in &named.values {
            out.push(SEPARATOR);
            out.extend_from_slice(value);
        }
    }

    /// Add the sums to panes, of which the encoded rows are given, or Python's.
    ///
    /// Return None if a row becomes longer than ``max_row`` bytes: then Python puts all of it.
    pub fn fold(&self, sums: &Sums, rows: &[Stands], max_row: usize) -> Option<Folded> {
        let minutes: Vec<&dyn Added> = sums.minutes.iter().map(|(_, sum)| sum as &dyn Added).collect();
        let live: Vec<_> =
            sums.live.iter().map(|((_, is_paused), times)| Open { is_paused: *is_paused, times: *times }).collect();
        let live: Vec<&dyn Added> = live.iter().map(|open| open as &dyn Added).collect();
        self.put(&minutes, &live, rows, Most { row: max_row, items: usize::MAX }).ok()
    }

    /// Add what belongs to minutes, and what is live, to panes, of which the encoded rows are given, or Python's.
    ///
    /// Return the number of a pane that becomes too large.
    pub fn put(
        &self,
        added: &[&dyn Added],
        added_live: &[&dyn Added],
        rows: &[Stands],
        most: Most,
    ) -> Result<Folded, usize> {
        let mut panes: Vec<Option<Pane>> = rows
            .iter()
            .map(|row| match row {
                Stands::New => Some(Pane::default()),
                Stands::Row(row) if row.len() <= most.row => Pane::read(row),
                Stands::ForPython | Stands::Row(_) => None,
            })
            .collect();
        let mut changed = vec![false; panes.len()];
        let (mut minutes, mut live) = (vec![], vec![]);
        for (place, sum) in added.iter().enumerate() {
            match &self.minutes[place] {
                Some(numbers) if numbers.iter().all(|number| panes[*number].is_some()) => {
                    for number in numbers {
                        changed[*number] = true;
                        if let Some(pane) = &mut panes[*number] {
                            sum.add_to(pane);
                        }
                    }
                }
                _ => minutes.push(place),
            }
        }
        for (place, sum) in added_live.iter().enumerate() {
            let number = self.live[place];
            let Some(pane) = &mut panes[number] else {
                live.push(place);
                continue;
            };
            changed[number] = true;
            sum.add_to(pane);
        }
        let mut rows = vec![];
        for (number, pane) in panes.iter().enumerate() {
            if let (true, Some(pane)) = (changed[number], pane) {
                let row = pane.encoded();
                if row.len() > most.row || pane.has_more_items(most.items) {
                    return Err(number);
                }
                rows.push((number, row));
            }
        }
        Ok(Folded { rows, minutes, live })
    }
}

/// How the row of a pane stands before a step.
#[derive(Debug)]
pub enum Stands<'a> {
    /// There is none.
    New,
    /// It is encoded.
    Row(&'a [u8]),
    /// Python has changed it.
    ForPython,
}

/// What became of the panes of a step.
#[derive(Debug)]
pub struct Folded {
    /// The encoded rows of panes that sums went into, by the number of the pane.
    pub rows: Vec<(usize, Vec<u8>)>,
    /// The minutes of the sums that Python puts into panes, by their place.
    pub minutes: Vec<usize>,
    /// The live changes that Python puts into panes, by their place.
    pub live: Vec<usize>,
}

/// A pane without outages. The order of its maps is that in which Python would write them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pane<'a> {
    counts: Vec<(Cow<'a, str>, i64)>,
    buckets: Vec<(i64, i64)>,
    /// Calls by their names.
    items: Vec<(Cow<'a, [u8]>, i64)>,
    longest: Vec<(i64, i64)>,
}

/// An item that is set to a value, or taken out (None).
pub type Item = (Box<[u8]>, Option<i64>);

impl<'a> Pane<'a> {
    /// Read an encoded row.
    pub fn read(encoded: &'a [u8]) -> Option<Self> {
        if *encoded.get(HEAD - 1)? != VERSION {
            return None;
        }
        let mut reader = Reader::new(&encoded[HEAD..]);
        if reader.array()? != 5 {
            return None;
        }
        let size = reader.map()?;
        let mut counts = Vec::with_capacity((size + 3).min(64));
        for _ in 0..size {
            counts.push((Cow::Borrowed(std::str::from_utf8(reader.text()?).ok()?), reader.signed()?));
        }
        let buckets = numbers_of(&mut reader)?;
        let size = reader.map()?;
        let mut items = Vec::with_capacity((size + 8).min(4_096));
        for _ in 0..size {
            let name = reader.text()?;
            std::str::from_utf8(name).ok()?;
            items.push((Cow::Borrowed(name), reader.signed()?));
        }
        reader.is(0x80)?; // outages
        let longest = numbers_of(&mut reader)?;
        reader.is_done().then_some(Pane { counts, buckets, items, longest })
    }

    /// Return the encoded row.
    pub fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 + 16 * self.counts.len() + 8 * (self.buckets.len() + self.longest.len()));
        out.extend_from_slice(&[0; HEAD - 1]);
        out.push(VERSION);
        write_array(&mut out, 5);
        write_map(&mut out, self.counts.len());
        for (name, count) in &self.counts {
            write_text(&mut out, name.as_bytes());
            write_signed(&mut out, *count);
        }
        write_numbers(&mut out, &self.buckets);
        write_map(&mut out, self.items.len());
        for (name, value) in &self.items {
            write_text(&mut out, name);
            write_signed(&mut out, *value);
        }
        out.push(0x80);
        write_numbers(&mut out, &self.longest);
        out
    }

    /// Add to a count; one that becomes 0 goes.
    pub fn count(&mut self, name: &str, n: i64) {
        count(&mut self.counts, name, n);
    }

    /// Set items and take items out, each item once.
    pub fn set(&mut self, items: &[Item]) {
        if items.len() * self.items.len() <= 256 {
            for (name, value) in items {
                let place = self.items.iter().position(|one| one.0.as_ref() == name.as_ref());
                match (place, value) {
                    (Some(place), Some(value)) => self.items[place].1 = *value,
                    (Some(place), None) => {
                        self.items.remove(place);
                    }
                    (None, Some(value)) => self.items.push((Cow::Owned(name.to_vec()), *value)),
                    (None, None) => {}
                }
            }
            return;
        }
        let mut new: FxHashMap<&[u8], Option<i64>> =
            items.iter().map(|(name, value)| (name.as_ref(), *value)).collect();
        self.items.retain_mut(|(name, held)| match new.remove(name.as_ref()) {
            None => true,
            Some(None) => false,
            Some(Some(value)) => {
                *held = value;
                true
            }
        });
        for (name, _) in items {
            if let Some(Some(value)) = new.get(name.as_ref()) {
                self.items.push((Cow::Owned(name.to_vec()), *value));
            }
        }
    }

    /// Return whether Python must look whether the items still fit one row.
    fn has_more_items(&self, bytes: usize) -> bool {
        self.items.len() > FEW && self.items.iter().map(|one| one.0.len() + ITEM).sum::<usize>() > bytes
    }

    /// Add a sum.
    pub fn add(&mut self, sum: &Sum) {
        for (name, n) in [("met", sum.met), ("elapsed_ms", sum.elapsed_ms), ("wall_ms", sum.wall_ms)] {
            count(&mut self.counts, name, n);
        }
        for (name, n) in &sum.beyond {
            count(&mut self.counts, name, *n);
        }
        for (bucket, n) in &sum.buckets {
            count_number(&mut self.buckets, *bucket, *n);
        }
        self.list(sum);
        if self.buckets.is_empty() {
            self.longest.clear();
        }
    }

    fn listed_from_ms(&self) -> i64 {
        self.longest.iter().find(|one| one.0 == FROM).map_or(0, |one| one.1)
    }

    /// Add the longest durations of a sum: `monitor.core.series.longest.merge`.
    fn list(&mut self, sum: &Sum) {
        if sum.from_ms > self.listed_from_ms() {
            self.longest.retain(|one| one.0 >= sum.from_ms);
            self.longest.push((FROM, sum.from_ms));
        }
        for (value_ms, n) in &sum.longest {
            if *value_ms < self.listed_from_ms() {
                continue;
            }
            count_number(&mut self.longest, *value_ms, *n);
            if self.longest.len() > MOST {
                self.shorten();
            }
        }
    }

    fn shorten(&mut self) {
        if let Some(place) = self.longest.iter().position(|one| one.0 == FROM) {
            if self.longest.len() == MOST + 1 {
                return;
            }
            self.longest.remove(place);
        }
        if let Some(shortest_ms) = self.longest.iter().map(|one| one.0).min() {
            self.longest.retain(|one| one.0 != shortest_ms);
            self.longest.push((FROM, shortest_ms + 1));
        }
    }
}

fn numbers_of(reader: &mut Reader) -> Option<Vec<(i64, i64)>> {
    let size = reader.map()?;
    let mut numbers = Vec::with_capacity((size + 2).min(4_096));
    for _ in 0..size {
        numbers.push((reader.signed()?, reader.signed()?));
    }
    Some(numbers)
}

fn write_numbers(out: &mut Vec<u8>, numbers: &[(i64, i64)]) {
    write_map(out, numbers.len());
    for (key, value) in numbers {
        write_signed(out, *key);
        write_signed(out, *value);
    }
}

/// Add to a count; one that becomes 0 goes.
fn count(counts: &mut Vec<(Cow<str>, i64)>, name: &str, n: i64) {
    match counts.iter().position(|one| one.0 == name) {
        Some(place) => {
            counts[place].1 += n;
            if counts[place].1 == 0 {
                counts.remove(place);
            }
        }
        None if n != 0 => counts.push((Cow::Owned(name.to_string()), n)),
        None => {}
    }
}

fn count_number(numbers: &mut Vec<(i64, i64)>, key: i64, n: i64) {
    match numbers.iter().position(|one| one.0 == key) {
        Some(place) => {
            numbers[place].1 += n;
            if numbers[place].1 == 0 {
                numbers.remove(place);
            }
        }
        None => numbers.push((key, n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[i64]) -> Sum {
        let mut sum = Sum::default();
        for value in values {
            sum.add(*value, *value, &[]);
        }
        sum
    }

    #[test]
    fn a_pane_is_read_as_it_was_written() {
        let mut pane = Pane::default();
        pane.add(&sum(&[5, 70_000, 3_600_000, 5]));
        count(&mut pane.counts, "open", -40);
        pane.set(&[(b"C-1"[..].into(), Some(5)), (b"C-2"[..].into(), Some(0))]);
        let row = pane.encoded();
        assert_eq!(Pane::read(&row), Some(pane));
        for end in 0..row.len() {
            assert_eq!(Pane::read(&row[..end]), None);
        }
    }

    #[test]
    fn items_are_set_and_taken_out_whether_few_or_many() {
        let name = |number: i64| -> Box<[u8]> { format!("C-{number}").as_bytes().into() };
        let mut pane = Pane::default();
        for at in 0..100 {
            pane.set(&[(name(at), Some(at))]);
        }
        pane.set(&[(name(3), None), (name(1_000), Some(1)), (name(4), Some(0)), (name(2_000), None)]);
        pane.set(&[(name(5), None)]);
        let held = |pane: &Pane, number| pane.items.iter().find(|one| *one.0 == *name(number)).map(|one| one.1);
        assert_eq!([3, 4, 5, 6, 1_000, 2_000].map(|at| held(&pane, at)), [None, Some(0), None, Some(6), Some(1), None]);
        assert_eq!(pane.items.len(), 99);
        assert!(!pane.has_more_items(1_500));
        pane.set(&[("x".repeat(1_000).as_bytes().into(), Some(1))]);
        assert!(pane.has_more_items(1_500));
    }

    #[test]
    fn the_longest_are_those_of_all_sums() {
        let mut pane = Pane::default();
        pane.add(&sum(&[1, 2, 3, 4, 5, 6]));
        pane.add(&sum(&[11, 12, 13, 14, 15, 16, 17, 18, 19]));
        let mut listed = pane.longest.clone();
        listed.sort_unstable();
        let expected: Vec<(i64, i64)> = [(FROM, 12)].into_iter().chain((12..20).map(|one| (one, 1))).collect();
        assert_eq!(listed, expected);
    }

    /// Two series of a rule with two widths: a minute that stopped clocks, and open ones.
    fn told_and_sums() -> (Told, Sums) {
        let mut told = Told::default();
        let width = |name: &str, length_ms| Width { name: name.into(), length_ms, kept_ms: 1_000 };
        let widths = vec![width("minute", MINUTE_MS), width("day", 0)];
        told.slices.insert(b"\xa4desk\xa1m".into(), Slices { widths, zone: "UTC".into(), cuts: vec![] });
        let mut sums = Sums::default();
        sums.series.push(b"\x93\xa4desk\xa1m\x92\xa2P1\xa0"[..].into());
        sums.minutes.push(((0, 3), sum(&[7])));
        sums.live.push(((0, true), -1));
        (told, sums)
    }

    #[test]
    fn what_belongs_to_a_pane_that_python_has_changed_is_left_to_python() {
        let (mut told, sums) = told_and_sums();
        let places = Places::of(&told, &sums).unwrap();
        assert_eq!((places.panes.len(), places.days.len()), (1, 1)); // the live one: no day was told
        let folded = places.fold(&sums, &[Stands::New], 1_000).unwrap();
        assert_eq!((folded.rows.len(), folded.minutes, folded.live), (1, vec![0], vec![]));

        told.keep_day("UTC", 0, 86_400_000);
        let places = Places::of(&told, &sums).unwrap();
        let mut key = vec![];
        let mut keys = vec![];
        for place in &places.panes {
            places.write_key(place, &mut key);
            keys.push(String::from_utf8(key.clone()).unwrap());
        }
        let fields = |width: &str| format!("pdesk m {width} P1 ").replace(' ', "\u{1f}");
        assert_eq!(keys, [fields("minute 180000"), fields("day 0"), fields("live 0")]);
        let folded = places.fold(&sums, &[Stands::New, Stands::ForPython, Stands::ForPython], 1_000).unwrap();
        assert_eq!((folded.rows.len(), folded.minutes, folded.live), (0, vec![0], vec![0]));
        let folded = places.fold(&sums, &[Stands::New, Stands::New, Stands::New], 1_000).unwrap();
        assert_eq!((folded.rows.len(), folded.minutes, folded.live), (3, vec![], vec![]));
        assert!(places.fold(&sums, &[Stands::New, Stands::New, Stands::New], 20).is_none());
    }

    #[test]
    fn a_pane_begins_at_the_last_cut_of_its_day() {
        let mut told = Told::default();
        told.keep_day("Europe/Berlin", 3_600_000, 90_000_000);
        let day = Width { name: "day".into(), length_ms: 0, kept_ms: 1 };
        let quarter = Width { name: "quarter".into(), length_ms: 900_000, kept_ms: 1 };
        let slices = Slices { widths: vec![], zone: "Europe/Berlin".into(), cuts: vec![7_260_000] };
        assert_eq!(told.start_ms(&slices, &day, 3_599_999), None);
        assert_eq!(told.start_ms(&slices, &day, 3_600_000), Some(3_600_000));
        assert_eq!(told.start_ms(&slices, &day, 7_260_000), Some(7_260_000));
        assert_eq!(told.start_ms(&slices, &day, 90_000_000), None);
        assert_eq!(told.start_ms(&slices, &quarter, 7_259_999), Some(7_200_000));
        assert_eq!(told.start_ms(&slices, &quarter, 7_300_000), Some(7_260_000));
        assert_eq!(told.start_ms(&slices, &quarter, 8_300_000), Some(8_100_000));
    }
}
