//! What holds for every dial string.
#![allow(clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use tollwatch_numbering::{CalledClass, Certainty, DialPlan, E164, Form, RawDialPlan};

fn plan(country: &str) -> DialPlan {
    DialPlan::new(RawDialPlan { country: country.to_owned(), ..RawDialPlan::default() })
        .expect("a valid plan")
}

/// An international number that is none of Japan's.
fn foreign_number() -> impl Strategy<Value = String> {
    let codes =
        ["1", "7", "20", "224", "252", "33", "371", "44", "49", "675", "86", "882", "90", "960", "979"];
    (prop::sample::select(codes.to_vec()), "[0-9]{6,12}")
        .prop_map(|(code, rest)| {
            let mut number = format!("{code}{rest}");
            number.truncate(15);
            number
        })
        // No North American area code begins with 0 or 1. Were there one, 0-010-1010… could be 001-010-10… as well.
        .prop_filter("not a North American number", |number| {
            !number.starts_with("10") && !number.starts_with("11")
        })
}

fn japanese_number() -> impl Strategy<Value = String> {
    prop_oneof!["0[1-9][1-9][0-9]{7}", "0[5-9]0[1-9][0-9]{7}", "0120[0-9]{6}", "0570[0-9]{6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic_and_a_number_is_always_sound(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        country in prop::sample::select(vec!["JP", "US", "GB", "IT", "RU", "WS", "HU", "BR"]),
    ) {
        let plan = plan(country);
        for form in [Form::Dialled, Form::Sent] {
            let called = plan.normalise(&bytes, form);
            let _ = called.reading.to_string();
            if let Some(number) = called.number {
                prop_assert_eq!(E164::from_digits(number.value().to_string().as_bytes()), Some(number));
            }
        }
        let _ = plan.is_extension_peer(&bytes);
    }

    #[test]
    fn nothing_that_can_be_typed_makes_it_panic(text in "[-0-9+*#a-zA-Z%&;:=,.@<>()' pw/０-９ー\u{feff}]{0,60}") {
        for country in ["JP", "US", "DE"] {
            let _ = plan(country).normalise(text.as_bytes(), Form::Dialled).reading.to_string();
        }
    }

    #[test]
    fn an_international_number_is_the_same_behind_every_head_of_the_plan(
        number in foreign_number(),
        outside in prop::sample::select(vec!["", "0"]),
        call_prefix in prop::sample::select(vec!["", "184", "186", "122", "184122"]),
        carrier in prop::sample::select(vec!["", "001", "0033", "0041", "0061", "005345", "009130"]),
    ) {
        let dialled = format!("{outside}{call_prefix}{carrier}010{number}");
        let called = plan("JP").normalise(dialled.as_bytes(), Form::Dialled);
        prop_assert_eq!(called.class, CalledClass::International, "{}", called.reading);
        prop_assert_eq!(called.number.map(|number| number.to_string()), Some(format!("+{number}")));
        prop_assert_eq!(called.certainty, Certainty::Certain);
        let again = plan("JP").normalise(format!("+{number}").as_bytes(), Form::Sent);
        prop_assert_eq!(again.number, called.number);
    }

    #[test]
    fn a_japanese_number_is_the_same_behind_every_head_of_the_plan(
        number in japanese_number(),
        outside in prop::sample::select(vec!["", "0"]),
        call_prefix in prop::sample::select(vec!["", "184", "186"]),
    ) {
        let dialled = format!("{outside}{call_prefix}{number}");
        let called = plan("JP").normalise(dialled.as_bytes(), Form::Dialled);
        prop_assert_eq!(called.class, CalledClass::National, "{}", called.reading);
        prop_assert_eq!(called.number.map(|number| number.to_string()), Some(format!("+81{}", &number[1..])));
    }

    /// The one mistake that must not happen: an exit code, a foreign number, and a reading that costs nothing.
    #[test]
    fn a_foreign_number_behind_a_foreign_exit_code_is_never_taken_for_a_domestic_one(
        rest in "[1-9][0-9]{8,9}",
        code in prop::sample::select(vec!["224", "252", "238", "44", "675", "960", "53"]),
        exit in prop::sample::select(vec!["00", "011", "0011", "900", "9011", "9010"]),
    ) {
        let dialled = format!("{exit}{code}{rest}");
        let called = plan("JP").normalise(dialled.as_bytes(), Form::Dialled);
        prop_assert_eq!(called.class, CalledClass::International, "{}: {}", dialled, called.reading);
    }

    #[test]
    fn separators_do_not_change_a_number(number in japanese_number(), places in prop::collection::vec(1_usize..9, 0..4)) {
        let mut written = number.clone();
        for place in places {
            written.insert(place, '-');
        }
        let plan = plan("JP");
        prop_assert_eq!(
            plan.normalise(written.as_bytes(), Form::Dialled),
            plan.normalise(number.as_bytes(), Form::Dialled)
        );
    }
}
