//! Rows of panes of all sources, as `monitor.wire.rows` writes them: one source's pane is replaced in the bytes.
//!
//! A pane is taken over as it was sent, so it must be written exactly as Python would write it again. Whatever is not is
//! left to Python, as are panes that hold items or count nothing.

use crate::panes::{HEAD, SEPARATOR, VERSION};
use crate::row::{Reader, write_map, write_text};

/// The most counts of a pane that are compared with one another: a measure has some ten.
const MOST_COUNTS: usize = 64;

/// The fields of the key of a pane's record, as far as this module takes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// All fields of the pane's key, joined: without the first byte, and without the source.
    pub pane: &'a [u8],
    /// Agreement and measure, joined.
    pub rule: &'a [u8],
    /// Width and start, joined.
    pub slice: &'a [u8],
    /// The values of the series, joined, with the separator before each.
    pub values: &'a [u8],
    /// Topic and partition.
    pub source: &'a str,
    /// The start (ms); None: it is written otherwise than Python would, or the key is that of a part of a pane.
    pub start_ms: Option<i64>,
}

impl<'a> Name<'a> {
    /// Read the key of a record; None: it is not that of a pane.
    pub fn read(key: &'a [u8]) -> Option<Self> {
        let (first, key) = key.split_first()?;
        if *first != b'p' {
            return None;
        }
        let text = std::str::from_utf8(key).ok()?;
        let (pane, source) = text.rsplit_once(char::from(SEPARATOR))?;
        let mut ends = pane.bytes().enumerate().filter(|(_, byte)| *byte == SEPARATOR).map(|(place, _)| place);
        ends.next()?;
        let (rule, width) = (ends.next()?, ends.next()?);
        let start = ends.next().unwrap_or(pane.len());
        Some(Name {
            pane: pane.as_bytes(),
            rule: &pane.as_bytes()[..rule],
            slice: &pane.as_bytes()[rule + 1..start],
            values: &pane.as_bytes()[start..],
            source,
            start_ms: start_of(&pane[width + 1..start]),
        })
    }

    /// Write what names the series.
    pub fn write_series(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(self.rule);
        out.extend_from_slice(self.values);
    }

    /// Return the name of the width.
    pub fn width(&self) -> &'a [u8] {
        self.slice.split(|byte| *byte == SEPARATOR).next().unwrap_or_default()
    }
}

/// Read the start of a pane (ms) that is written as Python writes it.
fn start_of(text: &str) -> Option<i64> {
    let digits = text.as_bytes();
    let is_plain = match digits {
        [] | [b'0', _, ..] => false,
        _ => digits.len() <= 16 && digits.iter().all(u8::is_ascii_digit),
    };
    if is_plain { text.parse().ok() } else { None }
}

/// Return the pane in the value of a record; None: it is Python's.
pub fn sent<'a>(value: &'a [u8], scratch: &mut Vec<i64>) -> Option<&'a [u8]> {
    if *value.first()? != VERSION {
        return None;
    }
    let mut reader = Reader::new(&value[1..]);
    reader.is(0x92)?;
    exact_text(&mut reader)?;
    let start = reader.at();
    let sizes = exact_pane(&mut reader, scratch)?;
    (reader.is_done() && sizes != (0, 0)).then(|| reader.since(start))
}

/// Read a pane without items that is written as Python writes it; return how many counts and buckets it has.
fn exact_pane(reader: &mut Reader, scratch: &mut Vec<i64>) -> Option<(usize, usize)> {
    reader.is(0x95)?;
    let counts = exact_map(reader).filter(|counts| *counts <= MOST_COUNTS)?;
    let start = *reader;
    for place in 0..counts {
        let name = exact_text(reader)?;
        exact_number(reader)?;
        let mut before = start;
        for _ in 0..place {
            if before.text()? == name {
                return None;
            }
            before.signed()?;
        }
    }
    let buckets = exact_numbers(reader, scratch)?;
    reader.is(0x80)?; // calls
    reader.is(0x80)?; // outages
    exact_numbers(reader, scratch)?;
    Some((counts, buckets))
}

