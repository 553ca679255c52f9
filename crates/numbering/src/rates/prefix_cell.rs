//! The prefix cell of a deck: one prefix, a list of them, or ranges.

use unicode_normalization::UnicodeNormalization;

/// The most prefixes that one range may stand for.
const RANGE_MAX: u64 = 10_000;
/// The longest prefix: a whole E.164 number.
const DIGITS_MAX: usize = 15;
/// What a caller dials before a country code, longest first: Australia, North America, Japan, most others. No country
/// code begins with 0.
const EXIT_CODES: [&str; 4] = ["0011", "011", "010", "00"];

/// A cell with full-width forms made plain, and without spaces.
fn plain(cell: &str) -> String {
    cell.nfkc().filter(|letter| !letter.is_whitespace() || *letter == '\n').collect()
}

/// The digits of one prefix without what decks write around them: `+`, brackets, `.`, `-`, an apostrophe of a
/// spreadsheet, the `_…X.` of a dial plan pattern.
fn digits(part: &str) -> Option<String> {
    let inner = part.trim_start_matches(['\'', '_', '+']).trim_end_matches(['X', 'x', '*', '.', '!', '#']);
    let inner = inner.strip_suffix(".0").unwrap_or(inner);
    let digits: String = inner.chars().filter(|letter| !"()-‐–.".contains(*letter)).collect();
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// Both ends of a range: two runs of as many digits, the first the smaller. `1-876` is one prefix, not a range.
fn range(part: &str) -> Option<(String, String)> {
    let (first, last) = part.split_once(['-', '–'])?;
    let (first, last) = (digits(first)?, digits(last)?);
    (first.len() == last.len() && first.len() <= DIGITS_MAX && first < last).then_some((first, last))
}

/// One prefix from the country code on, without an exit code.
fn international(part: &str) -> Result<String, (String, &'static str)> {
    let digits = one(part)?;
    Ok(EXIT_CODES.iter().find_map(|code| digits.strip_prefix(code)).unwrap_or(&digits).to_owned())
}

/// Reads a cell into prefixes from the country code on; `country_code` is set before each where the deck has it in a
/// column of its own. An error says what is wrong, and a hint what to do.
pub(super) fn prefixes(cell: &str, country_code: &str) -> Result<Vec<String>, (String, &'static str)> {
    let head = if country_code.is_empty() { String::new() } else { international(&plain(country_code))? };
    let mut found = Vec::new();
    for part in plain(cell).split([',', ';', '/', '|', '、', '\n']).filter(|part| !part.is_empty()) {
        if let Some((first, last)) = range(part) {
            let width = first.len();
            let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else {
                return Err((format!("`{part}` is no range of prefixes"), "write ranges as 20-25"));
            };
            if last - first >= RANGE_MAX {
                return Err((
                    format!("the range {part} has more than {RANGE_MAX} prefixes"),
                    "write shorter prefixes",
                ));
            }
            found.extend((first..=last).map(|number| format!("{head}{number:0width$}")));
        } else if head.is_empty() {
            found.push(international(part)?);
        } else {
            // After a country code 0 is a digit like any other: Italy keeps it.
            found.push(format!("{head}{}", one(part)?));
        }
    }
    if found.is_empty() && !head.is_empty() {
        found.push(head);
    }
    for prefix in &found {
        if prefix.len() > DIGITS_MAX || prefix.starts_with('0') {
            return Err((
                format!("`{prefix}` is no prefix of a number"),
                "begin with the country code; at most 15 digits",
            ));
        }
    }
    Ok(found)
}

fn one(part: &str) -> Result<String, (String, &'static str)> {
    digits(part).ok_or_else(|| {
        let problem = format!("`{part}` is no prefix");
        if part.contains(['E', 'e']) && part.bytes().any(|byte| byte.is_ascii_digit()) {
            (
                problem,
                "a spreadsheet wrote it as a rounded number; format the column as text and export it again",
            )
        } else {
            (problem, "write the digits from the country code on")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cell: &str, country_code: &str) -> Vec<String> {
        prefixes(cell, country_code).unwrap()
    }

    #[test]
    fn what_decks_write_around_a_prefix_is_removed() {
        for cell in [
            "224",
            "+224",
            "00224",
            "011224",
            "010 224",
            "0011224",
            "'224",
            "(224)",
            "_224X.",
            "２２４",
            "224.0",
            " 2 24 ",
        ] {
            assert_eq!(read(cell, ""), ["224"], "{cell}");
        }
        assert_eq!(read("1-876", ""), ["1876"]);
        assert_eq!(read("+1 (876)", ""), ["1876"]);
    }

    #[test]
    fn a_cell_may_hold_a_list_and_ranges() {
        assert_eq!(read("224, 232;245", ""), ["224", "232", "245"]);
        assert_eq!(read("20-22,7", "44"), ["4420", "4421", "4422", "447"]);
        assert_eq!(read("08-10", "39"), ["3908", "3909", "3910"]);
        assert_eq!(read("010,0011", "39"), ["39010", "390011"]);
        assert_eq!(read("", "+224"), ["224"]);
        assert_eq!(read("", ""), Vec::<String>::new());
    }

    #[test]
    fn a_damaged_prefix_says_what_damaged_it() {
        let (problem, hint) = prefixes("8.82E+11", "").unwrap_err();
        assert!(
            problem.contains("8.82E+11") && hint.contains("format the column as text"),
            "{problem}, {hint}"
        );
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        for cell in ["Guinea", "0312345678", "2246221234567890", "1000000-9999999", "+", "224a5"] {
            assert!(prefixes(cell, "").is_err(), "{cell}");
        }
    }
}
