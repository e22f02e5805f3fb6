//! The row of a subject as `monitor.wire.rows` writes it: msgpack with the least bytes for each value.
//!
//! A row that holds anything that the fast path does not know reads as None.

use crate::clock::{Clock, State};

/// The version of the layout of subjects' rows that this module reads and writes.
pub const VERSION: u8 = 2;
/// Bytes before the msgpack of a row: when it wakes, and the version of its layout.
pub const HEAD: usize = 9;
const FIELDS: usize = 8;
const NIL: u8 = 0xc0;
const FALSE: u8 = 0xc2;

/// Write an integer that is not negative.
pub fn write_integer(out: &mut Vec<u8>, value: u64) {
    match value {
        0..=0x7f => out.push(value as u8),
        0x80..=0xff => out.extend_from_slice(&[0xcc, value as u8]),
        0x100..=0xffff => {
            out.push(0xcd);
            out.extend_from_slice(&(value as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xce);
            out.extend_from_slice(&(value as u32).to_be_bytes());
        }
        _ => {
            out.push(0xcf);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

/// Write an integer.
pub fn write_signed(out: &mut Vec<u8>, value: i64) {
    if value >= 0 {
        write_integer(out, value as u64);
    } else if value >= -32 {
        out.push(value as u8);
    } else if let Ok(value) = i8::try_from(value) {
        out.extend_from_slice(&[0xd0, value as u8]);
    } else if let Ok(value) = i16::try_from(value) {
        out.push(0xd1);
        out.extend_from_slice(&value.to_be_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        out.push(0xd2);
        out.extend_from_slice(&value.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// Write an instant or a duration, which is not negative.
pub fn write_ms(out: &mut Vec<u8>, value: i64) {
    write_integer(out, value.max(0) as u64);
}

/// Write a text.
pub fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    match text.len() {
        size @ 0..=31 => out.push(0xa0 | size as u8),
        size @ 32..=0xff => out.extend_from_slice(&[0xd9, size as u8]),
        size @ 0x100..=0xffff => {
            out.push(0xda);
            out.extend_from_slice(&(size as u16).to_be_bytes());
        }
        size => {
            out.push(0xdb);
            out.extend_from_slice(&(size as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(text);
}

/// Write the head of an array.
pub fn write_array(out: &mut Vec<u8>, size: usize) {
    write_head(out, size, 0x90, 0xdc);
}

/// Write the head of a map.
pub fn write_map(out: &mut Vec<u8>, size: usize) {
    write_head(out, size, 0x80, 0xde);
}

/// Write the size of an array or a map: in the byte itself, or after the byte for 16 bits or the next one, for 32.
fn write_head(out: &mut Vec<u8>, size: usize, short: u8, long: u8) {
    match size {
        0..=15 => out.push(short | size as u8),
        16..=0xffff => {
            out.push(long);
            out.extend_from_slice(&(size as u16).to_be_bytes());
        }
        _ => {
            out.push(long + 1);
            out.extend_from_slice(&(size as u32).to_be_bytes());
        }
    }
}

/// Write the head of a fact: the array of five, its instant and its sequence.
pub fn write_time_order(out: &mut Vec<u8>, time_ms: i64, sequence: i64) {
    write_array(out, 5);
    write_ms(out, time_ms);
    write_ms(out, sequence);
}

/// A reader of msgpack. Each method returns None at what it does not take.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Return a reader of bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0 }
    }

    /// Return where it stands.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Return whether all is read.
    pub fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Return the bytes from a place to where it stands.
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let found = self.bytes.get(self.at..self.at.checked_add(size)?)?;
        self.at += size;
        Some(found)
    }

    fn number(&mut self, size: usize) -> Option<u64> {
        Some(self.take(size)?.iter().fold(0, |sum, one| sum << 8 | u64::from(*one)))
    }

    /// Read an integer that is not negative.
    pub fn integer(&mut self) -> Option<u64> {
        match self.byte()? {
            byte @ 0..=0x7f => Some(u64::from(byte)),
            0xcc => self.number(1),
            0xcd => self.number(2),
            0xce => self.number(4),
            0xcf => self.number(8),
            _ => None,
        }
    }

    /// Read an integer.
    pub fn signed(&mut self) -> Option<i64> {
        let start = self.at;
        match self.byte()? {
            byte @ 0xe0..=0xff => Some(i64::from(i8::from_be_bytes([byte]))),
            0xd0 => Some(i64::from(i8::from_be_bytes(self.take(1)?.try_into().ok()?))),
            0xd1 => Some(i64::from(i16::from_be_bytes(self.take(2)?.try_into().ok()?))),
            0xd2 => Some(i64::from(i32::from_be_bytes(self.take(4)?.try_into().ok()?))),
            0xd3 => Some(i64::from_be_bytes(self.take(8)?.try_into().ok()?)),
            _ => {
                self.at = start;
                self.ms()
            }
        }
    }

    /// Read an instant or a duration.
    pub fn ms(&mut self) -> Option<i64> {
        i64::try_from(self.integer()?).ok()
    }

    /// Read a number.
    pub fn float(&mut self) -> Option<f64> {
        let start = self.at;
        if self.byte()? == 0xcb {
            return Some(f64::from_be_bytes(self.take(8)?.try_into().ok()?));
        }
        self.at = start;
        // Whole numbers of attributes are exact: they are below 2^53.
        #[allow(clippy::cast_precision_loss, reason = "at most 2^53")]
        self.signed().filter(|value| value.abs() <= 1 << 53).map(|value| value as f64)
    }

    /// Read a text.
    pub fn text(&mut self) -> Option<&'a [u8]> {
        let size = match self.byte()? {
            byte @ 0xa0..=0xbf => u64::from(byte & 31),
            0xd9 => self.number(1)?,
            0xda => self.number(2)?,
            0xdb => self.number(4)?,
            _ => return None,
        };
        self.take(size as usize)
    }

    /// Read the head of an array.
    pub fn array(&mut self) -> Option<usize> {
        match self.byte()? {
            byte @ 0x90..=0x9f => Some(usize::from(byte & 15)),
            0xdc => Some(self.number(2)? as usize),
            _ => None,
        }
    }

    /// Read the instant of the first of some facts.
    pub fn first_ms(&mut self) -> Option<i64> {
        self.array()?;
        self.ms()
    }

    /// Read the head of a map.
    pub fn map(&mut self) -> Option<usize> {
        match self.byte()? {
            byte @ 0x80..=0x8f => Some(usize::from(byte & 15)),
            0xde => Some(self.number(2)? as usize),
            _ => None,
        }
    }

    /// Read one byte that must be there.
    pub fn is(&mut self, byte: u8) -> Option<()> {
        (self.byte()? == byte).then_some(())
    }

    /// Pass over a value, however deep others are in it.
    pub fn pass_over(&mut self) -> Option<&'a [u8]> {
        let (start, mut left) = (self.at, 1);
        while left > 0 {
            left -= 1;
            let size = match self.byte()? {
                0..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => continue,
                byte @ 0xa0..=0xbf => usize::from(byte & 31),
                0xcc | 0xd0 => 1,
                0xcd | 0xd1 => 2,
                0xca | 0xce | 0xd2 => 4,
                0xcb | 0xcf | 0xd3 => 8,
                0xd9 => self.number(1)? as usize,
                0xda => self.number(2)? as usize,
                byte @ 0x80..=0x8f => {
                    left += 2 * usize::from(byte & 15);
                    continue;
                }
                byte @ 0x90..=0x9f => {
                    left += usize::from(byte & 15);
                    continue;
                }
                0xdc => {
                    left += self.number(2)? as usize;
                    continue;
                }
                0xde => {
                    left += 2 * self.number(2)? as usize;
                    continue;
                }
                _ => return None,
            };
            self.take(size)?;
        }
        Some(self.since(start))
    }

    /// Pass over a value without others in it, or over a map or array of such.
    pub fn value(&mut self, depth: usize) -> Option<&'a [u8]> {
        let start = self.at;
        let byte = self.byte()?;
        let (size, items) = match byte {
            0..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => (0, 0),
            0xa0..=0xbf => (usize::from(byte & 31), 0),
            0xcc | 0xd0 => (1, 0),
            0xcd | 0xd1 => (2, 0),
            0xca | 0xce | 0xd2 => (4, 0),
            0xcb | 0xcf | 0xd3 => (8, 0),
            0xd9 => (self.number(1)? as usize, 0),
            0xda => (self.number(2)? as usize, 0),
            0x80..=0x8f => (0, 2 * usize::from(byte & 15)),
            0x90..=0x9f => (0, usize::from(byte & 15)),
            0xdc => (0, self.number(2)? as usize),
            0xde => (0, 2 * self.number(2)? as usize),
            _ => return None,
        };
        self.take(size)?;
        if items > 0 && depth == 0 {
            return None;
        }
        for _ in 0..items {
            self.value(depth - 1)?;
        }
        Some(self.since(start))
    }
}

/// The row of a subject as it stands.
#[derive(Debug)]
pub struct Row<'a> {
    /// The stamp of the book under which its clocks were folded.
    pub stamp: u64,
    /// The number of its facts.
    pub count: usize,
    /// Its facts, one after the other.
    pub facts: &'a [u8],
    /// Instant, sequence and id of its newest fact.
    pub last: (i64, i64, &'a [u8]),
    /// The map of the newest value of each attribute.
    pub known: &'a [u8],
    /// Its clocks.
    pub clocks: Vec<Clock<'a>>,
    /// What it has in series beside its clocks, for good: changes at instants that have passed.
    pub shown: &'a [u8],
    /// The clocks that late facts undid.
    pub gone: &'a [u8],
}

/// How deep values may be nested: a clock in an array, its extra fields, a list of those.
const DEEP: usize = 5;
/// The fields of a change in a series.
const CHANGE: usize = 7;

impl<'a> Row<'a> {
    /// Read an encoded row.
    pub fn read(encoded: &'a [u8]) -> Option<Self> {
        if *encoded.get(HEAD - 1)? != VERSION {
            return None;
        }
        let mut reader = Reader::new(&encoded[HEAD..]);
        if reader.array()? != FIELDS {
            return None;
        }
        reader.integer()?;
        let stamp = reader.integer()?;
        let count = reader.array()?;
        let start = reader.at();
        let mut last: (i64, i64, &[u8]) = (0, 0, b"");
        let mut map: &[u8] = b"";
        for _ in 0..count {
            if reader.array()? != 5 {
                return None;
            }
            last = (reader.ms()?, reader.ms()?, reader.text()?);
            reader.text()?;
            map = reader.value(1)?;
        }
        let facts = reader.since(start);
        let attributes = reader.value(1)?;
        let known = if attributes == [0x80] { map } else { attributes };
        let size = reader.array()?;
        let mut clocks = Vec::with_capacity(size);
        for _ in 0..size {
            clocks.push(Clock::read(&mut reader)?);
        }
        let start = reader.at();
        for _ in 0..reader.array()? {
            if reader.array()? != CHANGE {
                return None;
            }
            reader.value(DEEP)?;
            reader.ms()?; // less than zero in the live pane, where a stop may change it
            for _ in 2..CHANGE {
                reader.value(DEEP)?;
            }
        }
        let shown = reader.since(start);
        reader.integer()?;
        let gone = reader.value(DEEP)?;
        (count > 0 && reader.is_done()).then_some(Row { stamp, count, facts, last, known, clocks, shown, gone })
    }

    /// Return whether a fact of this id is in the ledger.
    pub fn holds(facts: &[u8], id: &[u8]) -> bool {
        let mut reader = Reader::new(facts);
        while !reader.is_done() {
            let found = (|| {
                reader.array()?;
                reader.integer()?;
                reader.integer()?;
                let found = reader.text()?;
                reader.text()?;
                reader.value(1)?;
                Some(found)
            })();
            if found.is_none_or(|found| found == id) {
                return true;
            }
        }
        false
    }
}

impl<'a> Clock<'a> {
    /// Read a clock of a row.
    pub fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let start = reader.at();
        if reader.array()? != 19 {
            return None;
        }
        let series_at = reader.at();
        if reader.array()? != 3 {
            return None;
        }
        let rule_at = reader.at();
        reader.text()?;
        reader.text()?;
        let rule = reader.since(rule_at);
        for _ in 0..reader.array()? {
            reader.text()?;
        }
        let series = reader.since(series_at);
        let version = reader.integer()?;
        let is_first = reader.integer()? == 1;
        let (start_ms, budget_ms) = (reader.ms()?, reader.ms()?);
        let calendar = reader.text()?;
        let ordinal = reader.integer()?;
        let is_plain = reader.is(FALSE).is_some() && is_first;
        let fixed = reader.since(start);
        let state = match reader.text()? {
            b"running" => State::Running,
            b"paused" => State::Paused,
            _ => State::Ended,
        };
        let (since_ms, elapsed_ms, stop_ms) = (reader.ms()?, reader.ms()?, reader.ms()?);
        let (due_ms, next_ms) = (reader.ms()?, reader.ms()?);
        let is_told = (reader.integer()?, reader.integer()?) != (0, 0);
        let size = reader.array()?;
        let mut runs = Vec::with_capacity(size + 2);
        for _ in 0..size {
            runs.push(reader.ms()?);
        }
        let size = reader.array()?;
        let mut pauses = Vec::with_capacity(size);
        for _ in 0..size {
            pauses.push(reader.text()?);
        }
        let has_extra = reader.value(DEEP)? != [NIL];
        // An ended clock stays as it is; but one of a later cycle may count for others of its rule.
        let is_known = is_first && (state == State::Ended || (is_plain && !is_told && !has_extra));
        let whole = reader.since(start);
        is_known.then_some(Clock {
            series: series.into(),
            rule: rule.into(),
            version,
            start_ms,
            budget_ms,
            calendar: calendar.into(),
            state,
            since_ms,
            elapsed_ms,
            stop_ms,
            due_ms,
            next_ms,
            runs,
            pauses,
            is_quiet: !is_told && ordinal == 0,
            fixed: fixed.into(),
            whole,
        })
    }

    /// Write a clock as it stands now.
    pub fn write(&self, out: &mut Vec<u8>) {
        if !self.whole.is_empty() {
            out.extend_from_slice(self.whole);
            return;
        }
        out.extend_from_slice(&self.fixed);
        let state: &[u8] = match self.state {
            State::Running => b"running",
            State::Paused => b"paused",
            State::Ended => b"stopped",
        };
        write_text(out, state);
        for value in [self.since_ms, self.elapsed_ms, self.stop_ms, self.due_ms, self.next_ms, 0, 0] {
            write_ms(out, value);
        }
        write_array(out, self.runs.len());
        for one in &self.runs {
            write_ms(out, *one);
        }
        write_array(out, self.pauses.len());
        for one in &self.pauses {
            write_text(out, one);
        }
        out.push(NIL);
    }
}

/// The parts of a row that is written.
#[derive(Debug)]
pub struct Parts<'a> {
    /// When the subject needs work without an event (ms); 0: never.
    pub wake_ms: i64,
    /// The stamp of the book.
    pub stamp: u64,
    /// The number of its facts.
    pub count: usize,
    /// The facts that were there, one after the other.
    pub facts: &'a [u8],
    /// The facts that are new.
    pub new: Vec<&'a [u8]>,
    /// The map of the newest value of each attribute; an empty map if the newest fact brought all of them.
    pub attributes: &'a [u8],
    /// What it has in series beside its clocks.
    pub shown: &'a [u8],
    /// When nothing was open any more (ms); 0: something is.
    pub ended_ms: i64,
    /// The clocks that late facts undid.
    pub gone: &'a [u8],
}

impl Parts<'_> {
    /// Return the encoded row.
    pub fn encoded(&self, clocks: &[Clock]) -> Vec<u8> {
        let mut out = Vec::with_capacity(96 + self.facts.len() + 160 * (clocks.len() + self.new.len()));
        out.extend_from_slice(&self.wake_ms.to_be_bytes());
        out.push(VERSION);
        write_array(&mut out, FIELDS);
        write_ms(&mut out, self.wake_ms);
        write_integer(&mut out, self.stamp);
        write_array(&mut out, self.count);
        out.extend_from_slice(self.facts);
        for one in &self.new {
            out.extend_from_slice(one);
        }
        out.extend_from_slice(self.attributes);
        write_array(&mut out, clocks.len());
        for one in clocks {
            one.write(&mut out);
        }
        out.extend_from_slice(self.shown);
        write_ms(&mut out, self.ended_ms);
        out.extend_from_slice(self.gone);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_texts_are_read_as_they_were_written() {
        for value in [0, 1, 127, 128, 255, 256, 65_535, 65_536, u64::from(u32::MAX), 1 << 32, u64::MAX] {
            let mut out = vec![];
            write_integer(&mut out, value);
            assert_eq!(Reader::new(&out).integer(), Some(value));
        }
        for value in [-1, -32, -33, -128, -129, -32_768, -32_769, i64::from(i32::MIN), i64::MIN, 7, i64::MAX] {
            let mut out = vec![];
            write_signed(&mut out, value);
            assert_eq!(Reader::new(&out).signed(), Some(value));
        }
        for size in [0, 31, 32, 255, 256, 65_535, 65_536] {
            let (mut out, text) = (vec![], "x".repeat(size));
            write_text(&mut out, text.as_bytes());
            assert_eq!(Reader::new(&out).text(), Some(text.as_bytes()));
        }
    }

    #[test]
    fn hostile_bytes_are_no_row() {
        let mut bytes = vec![0, 0, 0, 0, 0, 0, 0, 1, VERSION, 0x98, 1, 2, 0x91];
        for _ in 0..300 {
            assert!(Row::read(&bytes).is_none());
            bytes.push(0xdc);
        }
        assert!(Row::read(&[]).is_none());
        assert!(Reader::new(&[0x91; 100]).value(DEEP).is_none());
    }

    #[test]
    fn an_id_is_found_among_facts() {
        let mut facts = vec![];
        for id in ["a", "b"] {
            write_time_order(&mut facts, 1, 0);
            write_text(&mut facts, id.as_bytes());
            write_text(&mut facts, b"opened");
            write_map(&mut facts, 0);
        }
        assert!(Row::holds(&facts, b"b"));
        assert!(!Row::holds(&facts, b"c"));
    }
}