fn exact_numbers(reader: &mut Reader, scratch: &mut Vec<i64>) -> Option<usize> {
    let size = exact_map(reader)?;
    let mut ascends = true;
    scratch.clear();
    for _ in 0..size {
        let key = exact_number(reader)?;
        exact_number(reader)?;
        ascends = ascends && scratch.last().is_none_or(|last| *last < key);
        scratch.push(key);
    }
    if !ascends {
        scratch.sort_unstable();
        if scratch.windows(2).any(|pair| pair[0] == pair[1]) {
            return None;
        }
    }
    Some(size)
}

fn exact_number(reader: &mut Reader) -> Option<i64> {
    let start = reader.at();
    let value = reader.signed()?;
    let written = reader.since(start);
    let size = match value {
        -0x20..=0x7f => 1,
        -0x80..=0xff => 2,
        -0x8000..=0xffff => 3,
        -0x8000_0000..=0xffff_ffff => 5,
        _ => 9,
    };
    let is_signed = (0xd0..=0xd3).contains(&written[0]);
    (written.len() == size && (value < 0 || !is_signed)).then_some(value)
}

fn exact_text<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let start = reader.at();
    let text = reader.text()?;
    let head = match text.len() {
        0..=31 => 1,
        32..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 5,
    };
    (reader.at() - start == head + text.len() && std::str::from_utf8(text).is_ok()).then_some(text)
}

fn exact_map(reader: &mut Reader) -> Option<usize> {
    let start = reader.at();
    let size = reader.map()?;
    let is_long = reader.at() - start > 1;
    (is_long == (size > 15)).then_some(size)
}

/// What becomes of a row into which a source's pane goes.
#[derive(Debug, PartialEq, Eq)]
pub enum Merged {
    /// It holds the same already.
    Same,
    /// It is encoded anew.
    New(Vec<u8>),
    /// Python merges the pane.
    ForPython,
}

/// Put the pane of a source into the encoded row of a pane of all sources; None: there is no row yet.
///
/// A row becomes at most ``most`` bytes long here.
pub fn merge(row: Option<&[u8]>, source: &[u8], pane: &[u8], most: usize) -> Merged {
    let merged = match row {
        None => Some(written(1, &[], source, pane, &[])),
        Some(row) if row.len() <= most => put(row, source, pane),
        Some(_) => None,
    };
    match merged {
        Some(Merged::New(row)) if row.len() > most => Merged::ForPython,
        Some(merged) => merged,
        None => Merged::ForPython,
    }
}

/// Return a row of so many sources: the bytes before those of a source, its own, and the bytes after them.
fn written(sources: usize, before: &[u8], source: &[u8], pane: &[u8], after: &[u8]) -> Merged {
    let mut out = Vec::with_capacity(HEAD + 16 + before.len() + source.len() + pane.len() + after.len());
    out.extend_from_slice(&[0; HEAD - 1]);
    out.push(VERSION);
    out.push(0x91);
    write_map(&mut out, sources);
    out.extend_from_slice(before);
    write_text(&mut out, source);
    out.extend_from_slice(pane);
    out.extend_from_slice(after);
    Merged::New(out)
}

fn put(row: &[u8], source: &[u8], pane: &[u8]) -> Option<Merged> {
    if *row.get(HEAD - 1)? != VERSION {
        return None;
    }
    let mut reader = Reader::new(&row[HEAD..]);
    reader.is(0x91)?;
    let sources = reader.map()?;
    let start = reader.at();
    let mut found = None;
    let mut place = None;
    let mut last: Option<&[u8]> = None;
    for _ in 0..sources {
        let before = reader.at();
        let name = reader.text()?;
        if last.is_some_and(|last| last >= name) {
            return None;
        }
        last = Some(name);
        let held = reader.pass_over()?;
        if name == source {
            found = Some((before, held, reader.at()));
        } else if name > source && place.is_none() {
            place = Some(before);
        }
    }
    if sources == 0 || !reader.is_done() {
        return None;
    }
    let all = &row[HEAD..];
    let Some((before, held, after)) = found else {
        let place = place.unwrap_or(all.len());
        return Some(written(sources + 1, &all[start..place], source, pane, &all[place..]));
    };
    if is_same(held, pane)? {
        return Some(Merged::Same);
    }
    Some(written(sources, &all[start..before], source, pane, &all[after..]))
}

