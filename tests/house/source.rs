//! Rust files as the house test needs them: their tokens without comments, strings and tests; the paths that they
//! name; and the file that a path leads to.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A package as a graph of files.
pub(crate) struct Package {
    pub(crate) files: BTreeMap<String, Source>,
    /// `store::sqlite` to `src/store/sqlite.rs`.
    modules: BTreeMap<Vec<String>, String>,
}

/// One file.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    module: Vec<String>,
    /// Paths that are named, with `crate`, `super` and `self` resolved.
    paths: BTreeSet<Vec<String>>,
    /// What `use` gives a second name, for this file and for those who look through it.
    exports: BTreeMap<String, Vec<String>>,
}

/// Every `.rs` file below a folder.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|n| n != "target" && n != "examples") {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Text without comments, strings and characters.
pub(crate) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let before = if i == 0 { ' ' } else { at(i - 1) };
        let raw_bytes = before == 'b' && at(i) == 'r' && matches!(at(i + 1), '"' | '#');
        let word = (before.is_alphanumeric() || before == '_') && !raw_bytes;
        if at(i) == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if at(i) == '/' && at(i + 1) == '*' {
            i += 2;
            while i < chars.len() && !(at(i) == '*' && at(i + 1) == '/') {
                i += 1;
            }
            i += 2;
        } else if at(i) == 'r'
            && !word
            && (at(i + 1) == '"' || at(i + 1) == '#' && matches!(at(i + 2), '"' | '#'))
        {
            let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
            i += hashes + 2;
            while i < chars.len() && !(at(i) == '"' && (1..=hashes).all(|n| at(i + n) == '#')) {
                i += 1;
            }
            i += hashes + 1;
        } else if at(i) == '"' {
            i += 1;
            while i < chars.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            i += 1;
            out.push(' ');
        } else if at(i) == '\'' && at(i + 1) == '\\' {
            i += 3;
            while i < chars.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
        } else if at(i) == '\'' && at(i + 2) == '\'' {
            i += 3;
        } else {
            out.push(at(i));
            i += 1;
        }
    }
    out
}

/// Words and signs; `::` is one sign.
fn tokens(code: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || c == '_' {
            let mut word = String::from(c);
            while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                word.push(c);
            }
            found.push(word);
        } else if c == ':' && chars.next_if_eq(&':').is_some() {
            found.push("::".into());
        } else if !c.is_whitespace() {
            found.push(c.into());
        }
    }
    found
}

/// Takes `#[cfg(test)]` items out, and names the files that are tests.
fn without_tests(tokens: &[String]) -> (Vec<String>, Vec<String>) {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut test_files) = (Vec::new(), Vec::new());
    let mut i = 0;
    while i < tokens.len() {
        if !tokens[i..].iter().map(String::as_str).take(7).eq(TEST) {
            kept.push(tokens[i].clone());
            i += 1;
            continue;
        }
        i += 7;
        let mut depth = 0;
        let start = i;
        while i < tokens.len() {
            match tokens[i].as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            let ends = tokens[i] == ";" || tokens[i] == "}";
            i += 1;
            if ends && depth == 0 {
                break;
            }
        }
        let item = &tokens[start..i];
        if let Some(at) =
            item.iter().position(|t| t == "mod").filter(|_| item.last().is_some_and(|t| t == ";"))
        {
            test_files.extend(item.get(at + 1).cloned());
        }
    }
    (kept, test_files)
}

/// Expands `a::{b, c as d}` behind `use`: pairs of a path and the name that it gets. Returns where it ends.
fn use_tree(
    tokens: &[String],
    mut i: usize,
    stem: &[String],
    found: &mut Vec<(Vec<String>, String)>,
) -> usize {
    let mut path = stem.to_vec();
    loop {
        match tokens.get(i).map_or("", String::as_str) {
            "{" => {
                i += 1;
                while tokens.get(i).is_some_and(|t| t != "}" && t != ";") {
                    i = use_tree(tokens, i, &path, found);
                    i += usize::from(tokens.get(i).is_some_and(|t| t == ","));
                }
                return i + 1;
            }
            "::" => i += 1,
            "as" => {
                found.push((path, tokens.get(i + 1).cloned().unwrap_or_default()));
                return i + 2;
            }
            "" | "," | "}" | ";" => {
                if path.last().is_some_and(|l| l == "self") && path.len() > 1 {
                    path.pop();
                }
                let name = path.last().cloned().unwrap_or_default();
                found.push((path, name));
                return i;
            }
            word => {
                path.push(word.to_owned());
                i += 1;
            }
        }
    }
}

