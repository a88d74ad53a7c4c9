//! The table of all runs: medians over repetitions, and the bounds that ours are held to.

use super::Outcome;
use serde_json::Value;
use std::collections::BTreeMap;

const OURS: [&str; 2] = ["stamp", "ping, ours"];

/// Rows that were made alike.
type Groups<'a> = BTreeMap<Vec<&'a str>, Vec<&'a Value>>;

pub(crate) fn run(text: &str) -> Outcome<()> {
    let rows: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut broken = Vec::new();
    delays(&group(&rows, "delay", &["scenario", "tool"]), &mut broken);
    connections(&group(&rows, "connection", &["scenario", "part", "tool"]), &mut broken);
    rates(&group(&rows, "throughput", &["scenario", "way", "control", "tool"]), &mut broken);
    costs(&group(&rows, "cost", &["tool", "way", "control"]), &mut broken);
    if broken.is_empty() {
        println!("\nevery bound holds");
        return Ok(());
    }
    println!("\nbounds broken:");
    for one in &broken {
        println!("  {one}");
    }
    Err("bounds are broken".into())
}

fn group<'a>(rows: &'a [Value], kind: &str, by: &[&str]) -> Groups<'a> {
    let mut out = Groups::new();
    for row in rows.iter().filter(|row| row["kind"] == kind) {
        let key = by.iter().map(|key| row[*key].as_str().unwrap_or("-")).collect();
        out.entry(key).or_default().push(row);
    }
    out
}

fn numbers(rows: &[&Value], path: &str) -> Vec<f64> {
    let mut values: Vec<f64> = rows.iter().filter_map(|row| row.pointer(path)?.as_f64()).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

fn median(rows: &[&Value], path: &str) -> Option<f64> {
    let values = numbers(rows, path);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| String::from("-"), |value| format!("{value:.digits$}"))
}

/// The least of the peers' errors in a scenario.
fn best_peer(groups: &Groups<'_>, scenario: &str, path: &str) -> Option<f64> {
    groups
        .iter()
        .filter(|(key, _)| key[0] == scenario && !OURS.contains(&key[1]))
        .filter_map(|(_, rows)| median(rows, path).map(f64::abs))
        .reduce(f64::min)
}

fn delays(groups: &Groups<'_>, broken: &mut Vec<String>) {
    if groups.is_empty() {
        return;
    }
    println!(
        "| line | tool | n | bias, µs | p99, µs | P50, µs | P95, µs | P99, µs | lost | doubled | reordered | classed wrong | CPU, ms per s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (key, rows) in groups {
        let (scenario, tool) = (key[0], key[1]);
        let classes = ["lost", "duplicate", "reordered", "lost_up", "lost_down"];
        let wrong: Vec<f64> =
            classes.iter().flat_map(|of| numbers(rows, &format!("/classed/{of}_wrong"))).collect();
        let total = |path: &str| shown(Some(numbers(rows, path).iter().sum()), 0);
        println!(
            "| {scenario} | {tool} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.0} | {} |",
            total("/n"),
            shown(median(rows, "/bias_us"), 1),
            shown(median(rows, "/p99_us"), 1),
            shown(median(rows, "/p50/error_us"), 1),
            shown(median(rows, "/p95/error_us"), 1),
            shown(median(rows, "/p99/error_us"), 1),
            total("/classed/lost"),
            total("/classed/duplicate"),
            total("/classed/reordered"),
            wrong.iter().sum::<f64>(),
            shown(median(rows, "/cpu_ms_per_s"), 1),
        );
        if !OURS.contains(&tool) {
            continue;
        }
        let mut hold = |what: &str, value: Option<f64>, most: f64| {
            let value = value.map_or(f64::INFINITY, f64::abs);
            if value > most {
                broken.push(format!("{scenario}, {tool}: {what} {value:.1}, at most {most:.1}"));
            }
        };
        if scenario.ends_with("busy") {
            let most = best_peer(groups, scenario, "/p99_us").unwrap_or(f64::INFINITY);
            hold("p99, µs", median(rows, "/p99_us"), most);
            if median(rows, "/send_lateness_p99_us").is_none() {
                broken.push(format!("{scenario}, {tool}: it does not report its own send lateness"));
            }
            continue;
        }
        let half = best_peer(groups, scenario, "/bias_us").map_or(10.0, |best| best / 2.0);
        hold("bias, µs", median(rows, "/bias_us"), half.min(10.0));
        for path in ["/p50/error_us", "/p95/error_us", "/p99/error_us"] {
            let half = best_peer(groups, scenario, path).map_or(10.0, |best| best / 2.0);
            hold(path, median(rows, path), half.max(10.0));
        }
        hold("probes classed wrong", Some(wrong.iter().sum()), 0.0);
        hold("CPU, ms per s", median(rows, "/cpu_ms_per_s"), 20.0);
    }
}

