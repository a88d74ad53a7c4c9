//! The house keeps its shape: packages and floors are used downwards only, files do not import each other in
//! circles, and none grows past what a reader can hold. The tree is read, so new files are held to the same rules.

#[path = "house/source.rs"]
mod source;

use source::{Package, code, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Which of our packages a package may use.
const PACKAGES: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("probes", &["broadgauge-model"]),
    ("reports", &["broadgauge-model"]),
    (".", &["broadgauge-model", "broadgauge-probes", "broadgauge-reports"]),
];

/// The floors of the command, from the ground up. A part may use what lies below it, never beside or above.
const FLOORS: &[&[&str]] = &[
    &["error", "schedule"],
    &["config"],
    &["store"],
    // What a complaint is about, and which items a survey has, is said on the way in.
    &["complaints", "survey"],
    &["import", "collector", "agent", "peer", "gather", "export"],
    &["publish"],
    &["demo"],
    &["cli"],
    &["main", "lib"],
];

/// What must not stand in the code of a package, and why.
const STRANGERS: &[(&str, &[&str], &str)] = &[
    ("model", &["tokio", "std::net", "std::fs", "rusqlite"], "the ground floor opens nothing"),
    ("reports", &["tokio", "std::net", "rusqlite", "std::fs"], "analysis reads a Panel and returns bytes"),
    ("probes", &["rusqlite"], "probes know no store"),
];

const LONGEST_FILE: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn all_files() -> Vec<std::path::PathBuf> {
    ["src", "model", "probes", "reports", "tests", "benches", "fuzz"]
        .iter()
        .flat_map(|d| rust_files(&root().join(d)))
        .collect()
}

fn shown(path: &str) -> String {
    path.replace(&format!("{}/", root().display()), "")
}

#[test]
fn packages_use_only_what_lies_below_them() {
    for (package, allowed) in PACKAGES {
        let text = std::fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let used = manifest.get(section).and_then(toml::Value::as_table);
            for name in
                used.into_iter().flatten().map(|(name, _)| name).filter(|n| n.starts_with("broadgauge"))
            {
                assert!(
                    allowed.contains(&name.as_str()),
                    "{package}/Cargo.toml: [{section}] may not name {name}"
                );
            }
        }
    }
    for (package, strangers, why) in STRANGERS {
        let package = Package::read(&root().join(package));
        for file in package.files.values() {
            let code = code(&std::fs::read_to_string(&file.path).unwrap());
            for stranger in *strangers {
                let named = code.contains(&format!("{stranger}::"));
                assert!(!named, "{}: names {stranger}: {why}", shown(&file.path.display().to_string()));
            }
        }
    }
}

#[test]
fn floors_of_the_command_use_only_what_lies_below_them() {
    let package = Package::read(&root().join("src"));
    let floor = |part: &str| FLOORS.iter().position(|f| f.contains(&part));
    let mut wrong = Vec::new();
    for (from, all) in package.uses() {
        let part = package.files[from].part();
        let Some(own) = floor(part) else {
            panic!("{}: part {part:?} stands on no floor: give it a place in the table above", shown(from));
        };
        for to in all {
            let other = package.files[to].part();
            if other != part && floor(other).is_none_or(|f| f >= own) {
                wrong.push(format!("{} ({part}) uses {} ({other})", shown(from), shown(to)));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "a part may use what lies below it, never beside or above:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn no_two_files_import_each_other_in_a_circle() {
    for folder in ["src", "model", "probes", "reports"] {
        let package = Package::read(&root().join(folder));
        let uses = package.uses();
        let inside = |circle: &BTreeSet<&str>, from: &str| -> String {
            let to: Vec<String> =
                uses[from].iter().filter(|to| circle.contains(*to)).map(|to| shown(to)).collect();
            format!("{} uses {}", shown(from), to.join(", "))
        };
        let told: Vec<String> = circles(&uses)
            .iter()
            .flat_map(|c| c.iter().map(|from| inside(c, from)).collect::<Vec<_>>())
            .collect();
        assert!(
            told.is_empty(),
            "files that use each other, directly or by way of others:\n{}",
            told.join("\n")
        );
    }
}

/// Groups of files of which each reaches each other.
fn circles<'a>(uses: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<BTreeSet<&'a str>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> = uses
        .keys()
        .map(|start| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![*start]);
            while let Some(at) = open.pop() {
                open.extend(uses.get(at).into_iter().flatten().filter(|next| seen.insert(**next)));
            }
            (*start, seen)
        })
        .collect();
    let circle = |a: &&'a str| -> BTreeSet<&'a str> {
        uses.keys().copied().filter(|b| reach[a].contains(b) && reach[b].contains(a)).collect()
    };
    uses.keys().map(circle).filter(|c| c.len() > 1).collect()
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long: Vec<String> = all_files()
        .into_iter()
        .map(|path| (std::fs::read_to_string(&path).unwrap().lines().count(), path.display().to_string()))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, path)| format!("{}: {lines} lines", shown(&path)))
        .collect();
    assert!(long.is_empty(), "a file that passes {LONGEST_FILE} lines is two files:\n{}", long.join("\n"));
}

#[test]
fn nothing_is_left_unfinished_or_switched_off() {
    // Written apart, so that this file does not find itself.
    let words =
        [["to", "do!"], ["unimple", "mented!"], ["#[ign", "ore"], ["#[al", "low("], ["#![al", "low("]];
    let marks = [["FIX", "ME"], ["TO", "DO:"], ["X", "XX:"]];
    let mut wrong = Vec::new();
    for path in all_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = code(&text);
        let name = shown(&path.display().to_string());
        wrong.extend(
            words.iter().map(|w| w.concat()).filter(|w| code.contains(w)).map(|w| format!("{name}: {w}")),
        );
        wrong.extend(
            marks.iter().map(|w| w.concat()).filter(|w| text.contains(w)).map(|w| format!("{name}: {w}")),
        );
    }
    assert!(wrong.is_empty(), "finish it, or leave it out:\n{}", wrong.join("\n"));
}

#[test]
fn metrics_are_named_by_their_standard_terms() {
    for metric in broadgauge_model::metric::MetricId::all() {
        for word in ["ping", "jitter", "latency", "rtt", "speed"] {
            assert!(
                !metric.id().split('_').any(|w| w == word),
                "{}: {word} is not a term of the standards",
                metric.id()
            );
        }
    }
}

#[test]
fn the_check_itself_sees_a_circle_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("a")).unwrap();
    write("lib.rs", "mod a; mod b; mod c; // crate::b");
    write("a.rs", "mod one; mod two; pub use one::One; use two::Two; fn f() -> Two { \"crate::c\"; todo() }");
    write("a/one.rs", "pub struct One; #[cfg(test)] mod tests { use super::super::two::Two; }");
    write(
        "a/two.rs",
        "use super::One; use crate::b::{self, c as d, nested::{E, F}}; pub struct Two(One, b::G);",
    );
    write("b.rs", "pub struct G; impl G { fn f() { crate::c::work::<u8>() } }");
    write("c.rs", "pub fn work<T>() -> impl Copy + use<T> { 1; 2 } fn g() -> u8 { super::b::h() }");
    let package = Package::read(folder.path());
    let short = |f: &str| f.rsplit('/').next().unwrap_or_default().to_owned();
    let circles: Vec<Vec<String>> =
        circles(&package.uses()).iter().map(|c| c.iter().map(|f| short(f)).collect()).collect();
    assert_eq!(circles, [["b.rs", "c.rs"]]);
}
