//! Which format a stream is in, from its first rows.
use crate::{Decoder, Format, Place, Record, Rejected, Sink, Zone};

/// Bytes looked at; more are not needed.
const SAMPLE_MAX: usize = 64 * 1024;

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

/// Reads the rows in `first` (the start of a stream; 64 KiB are plenty) as every format in turn, and takes the
/// one that fits most of them. A format of which more rows are bad than good does not fit.
pub fn detect(first: &[u8]) -> Detection {
    let sample = first.get(..SAMPLE_MAX).unwrap_or(first);
    let scores = Format::ALL.map(|format| (format, Score::of(format, sample)));
    let best = scores.iter().map(|(_, score)| score.good).max().unwrap_or_default();
    let fitting = |(_, score): &&(Format, Score)| score.good == best && score.good > score.bad;
    let candidates: Vec<Format> = scores.iter().filter(fitting).map(|&(format, _)| format).collect();
    match candidates.as_slice() {
        &[format] => {
            let score = Score::of(format, sample);
            let (good, all) = (score.good, score.good + score.bad);
            Detection::Found {
                format,
                english: format!("Read as {format}: {good} of the first {all} rows have its shape."),
                japanese: format!(
                    "先頭 {all} 行のうち {good} 行が {format} の形に合うため、この形式として読みます。"
                ),
            }
        }
        [] => {
            let all = names(&Format::ALL);
            Detection::Unclear {
                candidates,
                english: format!(
                    "The first rows have the shape of no known format ({all}); name the format."
                ),
                japanese: format!(
                    "先頭の行はどの既知の形式 ({all}) にも合いません。形式を指定してください。"
                ),
            }
        }
        several => {
            let all = names(several);
            Detection::Unclear {
                english: format!(
                    "The first rows have the shape of several formats ({all}); name the format."
                ),
                japanese: format!("先頭の行は複数の形式 ({all}) に合います。形式を指定してください。"),
                candidates,
            }
        }
    }
}

fn names(formats: &[Format]) -> String {
    formats.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

/// How many rows are of a format.
#[derive(Debug, Default)]
struct Score {
    good: usize,
    bad: usize,
    /// Place of the last record: a row may yield several.
    last: Option<Place>,
}

impl Score {
    fn of(format: Format, sample: &[u8]) -> Self {
        let whole = |end_of_input| {
            let mut score = Self::default();
            Decoder::new(format, Zone::UTC).decode(sample, end_of_input, &mut score);
            // Blank lines are passed over in every format and speak for none.
            let blank =
                sample.split(|&byte| byte == b'\n').filter(|line| matches!(*line, b"" | b"\r")).count();
            let after_last = usize::from(sample.is_empty() || sample.ends_with(b"\n"));
            score.good = score.good.saturating_sub(blank.saturating_sub(after_last));
            score
        };
        // The sample may end in the middle of a row; a row that is all there is counts without its line end.
        let score = whole(false);
        if score.good + score.bad > 0 { score } else { whole(true) }
    }
}

impl Sink for Score {
    fn record(&mut self, place: Place, _: &Record<'_>) {
        self.good += usize::from(self.last.replace(place) != Some(place));
    }
    fn passed_over(&mut self, _: Place) {
        self.good += 1;
    }
    fn rejected(&mut self, _: &Rejected<'_>) {
        self.bad += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = r#""","105","0355550100","from-internal","""A"" <105>","PJSIP/105-00000006","PJSIP/trunk-00000007","Dial","PJSIP/0355550100@trunk,12","2026-03-08 03:00:18",,"2026-03-08 03:00:22",3,0,"NO ANSWER","DOCUMENTATION""#;
    const CUSTOM: &str = r#""""A"" <105>","105","0355550100","from-internal","PJSIP/105-00000006","PJSIP/trunk-00000007","Dial","PJSIP/0355550100@trunk,12","2026-03-08 03:00:18","","2026-03-08 03:00:22","3","0","NO ANSWER","DOCUMENTATION","","1772906418.4","",2"#;
    const CEL: &str = r#""APP_START","1772906414.030799","A","105","105","","0355550100","0355550100","from-internal","PJSIP/105-00000006","Dial","PJSIP/0355550100@trunk","3","","1772906414.0","1772906414.0","","","","""#;
    const HEADER: &str = "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags";

    fn found(text: &str) -> Option<Format> {
        match detect(text.as_bytes()) {
            Detection::Found { format, .. } => Some(format),
            Detection::Unclear { .. } => None,
        }
    }

    #[test]
    fn each_format_is_known_by_one_row() {
        for (row, format) in [
            (CSV, Format::AsteriskCdrCsv),
            (CUSTOM, Format::AsteriskCdrCustom),
            (CEL, Format::AsteriskCelCsv),
            (HEADER, Format::AsteriskCdrCsv),
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
        assert_eq!(found(&text), Some(Format::AsteriskCdrCsv));
    }
}
