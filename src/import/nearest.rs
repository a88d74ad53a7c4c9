//! Which of these names was meant? By edit distance (Levenshtein), for error messages.

/// The nearest of `names` to `wanted`, where one is near enough to be meant.
pub(super) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = plain(wanted);
    names
        .into_iter()
        .map(|name| (distance(&plain, &self::plain(name)), name))
        .min_by_key(|(d, _)| *d)
        .filter(|(d, name)| *d <= (wanted.chars().count().max(name.chars().count()) / 3).max(1))
        .map(|(_, name)| name)
}

/// `; the nearest is "…"`, or nothing.
pub(super) fn hint<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, names).map(|name| format!("; the nearest is {name:?}")).unwrap_or_default()
}

fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect()
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("line_id", ["Line ID", "operator"]), Some("Line ID"));
        assert_eq!(nearest("Latency ms", ["Latency.ms.24", "ISP"]), Some("Latency.ms.24"));
        assert_eq!(nearest("operator", ["ID", "Market"]), None);
        assert_eq!(distance(&plain("kitten"), &plain("sitting")), 3); // the textbook pair
    }
}
