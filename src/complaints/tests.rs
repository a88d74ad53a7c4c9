use super::*;

#[test]
fn taxonomy_and_rules_parse_and_every_kind_has_a_rule() {
    assert!(TAXONOMY.kinds.len() >= 19);
    let text = include_str!("rules.toml");
    for kind in &TAXONOMY.kinds {
        assert!(text.contains(&format!("kind = \"{}\"", kind.id)), "{}", kind.id);
        assert!(kind.class != Class::Unsure && !kind.zh.is_empty() && !kind.miit.is_empty());
    }
    assert!(!RULES.version.is_empty());
    let twice = "version='1'\n[[rule]]\nkind='slow'\nweight=1\nen=['slow','slow']";
    assert!(Rules::parse(twice).is_err_and(|e| e.contains("twice")));
    let unknown = "version='1'\n[[rule]]\nkind='odd'\nweight=1";
    assert!(Rules::parse(unknown).is_err_and(|e| e.contains("taxonomy")));
}

fn class(text: &str) -> (Class, Option<&'static str>) {
    let verdict = RULES.judge(text);
    (verdict.class, verdict.kind)
}

#[test]
fn clear_complaints_are_told_in_english() {
    assert_eq!(class("My internet is very slow every evening"), (Class::Network, Some("slow")));
    assert_eq!(class("No internet since Tuesday, total outage"), (Class::Network, Some("outage")));
    assert_eq!(class("I was overcharged on my bill again"), (Class::Billing, Some("charge")));
    assert_eq!(class("Rude customer service"), (Class::Service, Some("support")));
    assert_eq!(class("They refuse to cancel my account"), (Class::Service, Some("cancel")));
}

#[test]
fn clear_complaints_are_told_in_chinese() {
    assert_eq!(class("晚上看视频卡顿,网速慢"), (Class::Network, Some("slow")));
    assert_eq!(class("家里宽带断网,光猫亮红灯"), (Class::Network, Some("outage")));
    assert_eq!(class("打游戏延迟高"), (Class::Network, Some("delay")));
    assert_eq!(class("上个月账单多收费用,要求退费"), (Class::Billing, Some("charge")));
    assert_eq!(class("客服态度差,互相推诿"), (Class::Service, Some("support")));
}

#[test]
fn what_says_nothing_or_both_is_unsure() {
    assert_eq!(class("Comcast"), (Class::Unsure, None));
    assert_eq!(class(""), (Class::Unsure, None));
    assert_eq!(class("slow and overcharged").0, Class::Unsure);
    // A word inside a word does not count: "downtown" is not "down", "staging" not "ping".
    assert_eq!(class("staging downtown"), (Class::Unsure, None));
}

#[test]
fn a_verdict_names_its_words_and_rules() {
    let verdict = RULES.judge("Overcharged! Slow internet speeds, throttling every night");
    assert_eq!(verdict.class, Class::Network);
    assert!(verdict.words.iter().any(|w| w == "throttl") && !verdict.words.contains(&"overcharg".to_owned()));
    assert!(verdict.confidence > 0.0 && verdict.confidence < 1.0);
    assert!(verdict.by.starts_with("rules 20"));
}

fn labelled() -> Vec<Labelled> {
    let network = ["pages crawl at night", "connection crawl again", "evening crawl pages"];
    let billing = ["invoice wrong amount", "amount on invoice doubled", "strange amount invoice"];
    (0..120)
        .map(|i| {
            let (list, class) =
                if i % 2 == 0 { (network, Class::Network) } else { (billing, Class::Billing) };
            Labelled { text: format!("{} {}", list[i / 2 % 3], i % 7), class }
        })
        .collect()
}

#[test]
fn a_trained_model_knows_words_that_no_rule_has() {
    let (model, report) = train(&labelled(), 1).unwrap();
    assert!(report.macro_f1 > 0.95 && report.interval.0 <= report.macro_f1, "{report:?}");
    let verdict = model.judge("pages crawl");
    assert_eq!(verdict.class, Class::Network);
    assert!(verdict.confidence > 0.5 && verdict.by.contains("120 labels"));
    let again = Model::read(&model.write().unwrap()).unwrap();
    assert_eq!(again, model);
    assert_eq!(train(&labelled(), 1).unwrap().0, model);
    let old = String::from_utf8(model.write().unwrap()).unwrap().replace("\"format\":1", "\"format\":9");
    assert!(matches!(Model::read(old.as_bytes()), Err(ModelError::Format(9))));
    assert!(Model::read(b"{").is_err());
}

#[test]
fn too_few_or_one_sided_labels_train_nothing() {
    let few = &labelled()[..20];
    assert!(matches!(train(few, 1), Err(TrainError::TooFew { have: 20 })));
    let one: Vec<_> = labelled().into_iter().filter(|l| l.class == Class::Network).collect();
    assert!(matches!(train(&one, 1), Err(TrainError::OneClass(Class::Network))));
}
