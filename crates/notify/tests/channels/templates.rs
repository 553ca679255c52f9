//! Templates of the operator's in place of the embedded ones.
use crate::about_calls;
use std::path::Path;
use tollwatch_detect::AlertReasonV1::Opened;
use tollwatch_detect::Problem;
use tollwatch_notify::{Language, Notify, NotifyPlan, RawNotify};

fn with_template(folder: &Path, template: &str) -> Result<Notify, Vec<Problem>> {
    std::fs::write(folder.join("own.txt"), template).unwrap();
    let raw: RawNotify = toml::from_str("[text]\ntemplate_en = \"own.txt\"\n").unwrap();
    let mut problems = Vec::new();
    let plan = NotifyPlan::validate(&raw, &mut problems);
    assert_eq!(problems, []);
    plan.build(Some(folder), &|_| None)
}

#[test]
fn a_template_takes_the_place_of_the_text_of_its_language_alone() {
    let folder = tempfile::tempdir().unwrap();
    let notify = with_template(folder.path(), "Call {{ tenant }}!\nNow: {{ reason }}.\n").unwrap();
    let (alert, site) = about_calls(Opened);
    let message = notify.texts.message(&alert, site, Language::English);
    assert_eq!((message.subject.as_str(), message.body.as_str()), ("Call default!", "Now: opened."));
    let message = notify.texts.message(&alert, site, Language::Japanese);
    assert!(message.body.contains("今すぐ行うこと"), "{}", message.body);
    assert_eq!(notify.texts.fallbacks(), 0);
}

#[test]
fn a_template_that_fails_on_an_alert_is_replaced_by_the_embedded_one_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    // No sample is of this tenant, so nothing shows before the alert does.
    let template = "Alert\n{% if tenant == \"osaka\" %}{{ calls.nothing_of_this_name }}{% endif %}";
    let notify = with_template(folder.path(), template).unwrap();
    let (mut alert, site) = about_calls(Opened);
    assert_eq!(notify.texts.message(&alert, site, Language::English).subject, "Alert");
    assert_eq!(notify.texts.fallbacks(), 0);
    alert.tenant = "osaka".to_owned();
    let message = notify.texts.message(&alert, site, Language::English);
    assert!(message.body.contains("What to do now"), "{}", message.body);
    assert_eq!(notify.texts.fallbacks(), 1);
}

#[test]
fn a_faulty_template_is_a_problem_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for faulty in [
        "{{ subjekt }}\n",
        "{% if drill %}\n",
        "\n\n",
        "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
    ] {
        let problems = with_template(folder.path(), faulty).unwrap_err();
        assert_eq!(problems.len(), 1, "{faulty}");
        assert_eq!(problems[0].place, "text.template_en", "{faulty}");
    }
}
