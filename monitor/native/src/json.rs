//! A scanner of JSON that refuses whatever decoders may disagree about. It copies a text only to take out its escapes.

use std::borrow::Cow;

use crate::decode::is_control;

/// How deep values that are passed over may be nested.
const DEEPEST: usize = 32;
/// The most digits of an integer: all of them fit 64 bits.
const MOST_DIGITS: usize = 16;

/// A scanner over the bytes of one JSON object. Each method returns None at what it does not take.
#[derive(Debug)]
pub struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// Return a scanner at the beginning. The bytes must be UTF-8.
    pub fn new(bytes: &'a [u8]) -> Self {
        Scan { bytes, at: 0 }
    }

    /// Begin the object.
    pub fn open(&mut self) -> Option<()> {
        self.space();
        self.eat(b'{')
    }

    /// End the text after the object.
    pub fn close(&mut self) -> Option<()> {
        self.space();
        (self.at == self.bytes.len()).then_some(())
    }

    /// Return the name of the next field, and stand at its value; `Some(None)` at the end of the object.
    pub fn name(&mut self, is_first: bool) -> Option<Option<Cow<'a, [u8]>>> {
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(None);
        }
        if !is_first {
            self.eat(b',')?;
            self.space();
        }
        let name = self.text()?;
        self.space();
        self.eat(b':')?;
        self.space();
        Some(Some(name))
    }

    /// Return whether a text follows.
    pub fn is_text(&self) -> bool {
        self.bytes.get(self.at) == Some(&b'"')
    }

    /// Return a text without control characters.
    pub fn text(&mut self) -> Option<Cow<'a, [u8]>> {
        self.eat(b'"')?;
        let start = self.at;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(Cow::Borrowed(&self.bytes[start..self.at - 1]));
                }
                b'\\' => return self.escaped(start),
                0..=0x1f | 0x7f => return None,
                _ => self.at += 1,
            }
        }
    }

    fn escaped(&mut self, start: usize) -> Option<Cow<'a, [u8]>> {
        let mut found = self.bytes[start..self.at].to_vec();
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return Some(Cow::Owned(found)),
                b'\\' => {
                    let one = self.escape()?;
                    if is_control(one) {
                        return None;
                    }
                    found.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..=0x1f | 0x7f => return None,
                _ => found.push(byte),
            }
        }
    }

    /// Return the character of an escape, after its backslash. Pairs of surrogates are not taken.
    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let digits = self.bytes.get(self.at..self.at + 4)?;
                let mut number = 0;
                for digit in digits {
                    number = number * 16 + char::from(*digit).to_digit(16)?;
                }
                self.at += 4;
                char::from_u32(number)?
            }
            _ => return None,
        })
    }

    /// Return true or false.
    pub fn flag(&mut self) -> Option<bool> {
        if self.word(b"true").is_some() {
            return Some(true);
        }
        self.word(b"false").map(|()| false)
    }

    /// Return an integer that is not negative.
    pub fn integer(&mut self) -> Option<i64> {
        let start = self.at;
        self.digits()?;
        if matches!(self.bytes.get(self.at), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        Some(self.bytes[start..self.at].iter().fold(0, |sum, one| sum * 10 + i64::from(one - b'0')))
    }

    /// Return a number that is not negative: few digits without an exponent, of which all decoders make the same.
    pub fn number(&mut self) -> Option<f64> {
        let start = self.at;
        self.digits()?;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            let part = self.at;
            while self.peek()?.is_ascii_digit() {
                self.at += 1;
            }
            (self.at > part).then_some(())?;
        }
        let text = self.bytes.get(start..self.at).filter(|text| text.len() < MOST_DIGITS)?;
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            return None;
        }
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    /// Pass over a value of any kind.
    pub fn skip(&mut self) -> Option<()> {
        self.pass(DEEPEST)
    }

    fn pass(&mut self, depth: usize) -> Option<()> {
        if depth == 0 {
            return None;
        }
        match self.peek()? {
            b'"' => self.pass_text(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'[' => self.pass_items(depth, b']', false),
            b'{' => self.pass_items(depth, b'}', true),
            _ => self.pass_number(),
        }
    }

    fn pass_items(&mut self, depth: usize, end: u8, has_names: bool) -> Option<()> {
        self.at += 1;
        self.space();
        if self.peek()? == end {
            self.at += 1;
            return Some(());
        }
        loop {
            self.space();
            if has_names {
                self.pass_text()?;
                self.space();
                self.eat(b':')?;
                self.space();
            }
            self.pass(depth - 1)?;
            self.space();
            let byte = self.peek()?;
            self.at += 1;
            if byte == end {
                return Some(());
            }
            if byte != b',' {
                return None;
            }
        }
    }

    fn pass_text(&mut self) -> Option<()> {
        self.eat(b'"')?;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return Some(()),
                b'\\' => {
                    self.escape()?;
                }
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn pass_number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        self.digits()?;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            let start = self.at;
            while self.peek()?.is_ascii_digit() {
                self.at += 1;
            }
            if self.at == start || self.at - start > MOST_DIGITS {
                return None;
            }
        }
        // Numbers with an exponent are rare, and decoders differ in how large they may be.
        (!matches!(self.bytes.get(self.at), Some(b'e' | b'E'))).then_some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek()?.is_ascii_digit() {
            self.at += 1;
        }
        let count = self.at - start;
        (0 < count && count <= MOST_DIGITS && (count == 1 || self.bytes[start] != b'0')).then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return None;
        }
        self.at += word.len();
        Some(())
    }

    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_their_order() {
        let mut scan = Scan::new(br#" { "a" : 12 , "b":"x\u00fcy", "c": [ {"d": -1.5}, [], {} ], "e": true } "#);
        scan.open().unwrap();
        assert_eq!(&*scan.name(true).unwrap().unwrap(), b"a");
        assert_eq!(scan.integer(), Some(12));
        assert_eq!(&*scan.name(false).unwrap().unwrap(), b"b");
        assert_eq!(&*scan.text().unwrap(), "xüy".as_bytes());
        scan.name(false).unwrap().unwrap();
        scan.skip().unwrap();
        scan.name(false).unwrap().unwrap();
        assert_eq!(scan.flag(), Some(true));
        assert_eq!(scan.name(false), Some(None));
        scan.close().unwrap();
    }

    #[test]
    fn numbers_have_few_digits() {
        for (text, expected) in [("5", Some(5.0)), ("4.25 ", Some(4.25)), ("0", Some(0.0)), ("0.1", Some(0.1))] {
            assert_eq!(Scan::new(format!("{text},").as_bytes()).number(), expected, "{text}");
        }
        for wrong in ["-1", "1.", ".5", "01", "1e3", "1.5e3", "0.123456789012345", "true", "\"1\""] {
            assert_eq!(Scan::new(format!("{wrong},").as_bytes()).number(), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for wrong in [
            "[1,]",
            "[01]",
            "[1.]",
            "[.5]",
            "[+1]",
            "[--1]",
            "{\"a\"}",
            "{1:2}",
            "[1 2]",
            "[tru]",
            "[",
            "\"\\x\"",
            "\"\\u12\"",
            "[\"\n\"]",
            "NaN",
            "[1e5]",
            "[12345678901234567]",
        ] {
            assert_eq!(Scan::new(wrong.as_bytes()).skip(), None, "{wrong}");
        }
        let deep = "[".repeat(40) + &"]".repeat(40);
        assert_eq!(Scan::new(deep.as_bytes()).skip(), None);
    }
}
