//! From the bytes of a deck to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, SHIFT_JIS, UTF_8};

/// Decodes by the byte order mark if there is one, as UTF-8 if it is that, and else as Shift_JIS (code page 932), which
/// Excel writes in Japan. Bytes that are neither become U+FFFD; digits are the same in all of these.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let body = bytes.get(mark..).unwrap_or_default();
        return encoding.decode_without_bom_handling(body).0;
    }
    match UTF_8.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => text,
        None => SHIFT_JIS.decode_without_bom_handling(bytes).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encodings_that_spreadsheets_write_are_told_apart() {
        let text = "国番号,料金\n224,ギニア\n";
        let shift_jis = SHIFT_JIS.encode(text).0;
        let utf_16: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let marked = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
        for bytes in [text.as_bytes(), &shift_jis, &utf_16, &marked] {
            assert_eq!(decode(bytes), text);
        }
    }

    #[test]
    fn bytes_of_no_encoding_keep_their_digits() {
        assert!(decode(b"prefix,rate\n224,\xff\xfe175\n").contains("175"));
    }
}
