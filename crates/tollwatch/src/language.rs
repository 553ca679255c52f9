//! The language people read.

/// English or Japanese.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Japanese.
    Japanese,
}

impl Language {
    /// By its configured name; `auto` follows the locale.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "en" => Some(Self::English),
            "ja" => Some(Self::Japanese),
            "auto" => Some(Self::of_locale()),
            _ => None,
        }
    }

    /// What the locale asks for: the first of `LC_ALL`, `LC_MESSAGES`, `LANG` that is set.
    pub fn of_locale() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty());
        if locale.is_some_and(|locale| locale.starts_with("ja")) { Self::Japanese } else { Self::English }
    }

    /// What stands under a list that is not shown to its end.
    pub fn and_more(self, count: usize) -> String {
        match self {
            Self::English => format!("and {count} more"),
            Self::Japanese => format!("ほか {count} 件"),
        }
    }

    /// The text in this language.
    pub fn pick<'a>(self, english: &'a str, japanese: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Japanese => japanese,
        }
    }
}

/// What a variable of the environment holds; none where it is not set, or is no text.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
