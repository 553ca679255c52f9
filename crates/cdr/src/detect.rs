//! Which format a stream is in, from its first rows.
mod nearest;

use crate::descriptor::Shape;
use crate::{DateOrder, Decoder, Format, Place, Record, Rejected, Sink, Zone};

/// Bytes looked at; more are not needed.
const SAMPLE_MAX: usize = Decoder::RECORD_MAX;

/// What the first bytes of a stream say about its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detection {
    /// One format fits better than all others.
    Found {
        /// The format.
        format: Format,
        /// What was taken and why, in a sentence.
        english: String,
        /// The same in Japanese.
        japanese: String,
    },
    /// No format fits, or several fit equally well.
    Unclear {
        /// Those that fit equally well; empty if none does.
        candidates: Vec<Format>,
        /// What is wrong, in a sentence.
        english: String,
        /// The same in Japanese.
        japanese: String,
    },
}

/// Reads the rows in `first` (the start of a stream; 64 KiB are plenty) as every built-in format in turn, and
/// takes the one that fits most of them. A format of which more rows are bad than good does not fit.
pub fn detect(first: &[u8]) -> Detection {
    detect_among(first, Format::all(), None)
}

/// The same among `formats`, where the operator may have said which of day and month stands first.
pub fn detect_among(first: &[u8], formats: &[Format], order: Option<DateOrder>) -> Detection {
    let sample = first.get(..SAMPLE_MAX).unwrap_or(first);
    let scores: Vec<(Format, Score)> =
        formats.iter().map(|&format| (format, Score::of(format, sample, order))).collect();
    let best = scores.iter().map(|(_, score)| score.good).max().unwrap_or_default();
    let fitting = |(_, score): &&(Format, Score)| score.good == best && score.good > score.bad;
    let mut fit: Vec<&(Format, Score)> = scores.iter().filter(fitting).collect();
    if fit.iter().any(|(format, _)| !format.plan().gives_way) {
        fit.retain(|(format, _)| !format.plan().gives_way);
    }
    match fit.as_slice() {
        &[(format, score)] => {
            let (good, all) = (score.good, score.good + score.bad);
            Detection::Found {
                format: *format,
                english: format!("Read as {format}: {good} of the first {all} rows have its shape."),
                japanese: format!(
                    "先頭 {all} 行のうち {good} 行が {format} の形に合うため、この形式として読みます。"
                ),
            }
        }
        [] => {
            let all = names(formats.iter().copied());
            let [english, japanese] = nearest::in_words(sample, &scores);
            Detection::Unclear {
                candidates: Vec::new(),
                english: format!(
                    "The first rows have the shape of no known format: {english} Name the format, or give a descriptor of your own. Known: {all}."
                ),
                japanese: format!(
                    "先頭の行はどの既知の形式にも合いません。{japanese}形式を指定するか、独自の形式定義を用意してください。既知の形式: {all}"
                ),
            }
        }
        several => {
            let candidates: Vec<Format> = several.iter().map(|(format, _)| *format).collect();
            let all = names(candidates.iter().copied());
            let rows = best;
            Detection::Unclear {
                english: format!(
                    "The first rows have the shape of several formats ({all}: {rows} rows each); name the format."
                ),
                japanese: format!(
                    "先頭の行は複数の形式 ({all}、各 {rows} 行) に合います。形式を指定してください。"
                ),
                candidates,
            }
        }
    }
}

fn names(formats: impl Iterator<Item = Format>) -> String {
    formats.map(Format::name).collect::<Vec<_>>().join(", ")
}

/// How many rows are of a format.
#[derive(Debug, Default)]
struct Score {
    good: usize,
    bad: usize,
    /// Place of the last record: a row may yield several.
    last: Option<Place>,
    /// What is wrong with the first bad row.
    why: Option<Why>,
}

