//! Names that follow from what they are of: the same parts give the same name whatever made it, other parts another.
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// A name: the word in front, and so many bytes of a hash over the parts, in hexadecimal.
pub fn stable_name(word: &str, bytes: usize, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // With its length before it, a part cannot take from its neighbour.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(bytes).fold(format!("{word}-"), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_what_it_was_and_differs_where_any_part_does() {
        // What is stored and sent under a name must be found under it by every later version.
        assert_eq!(stable_name("inc", 10, &["osaka", "burst"]), "inc-a1886357f813fc754bcc");
        let names: std::collections::BTreeSet<String> =
            [&["ab", "c"][..], &["a", "bc"], &["abc"], &["ab", "c", ""], &["c", "ab"]]
                .iter()
                .map(|parts| stable_name("inc", 10, parts))
                .collect();
        assert_eq!(names.len(), 5);
        assert!(names.iter().all(|name| name.len() == 4 + 20), "{names:?}");
    }
}
