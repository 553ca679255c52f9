//! Business hours from the configuration to the incident.
use crate::harness::feed;
use tollwatch::{Config, ConfigProblem, Overrides};
use tollwatch_cdr::{EventTime, Format};
use tollwatch_detect::Engine;

fn config(text: &str, country: Option<&str>) -> Result<Config, Vec<ConfigProblem>> {
    let timezone = Some("Asia/Tokyo".to_owned());
    let overrides = Overrides { country: country.map(str::to_owned), timezone, ..Overrides::default() };
    Config::from_text(text, "test.toml", None, &overrides)
}

/// A call to Sierra Leone at noon of a day, as Asterisk writes it.
fn call_at_noon(day: &str) -> String {
    format!(
        "\"\",\"105\",\"010232221234567\",\"from-internal\",\"\"\"Doe\"\" <105>\",\"PJSIP/105-00000001\",\
         \"PJSIP/trunk-00000002\",\"Dial\",\"PJSIP/010232221234567@trunk,30\",\"{day} 12:00:00\",\"{day} 12:00:05\",\
         \"{day} 12:00:37\",37,32,\"ANSWERED\",\"DOCUMENTATION\",\"1.1\",\"\"\n"
    )
}

/// Whether a call at noon of a day is found by a rule for off hours.
fn is_found_off_hours(text: &str, country: Option<&str>, day: &str) -> bool {
    let mut engine = Engine::new(config(text, country).unwrap().settings);
    feed(
        &mut engine,
        "default",
        Format::parse("asterisk_cdr_csv").unwrap(),
        call_at_noon(day).as_bytes(),
        1 << 16,
        usize::MAX,
    );
    engine.finish();
    let rules = engine.settings().rules();
    engine.incidents().iter().any(|incident| rules[incident.rule].name == "off_hours_high_risk")
}

#[test]
fn a_call_at_noon_is_off_hours_on_a_japanese_holiday_and_at_the_turn_of_the_year() {
    // 22 September 2026 lies between two holidays; 29 December is a Tuesday.
    for day in ["2026-09-22", "2026-12-29"] {
        assert!(is_found_off_hours("", None, day), "{day}");
        assert!(!is_found_off_hours("", Some("DE"), day), "{day} in Germany");
        let worked = format!("business_hours.working_days = [\"{day}\"]");
        assert!(!is_found_off_hours(&worked, None, day), "{day} on which one works");
    }
    assert!(!is_found_off_hours("", None, "2026-09-24"), "an ordinary Thursday");
    assert!(!is_found_off_hours("business_hours.holidays = []", None, "2026-12-29"));
    assert!(!is_found_off_hours("business_hours.calendar = \"none\"", None, "2026-09-22"));
}

#[test]
fn spans_take_the_place_of_the_default_hours() {
    let text = "[[business_hours.spans]]\ndays = [\"thu\"]\nfrom = \"22:00\"\nto = \"02:00\"\n";
    let calendar = config(text, None).unwrap();
    let at_local_hour = |hour: i64| {
        // 24 September 2026, a Thursday, 00:00 in Tokyo.
        let midnight = EventTime::from_seconds(1_790_175_600);
        calendar.settings.calendar().is_off_hours(midnight.plus_seconds(hour * 3600))
    };
    assert_eq!([12, 22, 25, 26].map(at_local_hour), [true, false, false, true]);
}

#[test]
fn a_fault_of_the_hours_is_told_with_its_line() {
    let text = "[business_hours]\nfrom = \"07:00\"\nholidays = [\"12-32\"]\n\
                [[business_hours.spans]]\ndays = [\"sat\"]\nfrom = \"10:00\"\nto = \"10:00\"\n";
    let problems = config(text, None).unwrap_err();
    let told: Vec<(Option<usize>, &str)> =
        problems.iter().map(|problem| (problem.line, problem.problem.place.as_str())).collect();
    assert_eq!(
        told,
        [
            (Some(2), "business_hours.from"),
            (Some(7), "business_hours.spans[0].to"),
            (Some(3), "business_hours.holidays"),
        ]
    );
}