/// Why a row is bad.
#[derive(Debug)]
struct Why {
    field: Option<(usize, &'static str)>,
    reason: crate::RejectReason,
}

impl Score {
    fn of(format: Format, sample: &[u8], order: Option<DateOrder>) -> Self {
        // The sample may end in the middle of a row, which says nothing; a row that is all there is counts without
        // its line end.
        let end = sample.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
        let sample = end.and_then(|end| sample.get(..=end)).unwrap_or(sample);
        let mut score = Self::default();
        let decoder = Decoder::new(format, Zone::UTC);
        let mut decoder = match order {
            Some(order) => decoder.with_date_order(order),
            None => decoder,
        };
        decoder.decode(sample, true, &mut score);
        if format.plan().shape == Shape::Packets {
            // Anything may be passed over but what calls itself so.
            let is_head = |line: &&[u8]| line.starts_with(b"Event: ") || line.starts_with(b"Response: ");
            score.good = score.good.min(sample.split(|&byte| byte == b'\n').filter(is_head).count());
            return score;
        }
        // Blank lines are passed over in every format and speak for none.
        let blank = sample.split(|&byte| byte == b'\n').filter(|line| matches!(*line, b"" | b"\r")).count();
        let after_last = usize::from(sample.is_empty() || sample.ends_with(b"\n"));
        score.good = score.good.saturating_sub(blank.saturating_sub(after_last));
        score
    }
}

impl Sink for Score {
    fn record(&mut self, place: Place, _: &Record<'_>) {
        self.good += usize::from(self.last.replace(place) != Some(place));
    }
    fn passed_over(&mut self, _: Place) {
        self.good += 1;
    }
    fn rejected(&mut self, rejected: &Rejected<'_>) {
        self.bad += 1;
        let Rejected { field, reason, .. } = rejected;
        self.why.get_or_insert_with(|| Why { field: *field, reason: reason.clone() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = r#""","105","0355550100","from-internal","""A"" <105>","PJSIP/105-00000006","PJSIP/trunk-00000007","Dial","PJSIP/0355550100@trunk,12","2026-03-08 03:00:18",,"2026-03-08 03:00:22",3,0,"NO ANSWER","DOCUMENTATION""#;
    const CUSTOM: &str = r#""""A"" <105>","105","0355550100","from-internal","PJSIP/105-00000006","PJSIP/trunk-00000007","Dial","PJSIP/0355550100@trunk,12","2026-03-08 03:00:18","","2026-03-08 03:00:22","3","0","NO ANSWER","DOCUMENTATION","","1772906418.4","",2"#;
    const CEL: &str = r#""APP_START","1772906414.030799","A","105","105","","0355550100","0355550100","from-internal","PJSIP/105-00000006","Dial","PJSIP/0355550100@trunk","3","","1772906414.0","1772906414.0","","","","""#;
    const HEADER: &str = "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags";

    fn found(text: &str) -> Option<&'static str> {
        match detect(text.as_bytes()) {
            Detection::Found { format, .. } => Some(format.name()),
            Detection::Unclear { .. } => None,
        }
    }

    #[test]
    fn each_format_is_known_by_one_row() {
        for (row, format) in [
            (CSV, "asterisk_cdr_csv"),
            (CUSTOM, "asterisk_cdr_custom"),
            (CEL, "asterisk_cel_csv"),
            (HEADER, "asterisk_cdr_csv"),
        ] {
            for text in [format!("{row}\n"), row.to_owned(), format!("\n\nhalf a row\n{row}\r\n{row}\n{row}")]
            {
                assert_eq!(found(&text), Some(format), "{text}");
            }
        }
    }

    #[test]
    fn what_is_none_of_them_is_said_to_be_unclear() {
        for text in ["", "\n\n\n", "hello\n", "a,b,c\n\n\n\n", "{\"start\":1}\n"] {
            let Detection::Unclear { candidates, english, .. } = detect(text.as_bytes()) else {
                panic!("{text}")
            };
            assert!(candidates.is_empty() && english.contains("asterisk_cdr_custom"), "{text}");
        }
    }

    #[test]
    fn as_many_rows_of_one_format_as_of_another_are_a_tie_that_names_nobody_wrong() {
        let text = format!("{CSV}\n{CUSTOM}\n");
        assert_eq!(found(&text), None);
        let text = format!("{CSV}\n{CUSTOM}\n{CSV}\n");
        assert_eq!(found(&text), Some("asterisk_cdr_csv"));
    }

    #[test]
    fn what_is_nearly_a_known_export_is_told_what_it_lacks() {
        let text = "calldate,src,dst,disposition\n2026-03-08 03:00:18,105,0355550100,ANSWERED\n";
        let Detection::Unclear { english, japanese, .. } = detect(text.as_bytes()) else { panic!() };
        for word in
            ["4 columns", "calldate, src, dst, disposition", "freepbx_export lacks the column duration"]
        {
            assert!(english.contains(word), "{word}: {english}");
        }
        assert!(japanese.contains("freepbx_export") && japanese.contains("duration"), "{japanese}");
        let wide = format!("{CSV},1,2,3,4,5,6,7\n");
        let Detection::Unclear { english, .. } = detect(wide.as_bytes()) else { panic!() };
        assert!(
            english.contains("23 columns") && english.contains("asterisk_cdr_csv has 16 to 21"),
            "{english}"
        );
    }

    #[test]
    fn dates_that_tell_no_order_are_unclear_until_the_operator_says_which() {
        let text =
            "calldate,src,dst,duration,billsec,disposition\n2/3/26 9:05,1001,0355550100,9,4,ANSWERED\n";
        let Detection::Unclear { english, .. } = detect(text.as_bytes()) else { panic!() };
        assert!(english.contains("freepbx_export") && english.contains("--date-order"), "{english}");
        let found = detect_among(text.as_bytes(), Format::all(), Some(DateOrder::DayFirst));
        assert!(
            matches!(found, Detection::Found { format, .. } if format.name() == "freepbx_export"),
            "{found:?}"
        );
    }

    #[test]
    fn text_in_utf16_is_told_to_be_that() {
        let text: Vec<u8> = "\u{feff}a,b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let Detection::Unclear { english, .. } = detect(&text) else { panic!() };
        assert!(english.contains("UTF-16") && english.contains("iconv"), "{english}");
    }

    #[test]
    fn a_general_format_gives_way_to_one_that_fits_as_well() {
        assert_eq!(found(&format!("{HEADER}\n{CSV}\n")), Some("asterisk_cdr_csv"));
        let other = HEADER.replace(',', ";");
        assert_eq!(found(&format!("{other}\n")), Some("asterisk_header_csv"));
    }
}