fn connections(groups: &Groups<'_>, broken: &mut Vec<String>) {
    if groups.is_empty() {
        return;
    }
    println!(
        "\n| line | timed | tool | n | wire, P50, ms | bias, µs | p99, µs | P50, µs | P95, µs | P99, µs |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (key, rows) in groups {
        let (scenario, part, tool) = (key[0], key[1], key[2]);
        let bias = median(rows, "/bias_us");
        println!(
            "| {scenario} | {part} | {tool} | {} | {} | {} | {} | {} | {} | {} |",
            shown(Some(numbers(rows, "/n").iter().sum()), 0),
            shown(median(rows, "/p50/wire_us").map(|us| us / 1e3), 3),
            shown(bias, 1),
            shown(median(rows, "/p99_us"), 1),
            shown(median(rows, "/p50/error_us"), 1),
            shown(median(rows, "/p95/error_us"), 1),
            shown(median(rows, "/p99/error_us"), 1),
        );
        if tool != "curl" && bias.is_none_or(|bias| bias.abs() > 75.0) {
            broken.push(format!("{scenario}, {tool}: bias, µs {}, at most 75", shown(bias, 1)));
        }
    }
}

fn rates(groups: &Groups<'_>, broken: &mut Vec<String>) {
    if groups.is_empty() {
        return;
    }
    println!(
        "\n| line | way | control | tool | Mbit/s | of theory | range | warm-up, s | loaded P50, ms | error, ms | P95, ms | error, ms | full buffer, ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (key, rows) in groups {
        let (scenario, way, control, tool) = (key[0], key[1], key[2], key[3]);
        let ratio = median(rows, "/ratio");
        let range = numbers(rows, "/ratio");
        let ms = |path: &str| median(rows, path).map(|us| us / 1e3);
        let error = |path: &str| ms(path);
        println!(
            "| {scenario} | {way} | {control} | {tool} | {} | {} | {}–{} | {} | {} | {} | {} | {} | {} |",
            shown(median(rows, "/mbps"), 3),
            shown(ratio, 4),
            shown(range.first().copied(), 4),
            shown(range.last().copied(), 4),
            shown(ms("/warm_up_ms"), 1),
            shown(ms("/loaded/p50/wire_us"), 2),
            shown(error("/loaded/p50/error_us"), 3),
            shown(ms("/loaded/p95/wire_us"), 2),
            shown(error("/loaded/p95/error_us"), 3),
            shown(median(rows, "/full_buffer_ms"), 1),
        );
        if tool != "broadgauge" {
            continue;
        }
        let name = format!("{scenario} {way}, {control}");
        let least = if way == "down" { 0.995 } else { 0.99 };
        match ratio {
            Some(ratio) if (least..=1.002).contains(&ratio) => {}
            _ => broken
                .push(format!("{name}: {} of theory, at least {least} and at most 1.002", shown(ratio, 4))),
        }
        if range.last().is_some_and(|most| *most > 1.002) {
            broken.push(format!(
                "{name}: one run read {} of theory, above 1.002",
                shown(range.last().copied(), 4)
            ));
        }
        for q in ["p50", "p95"] {
            let wire = ms(&format!("/loaded/{q}/wire_us")).unwrap_or(f64::NAN);
            let error = error(&format!("/loaded/{q}/error_us")).unwrap_or(f64::INFINITY).abs();
            if error > (wire * 0.002).max(0.2) {
                broken.push(format!("{name}: the loaded {q} is {error:.3} ms off the wire's {wire:.2}"));
            }
        }
        if let Some(seconds) = median(rows, "/seconds").filter(|seconds| *seconds > 25.0) {
            broken.push(format!("{name}: idle, down, up and loaded delay took {seconds:.1} s, at most 25"));
        }
    }
    full_buffers(groups, broken);
}

/// Loss-based control fills a deep buffer that loses nothing by chance: the loaded delay must come near the bound.
fn full_buffers(groups: &Groups<'_>, broken: &mut Vec<String>) {
    for (key, rows) in groups {
        let (scenario, way, control, tool) = (key[0], key[1], key[2], key[3]);
        if (tool, control, way, scenario) != ("broadgauge", "cubic", "up", "S3") {
            continue;
        }
        let bound = median(rows, "/full_buffer_ms").unwrap_or(f64::NAN);
        let reached = median(rows, "/loaded/p95/wire_us").map_or(f64::NAN, |us| us / 1e3);
        if (reached / bound - 1.0).abs() > 0.05 {
            broken.push(format!(
                "{scenario} {way}: the loaded P95 is {reached:.1} ms, the full buffer {bound:.1} ms"
            ));
        }
    }
}

fn costs(groups: &Groups<'_>, broken: &mut Vec<String>) {
    if groups.is_empty() {
        return;
    }
    println!(
        "\n| bare cable, segmentation offload | way | control | Gbit/s | client's core-seconds per Gbit |\n|---|---|---|---|---|"
    );
    for (key, rows) in groups {
        let (tool, way, control) = (key[0], key[1], key[2]);
        let cost = median(rows, "/core_seconds_per_gbit");
        println!("| {tool} | {way} | {control} | {} | {} |", shown(median(rows, "/gbps"), 1), shown(cost, 4));
        // Where the kernel paces, its timers cost more than the bytes, and both tools pay alike.
        let peer =
            groups.get(&vec!["iperf3", way, control]).and_then(|rows| median(rows, "/core_seconds_per_gbit"));
        let most = if control == "cubic" { 0.025 } else { peer.unwrap_or(0.025).max(0.025) };
        if tool == "broadgauge" && cost.is_none_or(|cost| cost > most) {
            broken.push(format!(
                "bare cable, {way}, {control}: {} core-seconds per Gbit, at most {}",
                shown(cost, 4),
                shown(Some(most), 4)
            ));
        }
    }
}