/// Return whether two panes hold the same, in whatever order.
fn is_same(one: &[u8], other: &[u8]) -> Option<bool> {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    if one == other {
        return Some(true);
    }
    if one.len() != other.len() || sum(one) != sum(other) {
        return Some(false); // equal contents are the same bytes in another order
    }
    Some(contents(one)? == contents(other)?)
}

type Contents<'a> = (Vec<(&'a [u8], i64)>, Vec<(i64, i64)>, Vec<(i64, i64)>);

/// Return the counts, buckets and longest durations of a pane without items, in order.
fn contents(pane: &[u8]) -> Option<Contents<'_>> {
    let mut reader = Reader::new(pane);
    reader.is(0x95)?;
    let mut counts = vec![];
    for _ in 0..reader.map()? {
        counts.push((reader.text()?, reader.signed()?));
    }
    let mut buckets = numbers_of(&mut reader)?;
    reader.is(0x80)?;
    reader.is(0x80)?;
    let mut longest = numbers_of(&mut reader)?;
    counts.sort_unstable();
    buckets.sort_unstable();
    longest.sort_unstable();
    Some((counts, buckets, longest))
}

fn numbers_of(reader: &mut Reader) -> Option<Vec<(i64, i64)>> {
    let mut numbers = vec![];
    for _ in 0..reader.map()? {
        numbers.push((reader.signed()?, reader.signed()?));
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MET: &[u8] = b"\x95\x81\xa3met\x01\x80\x80\x80\x80";
    const TWO: &[u8] = b"\x95\x81\xa3met\x02\x80\x80\x80\x80";

    fn row(sources: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut made: Option<Vec<u8>> = None;
        for (source, pane) in sources {
            match merge(made.as_deref(), source, pane, 1_000) {
                Merged::New(row) => made = Some(row),
                other => assert_eq!(other, Merged::Same),
            }
        }
        made.unwrap_or_default()
    }

    #[test]
    fn sources_are_in_order_however_they_come() {
        let whole = row(&[(b"t/0", MET), (b"t/1", TWO), (b"t/2", MET)]);
        assert_eq!(whole, row(&[(b"t/2", MET), (b"t/1", MET), (b"t/0", TWO), (b"t/1", TWO), (b"t/0", MET)]));
        assert_eq!(whole, row(&[(b"t/0", MET), (b"t/1", TWO), (b"t/2", MET), (b"t/1", TWO)]));
        assert_eq!(&whole[..15], b"\0\0\0\0\0\0\0\0\x02\x91\x83\xa3t/0");
    }

    #[test]
    fn a_pane_in_another_order_is_the_same() {
        let one: &[u8] = b"\x95\x82\xa1a\x01\xa1b\x02\x82\x05\x01\x07\x02\x80\x80\x80";
        let other: &[u8] = b"\x95\x82\xa1b\x02\xa1a\x01\x82\x07\x02\x05\x01\x80\x80\x80";
        let swapped: &[u8] = b"\x95\x82\xa1a\x02\xa1b\x01\x82\x05\x01\x07\x02\x80\x80\x80";
        let stored = row(&[(b"t/0", one)]);
        assert_eq!(merge(Some(&stored), b"t/0", other, 1_000), Merged::Same);
        assert_eq!(merge(Some(&stored), b"t/0", swapped, 1_000), Merged::New(row(&[(b"t/0", swapped)])));
    }

    #[test]
    fn rows_of_other_releases_and_long_ones_are_left() {
        let stored = row(&[(b"t/0", MET)]);
        let (mut older, mut short, mut empty) = (stored.clone(), stored.clone(), stored.clone());
        older[8] = 1;
        short.pop();
        empty.truncate(10);
        empty.push(0x80);
        let unordered = [b"\0\0\0\0\0\0\0\0\x02\x91\x82\xa1b", MET, b"\xa1a", MET].concat();
        let same_size = [&stored[..15], b"\x95\x80\x81\xa3met\x02\x80\x80\x80"].concat();
        let strange = [&stored[..15], b"\xc7\x01\x01\x01"].concat();
        for one in [older, short, empty, unordered, same_size, strange, stored.repeat(2)] {
            assert_eq!(merge(Some(&one), b"t/0", TWO, 1_000), Merged::ForPython, "{one:?}");
        }
        assert_eq!(merge(Some(&stored), b"t/1", TWO, stored.len()), Merged::ForPython);
        assert_eq!(merge(Some(&stored), b"t/1", TWO, stored.len() - 1), Merged::ForPython);
        assert_eq!(merge(None, b"t/1", TWO, 8), Merged::ForPython);
    }

    #[test]
    fn only_what_python_would_write_is_taken() {
        let value = |pane: &[u8]| [b"\x02\x92\xa3t/0", pane].concat();
        let is_taken = |value: &[u8]| sent(value, &mut vec![]).is_some();
        assert_eq!(sent(&value(MET), &mut vec![]), Some(MET));
        assert!(is_taken(&value(b"\x95\x80\x82\x07\x01\x05\xcc\xff\x80\x80\x81\xff\xcd\x01\0")));
        for end in 0..value(MET).len() {
            assert!(!is_taken(&value(MET)[..end]));
        }
        let refused: [&[u8]; 15] = [
            b"\x95\x80\x80\x80\x80\x80",                    // it counts nothing
            b"\x95\x80\x80\x80\x80\x81\x01\x01",            // so does this
            b"\x95\x81\xa3met\xcc\x01\x80\x80\x80\x80",     // numbers are longer than need be
            b"\x95\x81\xa3met\xd1\x01\x00\x80\x80\x80\x80", // or signed
            b"\x95\x81\xa3met\xd2\x00\x01\x00\x00\x80\x80\x80\x80",
            b"\x95\x81\xd9\x03met\x01\x80\x80\x80\x80",    // so are texts
            b"\x95\xde\0\x01\xa3met\x01\x80\x80\x80\x80",  // and maps
            b"\x95\x82\xa1a\x01\xa1a\x01\x80\x80\x80\x80", // a name comes twice
            b"\x95\x80\x82\x01\x01\x01\x01\x80\x80\x80",   // a bucket does
            b"\x95\x81\xa1\xff\x01\x80\x80\x80\x80",       // it is no text
            b"\x95\x81\xa1a\xca\0\0\0\0\x80\x80\x80\x80",  // it is no integer
            b"\x95\x81\xa1a\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x80\x80\x80\x80",
            b"\x95\x81\xa1a\x01\x80\x81\xa1c\x01\x80\x80", // it holds a call
            b"\x96\x81\xa1a\x01\x80\x80\x80\x80\x80",
            b"\x95\x81\xa1a\x01\x80\x80\x80\x80\x80", // something follows
        ];
        for one in refused {
            assert!(!is_taken(&value(one)), "{one:?}");
        }
        let mut older = value(MET);
        older[0] = 1;
        assert!(!is_taken(&older));
    }

    #[test]
    fn a_key_is_taken_apart() {
        let name = Name::read(b"pdesk\x1fresolution\x1fminute\x1f60000\x1fP1\x1fx\x1ft/0").unwrap();
        assert_eq!(name.pane, b"desk\x1fresolution\x1fminute\x1f60000\x1fP1\x1fx");
        assert_eq!((name.rule, name.slice), (&b"desk\x1fresolution"[..], &b"minute\x1f60000"[..]));
        assert_eq!((name.values, name.width()), (&b"\x1fP1\x1fx"[..], &b"minute"[..]));
        assert_eq!((name.source, name.start_ms), ("t/0", Some(60_000)));
        let name = Name::read(b"pdesk\x1fresolution\x1flive\x1f0\x1ft/0").unwrap();
        assert_eq!((name.values, name.start_ms), (&b""[..], Some(0)));
        for start in ["", "00", "01", "+1", "-1", " 1", "1_0", "1/a", "12345678901234567"] {
            let key = format!("pa\x1fb\x1fday\x1f{start}\x1ft/0");
            assert_eq!(Name::read(key.as_bytes()).unwrap().start_ms, None, "{start}");
        }
        for key in [&b""[..], b"mt/0", b"p", b"pa\x1fb\x1fc\x1fd", b"pa\xff\x1fb\x1fc\x1f1\x1fe"] {
            assert_eq!(Name::read(key), None);
        }
    }
}
