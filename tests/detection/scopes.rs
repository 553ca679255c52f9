//! Keys that not every format has: accounts and addresses.
use super::{Call, MINUTE, MONDAY, TUESDAY, about, call, of_rule, rows, scan};

/// A rule for one kind of scope, and no other.
fn rule(scope: &str, more: &str) -> String {
    format!(
        "[[rules]]\nname = \"scoped\"\nscope = \"{scope}\"\n{more}\nmeasure = \"attempts\"\n\
         destinations = \"high_risk\"\nthresholds = [{{ window = \"60m\", warning = 3 }}]\n"
    )
}

#[test]
fn calls_billed_to_one_account_are_counted_together_whoever_places_them() {
    let by = |extension, account, minute| Call { extension, account, ..call(TUESDAY + minute * MINUTE) };
    let calls = [
        by("105", "sales", 0),
        by("106", "sales", 1),
        by("107", "sales", 2),
        by("105", "support", 3),
        by("106", "support", 4),
        // Nobody's account is nobody's key.
        by("105", "", 5),
        by("105", "", 6),
        by("105", "", 7),
    ];
    let engine = scan(&rule("account", ""), &[&rows(&calls)]);
    assert_eq!(about(&engine, "scoped"), ["sales"]);
    let incident = &of_rule(&engine, "scoped")[0];
    assert_eq!((&*incident.scope.kind, incident.attempts), ("account", 3));
    assert_eq!(incident.extensions, ["105", "106", "107"]);
}

/// A call as a billing system exports it, with the address it came from.
fn exported(number: i64, extension: &str, address: &str) -> String {
    let start = MONDAY + TUESDAY + number * MINUTE;
    let end = start + 30;
    format!(
        "{extension}, Alice, 010224655500001, 30, 30, 16, outbound, 3e30-{number}, {address}, {start}, {start}, {end}, \
         30000, 30000, G722, G722\n"
    )
}

#[test]
fn calls_from_one_address_are_counted_together_whoever_they_say_they_are() {
    let text = [
        exported(0, "105", "203.0.113.9"),
        exported(1, "106", "203.0.113.9"),
        exported(2, "107", "192.0.2.7"),
        exported(3, "108", "203.0.113.9"),
        exported(4, "105", "192.0.2.7"),
    ]
    .concat();
    let engine = scan(&rule("source_address", ""), &[&text]);
    assert_eq!(about(&engine, "scoped"), ["203.0.113.9"]);
    let incident = &of_rule(&engine, "scoped")[0];
    assert_eq!(
        (&*incident.scope.kind, &incident.extensions[..]),
        ("source_address", &["105", "106", "108"].map(str::to_owned)[..])
    );
}

#[test]
fn one_address_that_attacks_several_tenants_is_seen_by_a_rule_over_all_of_them() {
    let record = |number: i64, tenant: &str, address: &str| {
        let start = MONDAY + TUESDAY + number * MINUTE;
        format!(
            r#"{{"type":"cdr","tenant":"{tenant}","started_at":{start},"ended_at":{},"billable_seconds":30,"outcome":"answered","extension":"105","trunk":"carrier","source_address":"{address}","dialled":"010224655500001"}}"#,
            start + 30
        ) + "\n"
    };
    let spread = (0..).zip(["north", "south", "west"]).map(|(i, tenant)| record(i, tenant, "203.0.113.9"));
    let text: String =
        spread.chain([record(3, "north", "192.0.2.7"), record(4, "south", "192.0.2.7")]).collect();
    let across = scan(&rule("source_address", "cross_tenant = true"), &[&text]);
    let found = of_rule(&across, "scoped");
    assert_eq!(
        found.iter().map(|i| (&*i.tenant, &*i.scope.value)).collect::<Vec<_>>(),
        [("*", "203.0.113.9")]
    );
    let within = scan(&rule("source_address", ""), &[&text]);
    assert_eq!(about(&within, "scoped"), [""; 0], "no tenant alone has three of them");
}
