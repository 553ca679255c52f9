use super::*;

#[test]
fn the_embedded_templates_say_every_kind_of_alert_in_both_languages() {
    let texts = Texts::embedded();
    for (alert, site) in sample_alerts() {
        for language in [Language::English, Language::Japanese] {
            let context = texts.context(&alert, site, language);
            let message = texts.render(embedded_name(language), &context).unwrap();
            let drill = language.pick("[DRILL / 訓練]", "【訓練 / DRILL】");
            assert_eq!(message.subject.starts_with(drill), alert.drill, "{}", message.subject);
            assert!(message.body.contains(alert.incident_id()), "{}", message.body);
            assert!(!message.body.contains("\n\n\n"), "{}", message.body);
        }
    }
}

#[test]
fn that_an_incident_is_over_is_not_taken_for_safety() {
    // E8: a call that was cut off leaves no record.
    let over = |(alert, _): &(AlertV1, Site)| alert.reason == tollwatch_detect::AlertReasonV1::Resolved;
    let samples = sample_alerts();
    let (alert, site) = samples
        .iter()
        .find(|sample| over(sample) && matches!(sample.0.about, tollwatch_detect::AboutV1::Calls(_)))
        .unwrap();
    for (language, said) in
        [(Language::English, "a blocked extension"), (Language::Japanese, "内線を止めた場合")]
    {
        let body = Texts::embedded().message(alert, *site, language).body;
        assert!(body.contains(said), "{body}");
    }
}

#[test]
fn an_open_incident_says_the_money_so_far_an_hour_and_by_the_opening() {
    let (alert, site) = sample_alerts().remove(0);
    let message = Texts::embedded().message(&alert, site, Language::English);
    // 12,345 in 20 minutes is 37,035 an hour; the office opens 4 h 40 min later.
    for said in ["JPY 12,345", "JPY 37,035 an hour", "JPY 185,175 by the time", "database del CF 105"] {
        assert!(message.body.contains(said), "{said} is not in {}", message.body);
    }
}

#[test]
fn a_drill_is_marked_as_one_by_a_template_of_the_operators_that_does_not_think_of_it() {
    let mut texts = Texts::embedded();
    let own = "{{ severity_word }} {{ incident_id }}\nGet up!".to_owned();
    texts.environment.add_template_owned(own_name(Language::English), own).unwrap();
    let (real, site) = sample_alerts().remove(0);
    let drill = texts.message(&real.clone().of_drill(), site, Language::English);
    assert!(drill.subject.starts_with("[DRILL / 訓練] "), "{}", drill.subject);
    assert!(drill.body.starts_with("THIS IS A DRILL / 訓練"), "{}", drill.body);
    assert!(drill.body.ends_with("Get up!"), "{}", drill.body);
    let real = texts.message(&real, site, Language::English);
    assert!(!real.subject.contains("DRILL") && real.body == "Get up!", "{real:?}");
}
