//! Plain JSON events, from bytes to [`Event`]: at most what the fast decoder of `monitor.wire.events` takes.
//!
//! Whatever is not plain is refused without a reason. Python decodes it and knows the reason.

use rustc_hash::FxHashMap;

use crate::json::Scan;
use crate::row::{write_ms, write_text, write_time_order};

/// A stretch of the bytes of a [`Piece`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

/// The longest value that is decoded here, in bytes. A longer one makes a row that is too long for the fast path.
const LONGEST: usize = 1 << 15;

/// What a field of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Id,
    Type,
    Time,
    Subject,
    Sequence,
    Text(u8),
    Flag(u8),
    Integer(u8),
    Number(u8),
    /// Not plain: an instant, the version of a cloud event, a number that the subject has no use for.
    Other,
}

/// Limits of the contract of events.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest id, in bytes.
    pub id: usize,
    /// The longest text of an attribute, in bytes.
    pub text: usize,
    /// The largest integer.
    pub integer: i64,
    /// The earliest instant (ms).
    pub earliest_ms: i64,
    /// The end of all instants (ms).
    pub latest_ms: i64,
}

/// The names of the attributes of a subject's events by their types.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Texts.
    pub texts: Vec<String>,
    /// Flags.
    pub flags: Vec<String>,
    /// Whole numbers; those below 0 are not plain.
    pub integers: Vec<String>,
    /// Numbers; those below 0 are not plain.
    pub numbers: Vec<String>,
    /// Attributes whose values are not plain.
    pub others: Vec<String>,
}

/// The contract of the events of one kind of subject: event types, attributes, limits.
#[derive(Debug)]
pub struct Contract {
    types: Vec<Box<str>>,
    attributes: Vec<Box<str>>,
    fields: FxHashMap<Box<[u8]>, Field>,
    limits: Limits,
}

impl Contract {
    /// Return a contract.
    ///
    /// There are at most 16 types and 64 attributes: sets of them are kept as bits.
    pub fn new(subject: &str, types: &[String], names: &Names, limits: Limits) -> Option<Self> {
        let Names { texts, flags, integers, numbers, others } = names;
        if types.len() > 16 || texts.len() + flags.len() + integers.len() + numbers.len() > 64 {
            return None;
        }
        let mut fields: FxHashMap<Box<[u8]>, Field> = FxHashMap::default();
        for name in others {
            fields.insert(name.as_bytes().into(), Field::Other);
        }
        let mut attributes: Vec<Box<str>> = vec![];
        let mut keep = |names: &[String], field: fn(u8) -> Field| {
            for name in names {
                fields.insert(name.as_bytes().into(), field(attributes.len() as u8));
                attributes.push(name.as_str().into());
            }
        };
        keep(texts, Field::Text);
        keep(flags, Field::Flag);
        keep(integers, Field::Integer);
        keep(numbers, Field::Number);
        for (name, field) in [
            ("id", Field::Id),
            ("type", Field::Type),
            ("time", Field::Time),
            (subject, Field::Subject),
            ("sequence", Field::Sequence),
        ] {
            fields.insert(name.as_bytes().into(), field);
        }
        let types = types.iter().map(|one| one.as_str().into()).collect();
        Some(Contract { types, attributes, fields, limits })
    }

    /// Return the name of an event type.
    pub fn name_of(&self, kind: u8) -> &str {
        &self.types[usize::from(kind)]
    }

    /// Return the number of an event type.
    pub fn kind_of(&self, name: &[u8]) -> Option<u8> {
        self.types.iter().position(|one| one.as_bytes() == name).map(|place| place as u8)
    }

    /// Return event types as bits.
    pub fn kinds(&self, names: &[String]) -> u16 {
        names.iter().filter_map(|name| self.kind_of(name.as_bytes())).fold(0, |bits, kind| bits | 1 << kind)
    }

    /// Return the number of an attribute that may be plain.
    pub fn attribute(&self, name: &str) -> Option<u8> {
        self.attributes.iter().position(|one| &**one == name).map(|place| place as u8)
    }
}