impl Package {
    /// Reads a package whose root file is `root/lib.rs`.
    pub(crate) fn read(root: &Path) -> Self {
        let mut texts = BTreeMap::new();
        let mut tests: BTreeSet<Vec<String>> = BTreeSet::new();
        for path in rust_files(root) {
            let module = module_of(root, &path);
            let (kept, test_files) = without_tests(&tokens(&code(&std::fs::read_to_string(&path).unwrap())));
            tests.extend(test_files.into_iter().map(|name| [module.clone(), vec![name]].concat()));
            texts.insert(module, (path, kept));
        }
        texts.retain(|module, _| !(1..=module.len()).any(|n| tests.contains(&module[..n])));
        let modules: BTreeMap<_, _> =
            texts.iter().map(|(module, (path, _))| (module.clone(), path.display().to_string())).collect();
        let files = texts
            .into_iter()
            .map(|(module, (path, kept))| (path.display().to_string(), scan(path, &module, &kept, &modules)))
            .collect();
        Self { files, modules }
    }

    /// The files that each file uses, `pub use` of a façade followed to where the name comes from.
    pub(crate) fn uses(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let edges = self.files.iter().map(|(name, file)| {
            let used = file.paths.iter().filter_map(|p| self.file_of(p, 0)).filter(|to| to != name);
            (name.as_str(), used.collect())
        });
        edges.collect()
    }

    fn file_of(&self, path: &[String], depth: u8) -> Option<&str> {
        let n = (0..=path.len()).rev().find(|n| self.modules.contains_key(&path[..*n]))?;
        let file = &self.modules[&path[..n]];
        let export = path.get(n).and_then(|name| self.files[file].exports.get(name)).filter(|_| depth < 8);
        match export {
            Some(target) => self.file_of(&[target, &path[n + 1..]].concat(), depth + 1),
            None => Some(file),
        }
    }
}

impl Source {
    /// The part of the package to which the file belongs: the first name of its module.
    pub(crate) fn part(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

fn module_of(root: &Path, path: &Path) -> Vec<String> {
    let inside = path.strip_prefix(root).unwrap().with_extension("");
    let mut module: Vec<String> = inside.iter().map(|p| p.to_string_lossy().into_owned()).collect();
    if matches!(module.last().map(String::as_str), Some("mod")) || module == ["lib"] {
        module.pop();
    }
    module
}

fn scan(
    path: PathBuf,
    module: &[String],
    tokens: &[String],
    modules: &BTreeMap<Vec<String>, String>,
) -> Source {
    let mut source =
        Source { path, module: module.to_vec(), paths: BTreeSet::new(), exports: BTreeMap::new() };
    let mut inside: Vec<(usize, String)> = Vec::new();
    let mut depth = 0;
    let mut i = 0;
    while i < tokens.len() {
        let here: Vec<String> = module.iter().chain(inside.iter().map(|(_, name)| name)).cloned().collect();
        let after = i.checked_sub(1).map_or("", |j| tokens[j].as_str());
        match tokens[i].as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inside.retain(|(d, _)| *d <= depth);
            }
            "mod" if tokens.get(i + 2).is_some_and(|t| t == "{") => {
                inside.push((depth + 1, tokens[i + 1].clone()));
            }
            // `impl Trait + use<'a>` captures a lifetime.
            "use" if tokens.get(i + 1).is_none_or(|t| t != "<") => {
                let mut found = Vec::new();
                i = use_tree(tokens, i + 1, &[], &mut found);
                let public = matches!(after, "pub" | ")");
                for (path, name) in found {
                    let Some(path) = resolve(&path, &here, modules) else { continue };
                    source.exports.insert(name, path.clone());
                    if !public {
                        source.paths.insert(path);
                    }
                }
                continue;
            }
            // `pub(in crate::a)` says who may see, and uses nothing.
            _ if after == "in" && i >= 3 && tokens[i - 3] == "pub" => {}
            _ if after != "::" && after != "." && tokens.get(i + 1).is_some_and(|t| t == "::") => {
                let words = tokens[i..].chunks(2).take_while(|c| c.get(1).is_some_and(|t| t == "::"));
                let mut path: Vec<String> = words.map(|c| c[0].clone()).collect();
                path.extend(tokens.get(i + 2 * path.len()).cloned());
                source.paths.extend(resolve(&path, &here, modules));
            }
            _ => {}
        }
        i += 1;
    }
    source
}

/// A path from the root of the package; `None` where it leads outside.
fn resolve(path: &[String], here: &[String], modules: &BTreeMap<Vec<String>, String>) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|p| *p == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "super" => Some([here.get(..here.len().checked_sub(ups)?)?, &path[ups..]].concat()),
        "self" => Some([here, &path[1..]].concat()),
        child => {
            let child = [here, &[child.to_owned()]].concat();
            modules.contains_key(&child).then(|| [&child, &path[1..]].concat())
        }
    }
}
