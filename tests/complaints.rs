//! What complaints are about, on labels that were given blind.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use broadgauge::complaints::{Labelled, classify, judge, train};
use broadgauge::import::{Kind, Reading, Request, columns, run};
use broadgauge_model::complaint::{Class, Complaint};
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};

/// The complaints of April 2015 with these labels.
fn labelled(folder: &Path, labels: &str) -> Vec<Labelled> {
    let table = folder.join("complaints/comcast_2015_april.csv");
    let texts: HashMap<String, String> =
        columns(&table, &Reading::default(), &["Ticket #", "Customer Complaint"])
            .unwrap()
            .into_iter()
            .map(|row| (row[0].clone(), row[1].clone()))
            .collect();
    let labels = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/complaints").join(labels);
    columns(&labels, &Reading::default(), &["ticket", "class"])
        .unwrap()
        .into_iter()
        .map(|row| Labelled { text: texts[&row[0]].clone(), class: row[1].parse().unwrap() })
        .collect()
}

#[test]
fn rules_hold_on_labels_given_after_they_were_fixed() {
    let Some(folder) = common::real_data() else { return };
    let after = labelled(&folder, "april-2015-labels-after-the-rules.csv");
    let report = judge(&after, None, 1).unwrap();
    assert_eq!(report.labels, 139);
    assert!(report.macro_f1 > 0.65, "{report:?}");
    assert!(report.interval.0 < report.macro_f1 && report.macro_f1 < report.interval.1, "{report:?}");
}

#[test]
fn a_model_learns_from_four_fifths_of_the_labels() {
    let Some(folder) = common::real_data() else { return };
    let before = labelled(&folder, "april-2015-labels-before-the-rules.csv");
    let after = labelled(&folder, "april-2015-labels-after-the-rules.csv");
    let (model, _) = train(&before, 1).unwrap();
    let report = judge(&after, Some(&model), 1).unwrap();
    assert!(report.by.starts_with("model of 260 labels, rules "), "{report:?}");
    assert!(report.labels == 139 && report.macro_f1 > 0.65, "{report:?}");
    assert_ne!(report.confusion, judge(&after, None, 1).unwrap().confusion);
    let all = [before, after].concat();
    let (_, report) = train(&all, 1).unwrap();
    assert!(report.labels == 399 && report.macro_f1 > 0.65, "{report:?}");
}

/// Numbers and addresses of people, as they stand in complaints; none may be found in a store.
const PRIVATE: [&str; 9] = [
    "555-223-4567",
    "(212) 555-0187",
    "13812345678",
    "138 1234 5679",
    "021-62345678",
    "jane.doe+isp@example.org",
    "4111 1111 1111 1111",
    "11010519491231002X",
    "DE89 3704 0044 0532 0130 00",
];

#[test]
fn no_number_or_address_of_a_person_survives_in_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("complaints.csv");
    let mut table = "complaint_id,opened_at,area,channel,status,owner,text\n".to_owned();
    for (i, private) in PRIVATE.iter().enumerate() {
        let row = format!(
            "T-77{i},2026-01-0{}T08:00:00Z,north,\"mail {private}\",\"open, {private}\",\"{private}\",\"call me: {private}. 网速慢\"\n",
            i + 1
        );
        table.push_str(&row);
    }
    std::fs::write(&file, table).unwrap();
    let path = folder.path().join("broadgauge.db");
    let store = broadgauge::store::open(path.to_str().unwrap()).unwrap();
    let request = Request {
        kind: Kind::Complaints,
        files: vec![file],
        map: None,
        reading: Reading::default(),
        dry_run: false,
        reject_file: None,
        key: Some(folder.path().join("key")),
        new_key: true,
        model: None,
    };
    let summary = run(&request, store.as_ref(), &mut |_| {}).unwrap().files.remove(0);
    assert_eq!((summary.stored, summary.rows_refused), (PRIVATE.len() as u64, 0));
    let kept = store.complaints(None, None).unwrap();
    assert!(kept.iter().all(|c| c.text.as_deref().is_some_and(|text| text.contains('['))), "{kept:?}");
    // The class is told from the masked words, and what it rests on holds none of the others.
    assert!(kept.iter().all(|c| c.class_reason.as_deref() == Some("网速慢")), "{kept:?}");
    drop(store);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_string_lossy().starts_with("broadgauge.db") {
            continue;
        }
        let bytes = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        for private in PRIVATE.iter().chain(&["T-77"]) {
            let digits: String = private.chars().filter(char::is_ascii_digit).collect();
            let found = bytes.contains(private) || digits.len() > 5 && bytes.contains(&digits);
            assert!(!found, "{private} stands in {}", path.display());
        }
    }
}

/// Runs the program.
fn ran(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_broadgauge")).current_dir(folder).args(arguments).output().unwrap()
}