/// One attribute of an event: its name, and where it stands as msgpack.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// The number of its name.
    pub name: u8,
    /// Whether it is a text; else it is a flag or a number.
    pub is_text: bool,
    /// The name as msgpack.
    pub key: Span,
    /// The value as msgpack.
    pub value: Span,
    /// The text itself; empty for others.
    pub text: Span,
}

/// One event. Its texts stand in the [`Piece`].
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// When it happened (ms).
    pub time_ms: i64,
    /// Its place among the facts of one instant.
    pub sequence: i64,
    /// Its type, by number.
    pub kind: u8,
    /// Its id.
    pub id: Span,
    /// The id of its subject.
    pub subject: Span,
    /// Where the fact starts and ends as msgpack: the array of five.
    pub fact: Span,
    /// The map of its attributes as msgpack.
    pub map: Span,
    first: u32,
    end: u32,
}

/// Records of one piece of a batch: the events of those that are plain, and the keys of the others.
#[derive(Debug, Default)]
pub struct Piece {
    bytes: Vec<u8>,
    attributes: Vec<Attribute>,
    /// The events, each with the place of its record.
    pub events: Vec<(u32, Event)>,
    /// The keys of the records that Python decodes.
    pub others: Vec<Span>,
    body: Vec<u8>,
}

impl Piece {
    /// Return the bytes of a span.
    pub fn get(&self, span: Span) -> &[u8] {
        &self.bytes[span.start as usize..span.end as usize]
    }

    /// Return the attributes of an event, in their order.
    pub fn attributes(&self, event: &Event) -> &[Attribute] {
        &self.attributes[event.first as usize..event.end as usize]
    }

    /// Return the value of an event's attribute.
    pub fn attribute(&self, event: &Event, name: u8) -> Option<&Attribute> {
        self.attributes(event).iter().find(|one| one.name == name)
    }

    /// Take note that a record with this key is not plain, or is left to Python for another reason.
    pub fn leave(&mut self, key: &[u8]) {
        let key = self.keep(key);
        self.others.push(key);
    }

    fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        Span { start, end: self.bytes.len() as u32 }
    }

    /// Decode a record, at most up to an instant; return whether it was plain.
    pub fn read(&mut self, contract: &Contract, place: u32, key: &[u8], value: &[u8], latest_ms: i64) -> bool {
        let (bytes, attributes) = (self.bytes.len(), self.attributes.len());
        if let Some(event) = self.decode(contract, key, value) {
            if event.time_ms <= latest_ms {
                self.events.push((place, event));
                return true;
            }
        }
        self.bytes.truncate(bytes);
        self.attributes.truncate(attributes);
        self.leave(key);
        false
    }

    fn decode(&mut self, contract: &Contract, key: &[u8], value: &[u8]) -> Option<Event> {
        if value.len() > LONGEST || (!value.is_ascii() && !is_clean(value)) {
            return None;
        }
        let (mut id, mut subject, mut kind, mut time_ms) = (None, false, None, None);
        let mut sequence = None;
        let mut seen = 0u64;
        let first = self.attributes.len();
        let limits = &contract.limits;
        let mut scan = Scan::new(value);
        scan.open()?;
        let mut is_first = true;
        while let Some(name) = scan.name(is_first)? {
            is_first = false;
            let Some(&field) = contract.fields.get(&*name) else {
                scan.skip()?;
                continue;
            };
            match field {
                Field::Id if id.is_none() => {
                    let text = scan.text()?;
                    if text.is_empty() || text.len() > limits.id {
                        return None;
                    }
                    id = Some(self.keep(&text));
                }
                Field::Subject if !subject => {
                    let text = scan.text()?;
                    if text.is_empty() || text.len() > limits.id || *text != *key {
                        return None;
                    }
                    subject = true;
                }
                Field::Type if kind.is_none() => kind = Some(contract.kind_of(&scan.text()?)?),
                Field::Time if time_ms.is_none() => {
                    time_ms = Some(if scan.is_text() { instant(&scan.text()?)? } else { scan.integer()? });
                }
                Field::Sequence if sequence.is_none() => sequence = Some(scan.integer()?),
                Field::Text(number) | Field::Flag(number) | Field::Integer(number) | Field::Number(number)
                    if seen & (1 << number) == 0 =>
                {
                    seen |= 1 << number;
                    self.attribute_of(contract, &mut scan, number, field)?;
                }
                _ => return None,
            }
        }
        scan.close()?;
        let (time_ms, sequence) = (time_ms?, sequence.unwrap_or(0));
        if !(limits.earliest_ms..limits.latest_ms).contains(&time_ms) || !(0..=limits.integer).contains(&sequence) {
            return None;
        }
        let (id, kind) = (id?, kind?);
        if !subject {
            return None;
        }
        let subject = self.keep(key);
        Some(self.event(contract, Head { time_ms, sequence, kind, id, subject }, first))
    }

    fn attribute_of(&mut self, contract: &Contract, scan: &mut Scan, number: u8, field: Field) -> Option<()> {
        let start = self.bytes.len() as u32;
        write_text(&mut self.bytes, contract.attributes[usize::from(number)].as_bytes());
        let key = Span { start, end: self.bytes.len() as u32 };
        let mut size = 0;
        match field {
            Field::Text(_) => {
                let found = scan.text()?;
                if found.len() > contract.limits.text {
                    return None;
                }
                write_text(&mut self.bytes, &found);
                size = found.len() as u32;
            }
            Field::Integer(_) => {
                let found = scan.integer().filter(|found| *found <= contract.limits.integer)?;
                write_ms(&mut self.bytes, found);
            }
            Field::Number(_) => {
                self.bytes.push(0xcb);
                self.bytes.extend_from_slice(&scan.number()?.to_be_bytes());
            }
            _ => self.bytes.push(if scan.flag()? { 0xc3 } else { 0xc2 }),
        }
        let end = self.bytes.len() as u32;
        let is_text = matches!(field, Field::Text(_));
        let (value, text) = (Span { start: key.end, end }, Span { start: end - size, end });
        self.attributes.push(Attribute { name: number, is_text, key, value, text });
        Some(())
    }

    /// Return the event of these fields, with the attributes that were read since the first one.
    fn event(&mut self, contract: &Contract, head: Head, first: usize) -> Event {
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        write_time_order(&mut body, head.time_ms, head.sequence);
        write_text(&mut body, self.get(head.id));
        write_text(&mut body, contract.name_of(head.kind).as_bytes());
        let map = body.len() as u32;
        crate::row::write_map(&mut body, self.attributes.len() - first);
        for one in &self.attributes[first..] {
            body.extend_from_slice(self.get(one.key));
            body.extend_from_slice(self.get(one.value));
        }
        let fact = self.keep(&body);
        self.body = body;
        Event {
            time_ms: head.time_ms,
            sequence: head.sequence,
            kind: head.kind,
            id: head.id,
            subject: head.subject,
            fact,
            map: Span { start: fact.start + map, end: fact.end },
            first: first as u32,
            end: self.attributes.len() as u32,
        }
    }
}

struct Head {
    time_ms: i64,
    sequence: i64,
    kind: u8,
    id: Span,
    subject: Span,
}

/// Return whether bytes are UTF-8 without a character that controls, separates lines or turns the direction.
fn is_clean(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| !text.chars().any(|one| one > '\u{7f}' && is_control(one)))
}

