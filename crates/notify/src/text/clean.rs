//! Words of a stranger, made fit to be shown. Names of extensions, trunks and call ids come from calls, and callers
//! choose them.

/// Stands where something was left out or cannot be shown.
const REPLACEMENT: char = '\u{fffd}';

/// A text of one line, of at most `most` characters, without anything that steers a terminal, a log or the direction
/// of writing. What is cut off is told by an ellipsis.
pub(crate) fn line(text: &str, most: usize) -> String {
    cut(text.chars().map(|c| if is_hidden(c) { REPLACEMENT } else { c }), most)
}

/// A text of several lines, cleaned in the same way; line feeds stay, and other ends of lines become one.
pub(crate) fn lines(text: &str, most: usize) -> String {
    let text = text.replace("\r\n", "\n");
    let shown = text.chars().map(|c| if c != '\n' && is_hidden(c) { REPLACEMENT } else { c });
    cut(shown, most)
}

fn cut(characters: impl Iterator<Item = char>, most: usize) -> String {
    let mut characters = characters.peekable();
    let mut text: String = characters.by_ref().take(most).collect();
    if characters.peek().is_some() {
        text.pop();
        text.push('…');
    }
    text
}

/// At most so many bytes of a text, cut between characters.
pub(crate) fn bytes(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// Control characters; ends of lines of Unicode; what turns the direction of writing (U+061C, U+200E …, the attack of
/// "Trojan Source"); what has no width, so that two names look like one; tags and private use.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..)
}

/// A called number with its last four digits masked; all of one that has no more.
pub(crate) fn masked(number: &str) -> String {
    let shown = number.chars().count().saturating_sub(4);
    number.chars().enumerate().map(|(index, c)| if index < shown { c } else { 'X' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_steers_a_terminal_a_header_or_the_direction_of_writing_is_replaced() {
        assert_eq!(line("a\r\nBcc: x\u{1b}[2J\u{202e}b", 64), "a\u{fffd}\u{fffd}Bcc: x\u{fffd}[2J\u{fffd}b");
        assert_eq!(lines("a\r\nb\rc\nd", 64), "a\nb\u{fffd}c\nd");
    }

    #[test]
    fn the_last_four_digits_of_a_number_are_masked() {
        assert_eq!(masked("22462123456"), "2246212XXXX");
        assert_eq!(masked("110"), "XXX");
    }

    proptest! {
        #[test]
        fn a_line_is_one_line_of_at_most_its_length(text in "\\PC*|[\\x00-\\xff\u{2028}\u{202e}a]*", most in 1_usize..40) {
            let line = line(&text, most);
            prop_assert!(line.chars().count() <= most);
            prop_assert!(!line.chars().any(is_hidden));
        }

        #[test]
        fn bytes_are_a_prefix_that_could_not_be_a_character_longer(text in "\\PC*", most in 0_usize..40) {
            let cut = bytes(&text, most);
            prop_assert!(text.starts_with(cut) && cut.len() <= most);
            let next = text[cut.len()..].chars().next().map_or(usize::MAX, char::len_utf8);
            prop_assert!(cut.len().saturating_add(next) > most);
        }
    }
}