/// Runs the program; its exit code and what it said to people.
fn told(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = ran(folder, arguments);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_file_with_nothing_but_an_account_in_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let table =
        "complaint_id,opened_at,area,text\nT-1,2026-01-01T08:00:00Z,north,refund to NL91 ABNA 0417 1643 00\n";
    std::fs::write(folder.path().join("c.csv"), table).unwrap();
    let output =
        ran(folder.path(), &["import", "complaints", "c.csv", "--store", "s.db", "--key", "k", "--new-key"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(said.contains("0 phone, 0 card, 1 account, 0 identity numbers, 0 e-mail addresses"), "{said}");
}

#[test]
fn import_judges_complaints_by_a_trained_model_and_refuses_a_file_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Words that the rules do not know.
    let rows = (0..40).map(|i| {
        format!(
            "the frobnicator blinks since day {i},network\nmy gribble was posted in week {i},billing\n\
             nobody at the wibble desk picked up {i},service\n"
        )
    });
    let labels: String = std::iter::once("text,class\n".to_owned()).chain(rows).collect();
    std::fs::write(folder.join("labels.csv"), labels).unwrap();
    let rows = "T-1,2026-01-01T08:00:00Z,north,,again the frobnicator blinks\n\
                T-2,2026-01-02T08:00:00Z,north,,my gribble was posted\n\
                T-3,2026-01-03T08:00:00Z,north,service,the frobnicator blinks\n";
    std::fs::write(folder.join("tickets.csv"), format!("complaint_id,opened_at,area,class,text\n{rows}"))
        .unwrap();
    assert_eq!(told(folder, &["complaints", "train", "labels.csv", "-o", "model.json"]).0, Some(0));
    let check = |more: &[&str]| {
        let output = ran(folder, &[&["complaints", "check", "labels.csv", "--json"], more].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["macro_f1"].as_f64().unwrap()
    };
    // The rules know none of these words, and the model was trained on them.
    assert!(check(&[]) < 0.3 && check(&["--model", "model.json"]) > 0.9);
    let import = ["import", "complaints", "tickets.csv", "--key", "key", "--new-key"];
    let with = |model: &'static str| [&import[..], &["--model", model][..]].concat();

    std::fs::write(folder.join("bad.json"), "{\"format\": 1}").unwrap();
    let (code, said) = told(folder, &with("bad.json"));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("bad.json") && said.contains("is not a model of complaints"), "{said}");
    assert!(!folder.join("key").exists(), "a refused import leaves no key behind");
    let (code, said) = told(folder, &with("none.json"));
    assert!(code == Some(2) && said.contains("cannot read none.json"), "{said}");
    let (code, said) = told(folder, &["import", "lines", "tickets.csv", "--model", "model.json"]);
    assert!(code == Some(2) && said.contains("leave --model out"), "{said}");

    let (code, said) = told(folder, &with("model.json"));
    assert_eq!(code, Some(0), "{said}");
    let store = broadgauge::store::open(folder.join("broadgauge.db").to_str().unwrap()).unwrap();
    let mut kept = store.complaints(None, None).unwrap();
    kept.sort_by_key(|c| c.opened_at);
    let classes: Vec<_> = kept.iter().map(|c| c.class).collect();
    assert_eq!(classes, [Some(Class::Network), Some(Class::Billing), Some(Class::Service)]);
    let by: Vec<&str> = kept.iter().filter_map(|c| c.class_by.as_deref()).collect();
    assert!(by[0].starts_with("model of 120 labels") && by[2] == "operator", "{by:?}");
}

#[test]
fn what_the_operator_says_stands_and_every_other_class_names_its_rules() {
    let told = |class: Option<Class>, text: &str| {
        let mut complaint = Complaint { class, text: Some(text.into()), ..Complaint::default() };
        classify(&mut complaint, None);
        complaint
    };
    let by_rules = told(None, "Slow internet every evening");
    assert_eq!((by_rules.class, by_rules.kind.as_deref()), (Some(Class::Network), Some("slow")));
    assert!(by_rules.class_by.is_some_and(|by| by.starts_with("rules 20")));
    assert!(by_rules.class_confidence.is_some_and(|c| c > 0.0 && c < 1.0) && by_rules.class_reason.is_some());
    let by_operator = told(Some(Class::Network), "Slow internet every evening");
    assert_eq!(
        (by_operator.kind.as_deref(), by_operator.class_by.as_deref()),
        (Some("slow"), Some("operator"))
    );
    let against = told(Some(Class::Billing), "Slow internet every evening");
    assert_eq!((against.class, against.kind), (Some(Class::Billing), None));
    assert_eq!(told(None, "Comcast").class, Some(Class::Unsure));
}
