//! What looks like preparation arms the extension: stricter rules hold for a day.
use super::{
    AT_HOME, Call, DAY, FRANCE, GUINEA, HOUR, MINUTE, SINGAPORE, TUESDAY, about, call, of_rule, quiet_week,
};
use super::{rows, scan};
use tollwatch_detect::{Engine, Severity};

const ARMED: &str = "high_risk_while_armed";

/// What is found of a week and these calls after it.
fn after_a_week(calls: &[Call<'_>]) -> Engine {
    // Somebody calls at home last, so that time has passed for all of them.
    let end = Call { dialled: AT_HOME, ..call(TUESDAY + 2 * DAY) };
    scan("", &[&rows(&[&quiet_week()[..], calls, &[end]].concat())])
}

/// Two calls to Guinea in business hours, too far apart for the rules on bursts.
fn two_calls(first: i64) -> [Call<'static>; 2] {
    [call(first), call(first + 2 * HOUR)]
}

#[test]
fn a_test_call_arms_its_extension_and_no_other_for_a_day() {
    let test = Call { seconds: 8, ..call(TUESDAY) };
    let found = after_a_week(&[&[test][..], &two_calls(TUESDAY + 3 * HOUR)].concat());
    let armed = of_rule(&found, ARMED);
    assert_eq!(about(&found, ARMED), ["105"]);
    assert_eq!(
        (armed[0].severity, armed[0].attempts),
        (Severity::Warning, 2),
        "the test call is not one of them"
    );
    assert_eq!(about(&found, "high_risk_burst"), [""; 0], "nothing else would have told of it");
    assert_eq!(about(&found, "test_call"), [""; 0], "to arm is no alarm");
    // Four within the day are critical.
    let four = [two_calls(TUESDAY + 3 * HOUR), two_calls(TUESDAY + 7 * HOUR)].concat();
    let found = after_a_week(&[&[test][..], &four].concat());
    assert_eq!(of_rule(&found, ARMED)[0].severity, Severity::Critical);
    // A call that was talked on is no test; nor does one extension arm another, nor for longer than a day.
    let talked = Call { seconds: 45, ..test };
    let other = Call { extension: "106", ..test };
    let yesterday = two_calls(TUESDAY + DAY + MINUTE);
    assert_eq!(
        about(&after_a_week(&[&[talked][..], &two_calls(TUESDAY + 3 * HOUR)].concat()), ARMED),
        [""; 0]
    );
    assert_eq!(
        about(&after_a_week(&[&[other][..], &two_calls(TUESDAY + 3 * HOUR)].concat()), ARMED),
        [""; 0]
    );
    assert_eq!(about(&after_a_week(&[&[test][..], &yesterday].concat()), ARMED), [""; 0]);
}

#[test]
fn a_scan_of_countries_arms_the_extension() {
    let scanned = |countries: &[&'static str]| {
        let tries = (0..).zip(countries);
        let tries = tries.map(|(i, dialled)| Call { dialled, seconds: 0, ..call(TUESDAY + i * 5 * MINUTE) });
        tries.chain(two_calls(TUESDAY + 3 * HOUR)).collect::<Vec<_>>()
    };
    let found = after_a_week(&scanned(&[FRANCE, SINGAPORE, "0106491234567"]));
    assert_eq!(about(&found, ARMED), ["105"]);
    assert_eq!(about(&found, "prefix_scan"), [""; 0], "three arm, and are no alarm");
    assert_eq!(about(&after_a_week(&scanned(&[FRANCE, SINGAPORE])), ARMED), [""; 0], "two are not enough");
    assert_eq!(about(&after_a_week(&scanned(&[FRANCE, SINGAPORE, FRANCE])), ARMED), [""; 0], "nor one twice");
}

#[test]
fn a_test_call_that_comes_to_be_known_last_arms_for_what_came_before() {
    // It rings for hours of event time in another file, which is read behind: its start counts.
    let test = Call { seconds: 8, ..call(TUESDAY) };
    let late = Call { start: test.start + 20 * HOUR, ..Call { dialled: AT_HOME, ..test } };
    let calls = [&quiet_week()[..], &two_calls(TUESDAY + 3 * HOUR), &[late]].concat();
    // One file, with the row of the test call at its end.
    let text = rows(&calls) + &rows(&[Call { dialled: GUINEA, ..test }]).replace("-00000000", "-000000ff");
    let found = scan("", &[&text]);
    assert_eq!(about(&found, ARMED), ["105"]);
    assert_eq!(of_rule(&found, ARMED)[0].attempts, 2);
}
