//! One flat JSON object: its keys and values as bytes, in any encoding, also where its end was cut off.

/// A value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// What stands between quotes, escapes and all.
    Text(&'a [u8]),
    /// A number, `true` or `false`.
    Bare(&'a [u8]),
    /// `null`, or an object or array, which are passed over.
    None,
}

/// Calls `each` with every key and value of the object in `text`. Whether it is an object to its end; what
/// stands before the first fault has been handed out all the same.
pub(crate) fn object<'a>(text: &'a [u8], mut each: impl FnMut(&'a [u8], Value<'a>)) -> bool {
    let mut rest = Rest(text.trim_ascii());
    if !rest.take(b'{') {
        return false;
    }
    if rest.take(b'}') {
        return rest.0.is_empty();
    }
    loop {
        let Some(Value::Text(key)) = rest.value() else { return false };
        if !rest.take(b':') {
            return false;
        }
        let Some(value) = rest.value() else { return false };
        each(key, value);
        if rest.take(b'}') {
            return rest.0.is_empty();
        }
        if !rest.take(b',') {
            return false;
        }
    }
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, byte: u8) -> bool {
        let rest = self.0.trim_ascii_start();
        let behind = rest.strip_prefix(&[byte]);
        self.0 = behind.unwrap_or(rest);
        behind.is_some()
    }

    /// The next value; none if there is no whole one.
    fn value(&mut self) -> Option<Value<'a>> {
        let rest = self.0.trim_ascii_start();
        match rest.first()? {
            b'"' => {
                let inner = rest.get(1..)?;
                let end = end_of_text(inner)?;
                self.0 = inner.get(end + 1..)?;
                Some(Value::Text(inner.get(..end)?))
            }
            b'{' | b'[' => {
                self.0 = rest.get(end_of_nested(rest)?..)?;
                Some(Value::None)
            }
            _ => {
                let end = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t'))?;
                let (bare, behind) = rest.split_at_checked(end)?;
                self.0 = behind;
                match bare {
                    b"null" => Some(Value::None),
                    [b'-' | b'0'..=b'9', ..] | b"true" | b"false" => Some(Value::Bare(bare)),
                    _ => None,
                }
            }
        }
    }
}

fn end_of_text(inner: &[u8]) -> Option<usize> {
    let mut escapes = false;
    for (at, &byte) in inner.iter().enumerate() {
        if byte == b'"' && !escapes {
            return Some(at);
        }
        escapes = byte == b'\\' && !escapes;
    }
    None
}

fn end_of_nested(text: &[u8]) -> Option<usize> {
    let (mut depth, mut quoted, mut escapes) = (0usize, false, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'"' if !escapes => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        escapes = quoted && byte == b'\\' && !escapes;
    }
    None
}

/// Copies a text without its escapes. An escape that is none stays as it stands.
pub(crate) fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some((&mark, behind)) = rest.split_first() else { return out.push(b'\\') };
        rest = behind;
        match mark {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'u' => match unicode(behind) {
                Some((letter, taken)) => {
                    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                    rest = behind.get(taken..).unwrap_or_default();
                }
                None => out.extend_from_slice(b"\\u"),
            },
            other => out.push(other),
        }
    }
    out.extend_from_slice(rest);
}

/// The letter behind `\u`, of one or two units, and the bytes it takes.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4)?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = unit(0)?;
    if let Some(letter) = char::from_u32(first) {
        return Some((letter, 4));
    }
    let second = text.get(4..6).filter(|mark| *mark == b"\\u").and_then(|_| unit(6));
    match (first, second) {
        (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => {
            Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00))?, 10))
        }
        _ => Some((char::REPLACEMENT_CHARACTER, 4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn texts(text: &[u8]) -> (BTreeMap<Vec<u8>, Vec<u8>>, bool) {
        let mut found = BTreeMap::new();
        let whole = object(text, |key, value| {
            let mut plain = Vec::new();
            match value {
                Value::Text(text) => unescape(text, &mut plain),
                Value::Bare(text) => plain.extend_from_slice(text),
                Value::None => {}
            }
            found.insert(key.to_vec(), plain);
        });
        (found, whole)
    }

    proptest! {
        #[test]
        fn an_object_of_texts_is_read_as_serde_json_wrote_it(
            object in proptest::collection::btree_map("[a-z]{1,6}", any::<String>(), 0..6),
            blank in "[ \t]{0,2}",
        ) {
            let text = serde_json::to_string(&object).unwrap();
            let (found, whole) = texts(format!("{blank}{text}{blank}").as_bytes());
            prop_assert!(whole);
            let expected: BTreeMap<Vec<u8>, Vec<u8>> =
                object.into_iter().map(|(key, value)| (key.into_bytes(), value.into_bytes())).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(text in proptest::collection::vec(any::<u8>(), 0..80)) {
            texts(&[b"{\"a\":".as_slice(), &text, b"}"].concat());
            texts(&text);
        }
    }

    #[test]
    fn nested_values_are_passed_over_and_a_cut_object_gives_what_it_has() {
        let (found, whole) =
            texts(br#"{"a":1.5,"b":{"c":["}",2]},"d":null,"e":"\ud83d\ude00 \"x\"","f":true}"#);
        assert!(whole);
        assert_eq!(found[&b"a"[..]], b"1.5");
        assert_eq!((found[&b"b"[..]].len(), found[&b"d"[..]].len()), (0, 0));
        assert_eq!(found[&b"e"[..]], "\u{1f600} \"x\"".as_bytes());
        let (found, whole) = texts(br#"{"a":"1","b":"cut"#);
        assert_eq!((found.len(), whole), (1, false));
        for bad in ["", "[]", "{\"a\"}", "{\"a\":x}", "{} x", "{\"a\":1,}"] {
            assert!(!texts(bad.as_bytes()).1, "{bad}");
        }
    }
}
