//! What dial strings mean, as tables: class, number and how it was read.
#![allow(clippy::expect_used, clippy::indexing_slicing)]

use tollwatch_numbering::{Called, CalledClass, Certainty, DialPlan, Form, RawDialPlan};

use CalledClass::{
    CarrierService, Emergency, Extension, FeatureCode, International, National, ShortCode, Unknown,
};

fn plan(country: &str) -> DialPlan {
    DialPlan::new(RawDialPlan { country: country.to_owned(), ..RawDialPlan::default() })
        .expect("a valid plan")
}

fn tokyo() -> DialPlan {
    DialPlan::new(RawDialPlan { area_code: Some("3".to_owned()), ..RawDialPlan::default() })
        .expect("a valid plan")
}

fn number(called: Called) -> String {
    called.number.map(|number| number.to_string()).unwrap_or_default()
}

/// Checks every row and reports all that fail.
fn check(plan: &DialPlan, form: Form, table: &[(&str, CalledClass, &str)]) {
    let mut wrong = Vec::new();
    for &(dialled, class, expected) in table {
        let called = plan.normalise(dialled.as_bytes(), form);
        if called.class != class || number(called) != expected {
            let found = number(called);
            wrong.push(format!(
                "{dialled}: {:?} {found} ({}), expected {class:?} {expected}",
                called.class, called.reading
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn japanese_dial_strings_lead_to_the_number_behind_every_prefix() {
    const GUINEA: &str = "+224622123456";
    let table = [
        ("010224622123456", International, GUINEA),
        ("0010224622123456", International, GUINEA),
        ("0033010224622123456", International, GUINEA),
        ("00033010224622123456", International, GUINEA),
        ("184010224622123456", International, GUINEA),
        ("0184010224622123456", International, GUINEA),
        ("186010224622123456", International, GUINEA),
        ("001010224622123456", International, GUINEA),
        ("0001010224622123456", International, GUINEA),
        ("1220033010224622123456", International, GUINEA),
        ("005345010224622123456", International, GUINEA),
        ("+224622123456", International, GUINEA),
        ("０１０－２２４－６２２－１２３４５６", International, GUINEA),
        ("01018761234567", International, "+18761234567"),
        ("01012125551234", International, "+12125551234"),
        ("001012125551234", International, "+12125551234"),
        ("010441534123456", International, "+441534123456"),
        ("01077012345678", International, "+77012345678"),
        ("0108821612345678", International, "+8821612345678"),
        ("010979112345678", International, "+979112345678"),
        ("010882361234567", International, "+882361234567"),
        ("0312345678", National, "+81312345678"),
        ("00312345678", National, "+81312345678"),
        ("0120123456", National, "+81120123456"),
        ("00120123456", National, "+81120123456"),
        ("0570012345", National, "+81570012345"),
        ("05012345678", National, "+815012345678"),
        ("09012345678", National, "+819012345678"),
        ("009012345678", National, "+819012345678"),
        ("08001234567", National, "+818001234567"),
        ("0112345678", National, "+81112345678"),
        ("0033-0312345678", National, "+81312345678"),
        ("+81 3 1234 5678", National, "+81312345678"),
        ("00781234567", National, "+81781234567"),
        ("110", Emergency, ""),
        ("0110", Emergency, ""),
        ("184110", Emergency, ""),
        ("+81110", Emergency, ""),
        ("117", ShortCode, ""),
        ("0104", ShortCode, ""),
        ("201", Extension, ""),
        ("102", Extension, ""),
        ("2001", Extension, ""),
        ("0105", Extension, ""),
        ("*21*010224622123456#", FeatureCode, GUINEA),
        ("*72010224622123456", FeatureCode, GUINEA),
        ("#31#0312345678", FeatureCode, "+81312345678"),
        ("*21*+224622123456#", FeatureCode, GUINEA),
        ("*98", FeatureCode, ""),
        ("*21*2001#", FeatureCode, ""),
        ("sip:%2B224622123456@x;user=phone", International, GUINEA),
        ("sip:010224622123456@pbx.example", International, GUINEA),
        ("tel:622123456;phone-context=+224", International, GUINEA),
        ("tel:+224-622-123456", International, GUINEA),
        ("010224622123456,,1234#", International, GUINEA),
        ("010224622123456#", International, GUINEA),
        ("00224622123456", International, GUINEA),
        ("900972592123456", International, "+972592123456"),
        ("76000046850780294", International, "+46850780294"),
        ("003337681234", International, "+3337681234"),
        ("007812345678", CarrierService, ""),
        ("00378812345678901", CarrierService, ""),
        ("0037612345", CarrierService, ""),
        ("003768", Unknown, ""),
    ];
    check(&plan("JP"), Form::Dialled, &table);
}

#[test]
fn a_wrong_carrier_code_never_makes_an_international_call_domestic() {
    let called = plan("JP").normalise(b"0050345010224622123456", Form::Dialled);
    assert_ne!(called.class, National);
    assert_ne!(called.class, Extension);
}

#[test]
fn what_cannot_be_dialled_in_japan_is_read_as_attackers_mean_it() {
    let table = [
        ("900224622550203", International, "+224622550203"),
        ("011224660550355", International, "+224660550355"),
        ("0112246555000011", International, "+2246555000011"),
        ("901112125550101", International, "+12125550101"),
        ("0012125550101", International, "+12125550101"),
        ("00442079460006", International, "+442079460006"),
        ("0011224622123456", International, "+224622123456"),
        ("810224622123456", International, "+224622123456"),
        ("9+224622123456", International, "+224622123456"),
        ("+00224622123456", International, "+224622123456"),
        ("+81010224622123456", International, "+224622123456"),
        ("90355550101", National, "+81355550101"),
        ("815055550100", National, "+815055550100"),
        ("810355550101", National, "+81355550101"),
        ("12125550101", International, "+12125550101"),
        ("224622550000", International, "+224622550000"),
        ("0037120123456", International, "+37120123456"),
        ("00375291234567", International, "+375291234567"),
        ("008821612345678", International, "+8821612345678"),
        ("40722123456", International, "+40722123456"),
        ("905051234567", International, "+905051234567"),
        ("01021012345", International, ""),
        ("201012345678", International, "+201012345678"),
        ("390612345678", International, "+390612345678"),
        ("0102101234567", International, ""),
        ("+2101234567", International, ""),
        ("9012345678", Unknown, ""),
        ("312345678", Unknown, ""),
    ];
    check(&plan("JP"), Form::Dialled, &table);
}

#[test]
fn a_reading_beyond_the_plan_says_so_and_how_sure_it_is() {
    let plan = plan("JP");
    for (dialled, certainty, reading) in [
        ("010224622123456", Certainty::Certain, "exit code 010"),
        ("0184010224622123456", Certainty::Certain, "outside line 0, call prefix 184, exit code 010"),
        ("1220033010224622123456", Certainty::Certain, "call prefix 122, carrier 0033, exit code 010"),
        ("900224622550203", Certainty::Likely, "outside line 9, exit code 00 of another plan"),
        ("76000046850780294", Certainty::Likely, "leading digits 7600, exit code 00 of another plan"),
        ("901112125550101", Certainty::Likely, "outside line 9, exit code 011 of another plan"),
        ("90355550101", Certainty::Likely, "outside line 9, national number"),
        ("815055550100", Certainty::Likely, "own country code without plus sign"),
        ("224622550000", Certainty::Likely, "bare international number"),
        ("2246225500", Certainty::Guess, "bare international number"),
        ("0355550100", Certainty::Certain, "national number"),
        ("00355550100", Certainty::Certain, "outside line 0, national number"),
    ] {
        let called = plan.normalise(dialled.as_bytes(), Form::Dialled);
        assert_eq!(
            (called.certainty, called.reading.to_string().as_str()),
            (certainty, reading),
            "{dialled}"
        );
    }
}

#[test]
fn an_outside_line_in_what_went_to_the_carrier_is_read_and_no_longer_certain() {
    let plan = plan("JP");
    let called = plan.normalise(b"0010224622123456", Form::Sent);
    assert_eq!((called.class, called.certainty), (International, Certainty::Likely));
    assert_eq!(plan.normalise(b"010224622123456", Form::Sent).certainty, Certainty::Certain);
    // 0 and Kobe when dialled, a carrier's free call when sent.
    assert_eq!(plan.normalise(b"00781234567", Form::Sent).class, CarrierService);
}

#[test]
fn digits_behind_a_number_are_dropped_and_the_country_stays() {
    let plan = plan("JP");
    for head in ["010", "0010", "00", "011", "900", "+"] {
        let dialled = format!("{head}224622123456{}", "7".repeat(100));
        let called = plan.normalise(dialled.as_bytes(), Form::Dialled);
        assert_eq!((called.class, called.certainty), (International, Certainty::Guess), "{head}");
        assert_eq!(number(called), "+224622123456777", "{head}");
        assert!(called.reading.padded);
    }
    assert_eq!(plan.normalise("5".repeat(120).as_bytes(), Form::Dialled).class, Unknown);
}

#[test]
fn uris_separators_and_foreign_alphabets_are_read_through() {
    let table = [
        ("sip:010224622123456;phone-context=+81@pbx;user=phone", International, "+224622123456"),
        ("SIP:+81312345678;npdi;rn=+8131@host", National, "+81312345678"),
        ("sips:0355550100:secret@host", National, "+81355550100"),
        ("\"110\" <sip:010224622123456@host>", International, "+224622123456"),
        ("tel:7042;phone-context=example.com", Extension, ""),
        ("0355550100;phone-context=+81", National, "+81355550100"),
        ("355550100;phone-context=+81", National, "+81355550100"),
        ("020 7946 0006;phone-context=+44", International, "+442079460006"),
        ("0355550100;ext=12", National, "+81355550100"),
        ("03-5555-0100", National, "+81355550100"),
        ("(03) 5555.0100", National, "+81355550100"),
        ("+44 (0)20 7946 0006", International, "+442079460006"),
        ("\u{feff}'0355550100", National, "+81355550100"),
        ("\u{202a}+81\u{a0}3‐5555−0100\u{202c}", National, "+81355550100"),
        ("０３ー５５５５ー０１００", National, "+81355550100"),
        ("0355550100w123", National, "+81355550100"),
        ("0355550100&Local/102@from-internal", National, "+81355550100"),
        ("0355550100%26Local/102", National, "+81355550100"),
        ("55550100", National, "+81355550100"),
    ];
    check(&tokyo(), Form::Dialled, &table);
    assert!(tokyo().normalise(b"0355550100&Local/102@from-internal", Form::Dialled).reading.injected);
}

#[test]
fn names_and_labels_are_no_numbers() {
    let table = [
        ("", Unknown, ""),
        ("s", Unknown, ""),
        ("h", Unknown, ""),
        ("i", Unknown, ""),
        ("s-NOANSWER", Unknown, ""),
        ("alice", Extension, ""),
        ("PJSIP_102", Extension, ""),
        ("sip:alice@example.com", Extension, ""),
        ("a,b\"c", Unknown, ""),
        ("1-800-FLOWERS", Unknown, ""),
        ("x0102246221234", Unknown, ""),
        ("8.11E+11", Unknown, ""),
        ("+", Unknown, ""),
        ("++81312345678", Unknown, ""),
        ("${EXTEN}", Unknown, ""),
        ("%", Unknown, ""),
        ("55550100", Unknown, ""),
    ];
    check(&plan("JP"), Form::Dialled, &table);
    assert_eq!(plan("JP").normalise(b"\xff\xfe0\x00", Form::Dialled).class, Unknown);
}

#[test]
fn a_north_american_plan_reads_ten_digits_and_011() {
    let table = [
        ("2125550101", National, "+12125550101"),
        ("12125550101", National, "+12125550101"),
        ("912125550101", National, "+12125550101"),
        ("92125550101", National, "+12125550101"),
        ("+12125550101", National, "+12125550101"),
        ("8765550101", National, "+18765550101"),
        ("011224622123456", International, "+224622123456"),
        ("9011224622123456", International, "+224622123456"),
        ("01224622123456", International, "+224622123456"),
        ("00224622123456", International, "+224622123456"),
        ("911", Emergency, ""),
        ("9911", Emergency, ""),
        ("411", ShortCode, ""),
        ("2001", Extension, ""),
        ("5550101", Unknown, ""),
    ];
    check(&plan("US"), Form::Dialled, &table);
    check(&plan("CA"), Form::Dialled, &table);
}

#[test]
fn other_plans_have_their_own_exit_code_and_national_prefix() {
    for (country, table) in [
        (
            "GB",
            [("02079460006", National, "+442079460006"), ("900224622123456", International, "+224622123456")],
        ),
        (
            "DE",
            [("9015112345678", National, "+4915112345678"), ("0014155550101", International, "+14155550101")],
        ),
        ("IT", [("0612345678", National, "+390612345678"), ("+390612345678", National, "+390612345678")]),
        ("ES", [("912345678", National, "+34912345678"), ("00224622123456", International, "+224622123456")]),
        (
            "RU",
            [("84951234567", National, "+74951234567"), ("810224622123456", International, "+224622123456")],
        ),
        (
            "AU",
            [("0011224622123456", International, "+224622123456"), ("0255501234", National, "+61255501234")],
        ),
        ("GN", [("622123456", National, "+224622123456"), ("0081312345678", International, "+81312345678")]),
        (
            "BR",
            [
                ("0015224622123456", International, "+224622123456"),
                ("01155501234", National, "+551155501234"),
            ],
        ),
    ] {
        check(&plan(country), Form::Dialled, &table);
    }
}

#[test]
fn a_german_plan_with_outside_line_0_does_not_call_greece_for_berlin() {
    let plan = DialPlan::new(RawDialPlan {
        country: "DE".to_owned(),
        outside_prefixes: Some(vec!["0".to_owned()]),
        ..RawDialPlan::default()
    })
    .expect("a valid plan");
    let table =
        [("003012345678", National, "+493012345678"), ("000224622123456", International, "+224622123456")];
    check(&plan, Form::Dialled, &table);
    check(&plan, Form::Sent, &[("003012345678", International, "+3012345678")]);
}
