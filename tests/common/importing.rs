//! How tests import a file into a store and look at what came of it.

use broadgauge::import::{FileSummary, Kind, Reading, Request, Summary, run};
use broadgauge::store::{Filter, Memory, RowValues, Store, Window};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Direction, Statistic};
use std::path::{Path, PathBuf};

pub(crate) fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn request(kind: Kind, file: PathBuf, map: Option<&str>) -> Request {
    Request {
        kind,
        files: vec![file],
        map: map.map(here),
        reading: Reading::default(),
        dry_run: false,
        reject_file: None,
        key: None,
        new_key: false,
        model: None,
    }
}

pub(crate) fn import(request: &Request, store: &dyn Store) -> Summary {
    run(request, store, &mut |_| {}).unwrap()
}

pub(crate) fn import_one(request: &Request, store: &dyn Store) -> FileSummary {
    import(request, store).files.remove(0)
}

/// Line, metric, statistic, direction, window and value of everything in a store.
pub(crate) fn values(store: &dyn Store) -> Vec<(String, MetricId, Statistic, Direction, Window, f64)> {
    let mut found = Vec::new();
    store
        .scan(&Filter::default(), &mut |row| {
            let RowValues::Number(value) = row.values else { panic!("tables hold numbers") };
            let line = row.line_id.to_owned();
            found.push((line, row.metric, row.statistic, row.direction, row.window, value));
        })
        .unwrap();
    found
}

pub(crate) fn real(folder: &Path, file: &str, map: &str) -> FileSummary {
    let store = Memory::default();
    import_one(&request(Kind::Results, folder.join(file), Some(map)), &store)
}
