//! Numbers and prefixes.
use super::{Call, call, engine_of, of_rule, rows};
use tollwatch_numbering::{Certainty, DialPlan, Form, RawDialPlan};

/// The number a plan reads, and how sure it is of it.
fn number(country: &str, dialled: &str) -> (String, Certainty) {
    let plan = DialPlan::new(RawDialPlan { country: country.to_owned(), ..RawDialPlan::default() }).unwrap();
    let called = plan.normalise(dialled.as_bytes(), Form::Dialled);
    (called.number.map(|number| number.to_string()).unwrap_or_default(), called.certainty)
}

#[test]
fn an_exit_code_is_that_of_the_plan_and_one_of_another_plan_is_less_certain() {
    // D1
    let guinea = "+224622123456".to_owned();
    for (country, exit) in [("BD", "00"), ("US", "011"), ("JP", "010"), ("GB", "00")] {
        let own = number(country, &format!("{exit}224622123456"));
        assert_eq!(own, (guinea.clone(), Certainty::Certain), "{country}");
    }
    for country in ["US", "JP"] {
        let foreign = number(country, "00224622123456");
        assert_eq!(foreign.0, guinea, "{country}");
        assert!(foreign.1 < Certainty::Certain, "{country}");
    }
}

#[test]
fn a_country_code_is_put_in_front_at_most_once() {
    // D2
    for dialled in ["00447700900123", "+447700900123", "07700900123", "900447700900123"] {
        assert_eq!(number("GB", dialled).0, "+447700900123", "{dialled}");
    }
    assert_eq!(number("JP", "010447700900123").0, "+447700900123");
}

#[test]
fn an_outside_line_in_front_of_the_exit_code_may_stand_or_not() {
    // D4
    for dialled in ["901161255500002", "01161255500002"] {
        assert_eq!(number("US", dialled).0, "+61255500002", "{dialled}");
    }
}

#[test]
fn a_scanners_spellings_of_one_number_are_one_destination() {
    // D6
    let spellings = ["0034912345678", "+34912345678", "00034912345678", "01034912345678", "001034912345678"];
    let calls: Vec<Call<'_>> = (0_u32..)
        .zip(spellings)
        .map(|(i, dialled)| Call { dialled, seconds: 1, answered: false, ..call(i, i64::from(i / 3)) })
        .collect();
    let engine = engine_of(&rows(&calls));
    let night = of_rule(&engine, "off_hours");
    assert_eq!((night.len(), night[0].attempts, night[0].answered), (1, 5, 0));
    let countries: Vec<_> = night[0].destinations.iter().map(|d| (d.country.as_str(), d.calls)).collect();
    assert_eq!(countries, [("ES", 5)]);
}
