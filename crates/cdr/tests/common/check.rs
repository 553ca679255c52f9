//! What must hold for any bytes, in any format, however they are cut. Shared by the property tests and the
//! fuzz targets.
use tollwatch_cdr::{Decoder, Format, Place, Record, Rejected, Sink, Zone};

#[derive(Debug, PartialEq, Eq)]
enum Item {
    Record(String),
    PassedOver,
    Rejected(String, Vec<u8>),
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Items(Vec<(Place, Item)>);

impl Sink for Items {
    fn record(&mut self, place: Place, record: &Record<'_>) {
        if let Record::Cdr(cdr) = record {
            assert!(cdr.ended_at >= cdr.started_at, "{cdr:?}");
            assert!(
                cdr.answered_at.is_none_or(|at| (cdr.started_at..=cdr.ended_at).contains(&at)),
                "{cdr:?}"
            );
        }
        self.0.push((place, Item::Record(format!("{record:?}"))));
    }
    fn passed_over(&mut self, place: Place) {
        self.0.push((place, Item::PassedOver));
    }
    fn rejected(&mut self, rejected: &Rejected<'_>) {
        let why = format!("{:?} {}", rejected.field, rejected.reason);
        self.0.push((rejected.place, Item::Rejected(why, rejected.bytes.to_vec())));
    }
}

/// Decodes `input` whole, and cut into blocks of the lengths `cuts` (repeated; 0 counts as 1) with a snapshot
/// between any two of them. Panics unless both give the same, and every byte belongs to one thing.
pub(crate) fn any_bytes_are_accounted_for_however_they_are_cut(format: Format, input: &[u8], cuts: &[usize]) {
    let zone = Zone::parse("America/New_York").unwrap_or(Zone::UTC);
    let mut whole = Items::default();
    let mut decoder = Decoder::new(format, zone);
    assert_eq!(decoder.decode(input, true, &mut whole), input.len());
    assert_accounted(input, &whole.0);

    let mut in_blocks = Items::default();
    let mut decoder = Decoder::new(format, zone);
    let (mut buffer, mut rest) = (Vec::new(), input);
    let mut cuts = cuts.iter().copied().cycle();
    loop {
        let cut = cuts.next().unwrap_or(1).max(1).min(rest.len());
        let (block, behind) = rest.split_at(cut);
        rest = behind;
        buffer.extend_from_slice(block);
        let taken = decoder.decode(&buffer, rest.is_empty(), &mut in_blocks);
        buffer.drain(..taken);
        assert!(buffer.len() < Decoder::RECORD_MAX, "the decoder gets on with a block of this size");
        if rest.is_empty() {
            break;
        }
        let snapshot = serde_json::to_string(&decoder).unwrap_or_default();
        match serde_json::from_str(&snapshot) {
            Ok(restored) => decoder = restored,
            Err(error) => unreachable!("a snapshot that cannot be read: {error}: {snapshot}"),
        }
    }
    assert!(buffer.is_empty(), "everything is taken at the end of the input");
    assert_eq!(whole, in_blocks);
}

fn assert_accounted(input: &[u8], items: &[(Place, Item)]) {
    let length = |item: &Item| match item {
        Item::Rejected(_, bytes) => Some(bytes.len()),
        Item::Record(_) | Item::PassedOver => None,
    };
    let mut items: Vec<_> = items.iter().map(|(place, item)| (*place, length(item))).collect();
    // One row may yield several events.
    items.dedup_by_key(|(place, _)| place.byte);
    let mark = if input.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let first = input.get(mark..).unwrap_or_default();
    let first = first.get(..Decoder::RECORD_MAX).unwrap_or(first);
    let wide = input.starts_with(b"\xff\xfe") || input.starts_with(b"\xfe\xff");
    // Old spreadsheets end lines in carriage returns.
    let returns = !wide && !first.contains(&b'\n') && first.contains(&b'\r');
    let line_end = if returns { b'\r' } else { b'\n' };
    let mut at = mark;
    let mut line = 1;
    for (number, (place, length)) in items.iter().enumerate() {
        assert_eq!((place.byte, place.line), (at as u64, line), "thing {number}");
        let next = items.get(number + 1).map_or(input.len(), |(place, _)| place.byte as usize);
        let bytes = input.get(at..next).unwrap_or_default();
        assert!(
            length.is_none_or(|length| length == bytes.len()),
            "thing {number} is rejected with its bytes"
        );
        let lines = bytes.iter().filter(|&&byte| byte == line_end).count();
        let overlong = length == &Some(Decoder::RECORD_MAX);
        assert!(
            bytes.ends_with(&[line_end])
                || next == input.len()
                || overlong
                || (length.is_none() && bytes.iter().all(|&byte| byte == 0)),
            "thing {number} is whole lines"
        );
        line += lines as u64;
        at = next;
    }
    assert!(at == input.len(), "{at} of {} bytes belong to something", input.len());
}
