//! Where in a file a key stands.
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The line, from 1, of the key at a path such as `rules[2].thresholds[0].window`; of the nearest key above
/// it that is in the file, if it is not itself.
pub(super) fn line_of(text: &str, path: &str) -> Option<usize> {
    let (document, _) = DeTable::parse_recoverable(text);
    let mut at = None;
    let mut table = Some(document.get_ref());
    for part in path.split('.') {
        let (name, index) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
            Some((name, index)) => (name, index.parse::<usize>().ok()),
            None => (part, None),
        };
        let Some((key, value)) = table.and_then(|table| table.get_key_value(name)) else { break };
        at = Some(key.span().start);
        let mut here: Option<&DeValue<'_>> = Some(value.get_ref());
        if let (Some(index), Some(DeValue::Array(items))) = (index, here) {
            let Some(item) = items.get(index) else { break };
            at = Some(item.span().start);
            here = Some(Spanned::get_ref(item));
        }
        table = match here {
            Some(DeValue::Table(table)) => Some(table),
            _ => None,
        };
    }
    at.map(|offset| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count())
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn a_path_leads_to_its_line_or_to_the_nearest_key_above() {
        let text = "a = 1\n\n[site]\ntenant = \"x\"\n\n[[rules]]\nname = \"one\"\n[[rules]]\nname = \"two\"\nthresholds = [\n  { window = \"1m\" },\n  { window = \"2m\" },\n]\n";
        assert_eq!(line_of(text, "a"), Some(1));
        assert_eq!(line_of(text, "site.tenant"), Some(4));
        assert_eq!(line_of(text, "site.timezone"), Some(3));
        assert_eq!(line_of(text, "rules[1].name"), Some(9));
        assert_eq!(line_of(text, "rules[1].thresholds[1].window"), Some(12));
        assert_eq!(line_of(text, "nothing.here"), None);
    }
}
