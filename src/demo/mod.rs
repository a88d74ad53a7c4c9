//! The main job on one machine, with real packets: two far ends behind lines of known figures, an agent that measures
//! both, a collector that stores, a synthetic town around them, and a report in every language.
//!
//! What is measured is real: packets leave sockets, cross the relays and come back. What is made up is the town, and
//! the report says which is which.

pub mod relay;
mod site;
pub mod stage;
pub mod town;

use crate::import::{self, ImportError, Reading};
use crate::publish::{self, Format, PublishError};
use crate::store::{self, Store, StoreError};
use broadgauge_model::clock::{Clock as _, SystemClock};
use broadgauge_model::text::Lang;
use broadgauge_probes::probe::Stop;
use broadgauge_reports::study::{handling, satisfaction};
use jiff::tz::TimeZone;
use site::SiteError;
use stage::StageError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the demo is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where everything goes.
    pub folder: PathBuf,
    /// Decides the town.
    pub seed: u64,
    /// The whole town, with all that surrounds its lines, and nothing measured.
    pub town: bool,
}

/// What the demo left behind.
#[derive(Clone, Debug)]
pub struct Finished {
    /// A report in each language.
    pub reports: Vec<(Lang, PathBuf)>,
    /// The store with all figures.
    pub store: PathBuf,
    /// The town's tables and its truth.
    pub town: PathBuf,
    /// Whether it was cut short, so that some lines are not measured.
    pub interrupted: bool,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The folder cannot be used.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A store is there that no demo left: it may be somebody's only one.
    #[error("{} was not made by a demo, which would replace it; name another folder with --out", path.display())]
    NotOurs {
        /// The store.
        path: PathBuf,
    },
    /// The town cannot be written.
    #[error("cannot make the town")]
    Town(#[source] io::Error),
    /// The town cannot be imported.
    #[error("cannot import the town")]
    Import(#[source] Box<ImportError>),
    /// Rows of the town were refused, which the program is to blame for.
    #[error("{rows} rows of the town's {file} were refused; please report this")]
    Refused {
        /// How many.
        rows: u64,
        /// Of which table.
        file: &'static str,
    },
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The far ends cannot start.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The site cannot measure.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The report cannot be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A thread ended by panicking.
    #[error("a part of the demo ended early")]
    Ended(#[from] tokio::task::JoinError),
    /// The town's zone or calendar is not known.
    #[error("cannot tell the town's date")]
    Date(#[from] jiff::Error),
}

/// Runs the demo; `tell` hears what is going on.
pub async fn run(request: &Request, tell: &(dyn Fn(&str) + Sync), stop: Stop) -> Result<Finished, DemoError> {
    if request.town {
        return whole(request, tell).await;
    }
    let folder = &request.folder;
    let database = clear(folder)?;
    let store: Arc<dyn Store> = Arc::from(store::open(&database.to_string_lossy())?);
    let clock = SystemClock::start();

    tell("making a town of 600 lines, and starting two far ends behind lines of known rate, delay and loss");
    let town_folder = folder.join("town");
    let plan = town::Plan::of(request.seed, yesterday(&clock)?);
    let (town_store, tables) = (Arc::clone(&store), town_folder.clone());
    let settling = tokio::task::spawn_blocking(move || settle(&plan, &tables, town_store.as_ref()));
    let mut actors = Vec::new();
    for scene in stage::SCENES {
        actors.push(stage::enter(scene, clock, stop.clone()).await?);
    }

    tell(
        "an agent measures both lines: stamp, connect and throughput, while the town's ninety days are imported",
    );
    site::measure(&folder.join("site"), &actors, &store, stop.clone()).await?;
    drop(actors);
    tell(if stop.is_set() {
        "interrupted: what was measured is kept, and the report is written from what there is"
    } else {
        "measured; the rest of the town is imported"
    });
    settling.await??;

    tell("asking the studies, and writing the report");
    let writing_store = Arc::clone(&store);
    let writing_folder = folder.clone();
    let request = publish::Request::of(town::OWN);
    let reports =
        tokio::task::spawn_blocking(move || write(writing_store.as_ref(), &request, &writing_folder));
    Ok(Finished { reports: reports.await??, store: database, town: town_folder, interrupted: stop.is_set() })
}

/// The whole town, as tables, in a store and in reports.
async fn whole(request: &Request, tell: &(dyn Fn(&str) + Sync)) -> Result<Finished, DemoError> {
    let folder = request.folder.clone();
    let database = clear(&folder)?;
    let plan = town::Plan::whole(request.seed, yesterday(&SystemClock::start())?);
    let tables = folder.join("town");
    tell(&format!("making a town of {} lines over {} days, and importing it", plan.lines(), plan.days));
    let store: Arc<dyn Store> = Arc::from(store::open(&database.to_string_lossy())?);
    let (town_store, town_tables) = (Arc::clone(&store), tables.clone());
    tokio::task::spawn_blocking(move || settle(&plan, &town_tables, town_store.as_ref())).await??;
    tell(
        "asking every study: peers, complaints, expectation, who is silent, nodes, what helped, satisfaction; writing the reports",
    );
    let reports = tokio::task::spawn_blocking(move || all_reports(store.as_ref(), &folder)).await??;
    Ok(Finished { reports, store: database, town: tables, interrupted: false })
}

/// Every report, from the whole town.
fn all_reports(store: &dyn Store, folder: &Path) -> Result<Vec<(Lang, PathBuf)>, DemoError> {
    let request = publish::Request::of(town::OWN);
    let of_the_loop = publish::LoopRequest::of(town::OWN);
    let documents = [
        publish::operator(store, &request)?,
        publish::complaints(store, &request, &handling::Query::of(town::OWN))?,
        publish::expectation(store, &of_the_loop)?,
        publish::actions(store, &of_the_loop)?,
        publish::satisfaction(store, &request.gather, &satisfaction::Query::of(town::OWN))?,
    ];
    let mut reports = Vec::new();
    for document in documents {
        for lang in Lang::ALL {
            let path = folder.join(format!("{}.{}.html", document.name, lang.tag()));
            publish::write(&document, lang, Format::Html, &path)?;
            reports.push((lang, path));
        }
    }
    Ok(reports)
}

/// The last whole day on the town's calendar.
fn yesterday(clock: &SystemClock) -> Result<jiff::civil::Date, DemoError> {
    let now = jiff::Timestamp::from_second(clock.wall().secs())?;
    Ok(now.to_zoned(TimeZone::get(town::ZONE)?).date().yesterday()?)
}

/// Makes the folder, and takes away what an earlier demo left in it: its store, and its agent's spool.
fn clear(folder: &Path) -> Result<PathBuf, DemoError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DemoError::Folder { path, source }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    let database = folder.join("broadgauge.db");
    if database.exists() && !folder.join("town").join(town::TRUTH).exists() {
        return Err(DemoError::NotOurs { path: database });
    }
    for ending in ["", "-wal", "-shm"] {
        let file = folder.join(format!("broadgauge.db{ending}"));
        if file.exists() {
            std::fs::remove_file(&file).map_err(failed(&file))?;
        }
    }
    let spool = folder.join("site").join("spool");
    if spool.exists() {
        std::fs::remove_dir_all(&spool).map_err(failed(&spool))?;
    }
    Ok(database)
}

fn settle(plan: &town::Plan, folder: &Path, store: &dyn Store) -> Result<(), DemoError> {
    town::write(plan, folder).map_err(DemoError::Town)?;
    take_in(plan, folder, store)
}

/// Imports a town's tables from their folder, each by the map beside it.
pub fn take_in(plan: &town::Plan, folder: &Path, store: &dyn Store) -> Result<(), DemoError> {
    let key = folder.join("pseudonym.key");
    for &kind in plan.tables() {
        let file = kind.word();
        let request = import::Request {
            kind,
            files: vec![folder.join(format!("{file}.csv"))],
            map: Some(folder.join(format!("{file}.toml"))),
            reading: Reading::default(),
            dry_run: false,
            reject_file: None,
            new_key: !key.exists(),
            model: None,
            key: Some(key.clone()),
        };
        let rows = import::run(&request, store, &mut |_| {})
            .map_err(|error| DemoError::Import(Box::new(error)))?
            .refused();
        if rows > 0 {
            return Err(DemoError::Refused { rows, file });
        }
    }
    Ok(())
}

fn write(
    store: &dyn Store,
    request: &publish::Request,
    folder: &Path,
) -> Result<Vec<(Lang, PathBuf)>, DemoError> {
    let document = publish::operator(store, request)?;
    let mut reports = Vec::new();
    for lang in Lang::ALL {
        let path = folder.join(format!("report.{}.html", lang.tag()));
        publish::write(&document, lang, Format::Html, &path)?;
        reports.push((lang, path));
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_no_demo_left_is_not_replaced_and_an_earlier_demo_is() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("broadgauge.db");
        std::fs::write(&database, "somebody's results").unwrap();
        let refused = clear(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("broadgauge.db was not made by a demo") && refused.contains("--out"));
        assert_eq!(std::fs::read_to_string(&database).unwrap(), "somebody's results");
        std::fs::create_dir(folder.path().join("town")).unwrap();
        std::fs::write(folder.path().join("town").join(town::TRUTH), "{}").unwrap();
        assert_eq!(clear(folder.path()).unwrap(), database);
        assert!(!database.exists());
    }
}
