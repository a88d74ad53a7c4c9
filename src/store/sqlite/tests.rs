use super::Sqlite;
use crate::store::contract::store_contract;
use crate::store::{Complaints as _, Fleet as _, StoreError, Window, open_existing};
use broadgauge_model::complaint::{Class, Complaint};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};

fn fresh() -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("broadgauge.db")).unwrap();
    (folder, store)
}

store_contract!(fresh);

#[test]
fn a_file_of_a_newer_program_is_refused_and_both_versions_are_named() {
    let (folder, store) = fresh();
    drop(store);
    let path = folder.path().join("broadgauge.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 9, known: 4, .. }), "{error}");
    assert!(error.to_string().contains("update the program"), "{error}");
}

#[test]
fn complaints_of_a_first_version_are_read_and_their_class_has_no_author() {
    let (folder, store) = fresh();
    let complaint = Complaint {
        complaint_id: "c1".into(),
        class: Some(Class::Billing),
        text: Some("bill".into()),
        ..Complaint::default()
    };
    store.put_complaints(std::slice::from_ref(&complaint)).unwrap();
    drop(store);
    let path = folder.path().join("broadgauge.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    for column in ["kind", "class_by", "class_confidence", "class_reason", "escalated_at"] {
        old.execute_batch(&format!("ALTER TABLE complaint DROP COLUMN {column}")).unwrap();
    }
    for table in ["utilisation", "action", "reputation", "response", "answer"] {
        old.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.complaints(None, None).unwrap(), [complaint]);
}

#[test]
fn a_file_of_somebody_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(StoreError::Foreign { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database, but long enough to look at its first bytes\n".repeat(50)).unwrap();
    assert!(matches!(Sqlite::open(&text), Err(StoreError::Foreign { .. })));
    assert!(matches!(Sqlite::open(folder.path()), Err(StoreError::Folder { .. })));
}

#[test]
fn a_reader_of_a_store_that_is_not_there_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent.db");
    let error = open_existing(path.to_str().unwrap()).err().unwrap();
    assert!(matches!(error, StoreError::Absent { .. }));
    assert!(!path.exists());
    let error = open_existing("oracle://db").err().unwrap();
    assert!(matches!(error, StoreError::Scheme { .. }), "{error}");
}

#[test]
fn two_processes_may_write_the_same_file() {
    let (folder, first) = fresh();
    let second = Sqlite::open(&folder.path().join("broadgauge.db")).unwrap();
    for (store, id) in [(&first, "l1"), (&second, "l2"), (&first, "l3"), (&second, "l1")] {
        let line = AccessLine { line_id: id.into(), operator: "A".into(), ..AccessLine::default() };
        store.put_lines(&[line]).unwrap();
    }
    assert_eq!(first.lines().unwrap().len(), 3);
}

/// Words are kept by their place in these lists: a list may grow at its end and change in no other way.
#[test]
fn the_places_of_stored_words_never_change() {
    let places =
        |words: &[(i64, &str)]| words.iter().map(|(n, w)| format!("{n}{w}")).collect::<Vec<_>>().join(" ");
    assert_eq!(places(&Load::ALL.map(|l| (l as i64, l.word()))), "0idle 1down 2up 3both");
    assert_eq!(places(&Direction::ALL.map(|d| (d as i64, d.word()))), "0round_trip 1down 2up");
    assert_eq!(
        places(&Statistic::ALL.map(|s| (s as i64, s.word()))),
        "0singleton 1mean 2median 3p05 4p10 5p25 6p75 7p90 8p95 9p99 10min 11max 12p01"
    );
    assert_eq!([Window::At, Window::Peak, Window::AllDay].map(Window::code), [0, 1, 2]);
}