/// Return whether a character may stand in no id: `CONTROL` of `monitor.wire.contract`.
pub fn is_control(one: char) -> bool {
    matches!(one, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Return the epoch milliseconds of RFC 3339 text in UTC, `2026-11-23T13:05:01.123Z`; parts of a millisecond are cut.
fn instant(text: &[u8]) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        text.get(from..to)?
            .iter()
            .try_fold(0i64, |sum, one| one.is_ascii_digit().then(|| sum * 10 + i64::from(one - b'0')))
    };
    let (last, rest) = text.split_last()?;
    if *last != b'Z' || rest.len() < 19 || rest.len() == 20 || rest.len() > 26 {
        return None;
    }
    for (place, sign) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        if rest[place] != sign {
            return None;
        }
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let most = *days.get(usize::try_from(month - 1).ok()?)?;
    if year < 1970 || !(1..=most).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut part_ms = 0;
    if rest.len() > 19 {
        if rest[19] != b'.' {
            return None;
        }
        number(20, rest.len())?;
        for place in 20..23 {
            part_ms = part_ms * 10 + rest.get(place).map_or(0, |one| i64::from(one - b'0'));
        }
    }
    let before = (year - 1970) * 365 + (year - 1969) / 4 - (year - 1901) / 100 + (year - 1601) / 400;
    let of_year: i64 = days[..(month - 1) as usize].iter().sum::<i64>() + day - 1;
    Some((((before + of_year) * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + part_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract() -> Contract {
        let names = |all: &[&str]| all.iter().map(|one| (*one).to_string()).collect::<Vec<_>>();
        let limits =
            Limits { id: 512, text: 1024, integer: 1 << 53, earliest_ms: 10_000_000_000, latest_ms: 4_102_444_800_000 };
        let of = Names {
            texts: names(&["priority", "team"]),
            flags: names(&["public"]),
            integers: names(&["talk_ms"]),
            numbers: names(&["score"]),
            others: names(&["weight"]),
        };
        Contract::new("ticket", &names(&["opened", "responded"]), &of, limits).unwrap()
    }

    fn read(value: &str) -> Option<(Piece, Event)> {
        let mut piece = Piece::default();
        piece.read(&contract(), 0, b"T-1", value.as_bytes(), i64::MAX).then_some(())?;
        let event = piece.events[0].1;
        Some((piece, event))
    }

    #[test]
    fn a_plain_event_is_read() {
        let text = r#"{"id": "e", "type":"opened","time":1700000000000, "ticket":"T-1","priority":"P1","public":false,
            "text": ["x", {"y": 1.5}], "more": "a \"b\""}"#;
        let (piece, event) = read(text).unwrap();
        assert_eq!((event.time_ms, event.sequence, event.kind), (1_700_000_000_000, 0, 0));
        assert_eq!(piece.get(event.id), b"e");
        assert_eq!(piece.get(event.map), b"\x82\xa8priority\xa2P1\xa6public\xc2");
    }

    #[test]
    fn numbers_are_kept_as_python_keeps_them() {
        let text = r#"{"id":"e","type":"opened","time":1700000000000,"ticket":"T-1","talk_ms":300,"score":4}"#;
        let (piece, event) = read(text).unwrap();
        assert_eq!(piece.get(event.map), b"\x82\xa7talk_ms\xcd\x01\x2c\xa5score\xcb\x40\x10\0\0\0\0\0\0");
    }

    #[test]
    fn what_is_not_plain_is_left() {
        for more in [
            r#","weight":1"#,
            r#","priority":1"#,
            r#","priority":null"#,
            r#","talk_ms":-1"#,
            r#","talk_ms":1.0"#,
            r#","talk_ms":true"#,
            r#","score":-1.5"#,
            r#","score":1e2"#,
            r#","id":"f""#,
            r#","team":"a\nb""#,
            r#","x":01"#,
            r#","x":1e999"#,
            ",",
            r#","x":tru"#,
            r#","team":"\ud800""#,
            ",\"team\":\"\u{85}\"",
        ] {
            let text = format!(r#"{{"id":"e","type":"opened","time":1700000000000,"ticket":"T-1"{more}}}"#);
            assert!(read(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn texts_are_instants() {
        assert_eq!(instant(b"2023-11-14T22:13:20Z"), Some(1_700_000_000_000));
        assert_eq!(instant(b"2023-11-14T22:13:20.1239Z"), Some(1_700_000_000_123));
        assert_eq!(instant(b"2000-03-01T00:00:00.5Z"), Some(951_868_800_500));
        assert_eq!(instant(b"2096-02-29T00:00:00Z"), Some(3_981_312_000_000));
        for wrong in ["2023-02-29T00:00:00Z", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:60Z", "2023-11-14T22:13:20"] {
            assert_eq!(instant(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
