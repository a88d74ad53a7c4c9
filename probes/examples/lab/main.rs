//! A line of known properties between two network namespaces, and a judge of what tools measure over it, for the lab.
//!
//! - `lab line NEAR FAR LINE.toml LEDGER` is the line: a TUN device in each of the two named namespaces, and all packets
//!   between them delayed, queued, lost, held back and doubled as the file says, until standard input ends. The
//!   ledger says what was done to each UDP and ICMP packet.
//! - `lab delay FACTS.json`, `lab connection FACTS.json` and `lab throughput FACTS.json` hold one run of a tool against a
//!   capture on the client's own interface (the first against the ledger too), and print a row of JSON.
//! - `lab table ROWS.jsonl` prints the medians of the rows, held to bounds.
#![expect(clippy::print_stdout, reason = "a program of its own, whose output is data")]

mod capture;
mod flows;
mod judge;
mod ledger;
mod line;
mod load;
mod relay;
mod table;
mod tools;
mod tun;

use std::error::Error;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["line", near, far, line, ledger] => relay::run(near, far, line, ledger),
        ["delay", facts] => judge::delay(&serde_json::from_str(facts)?).map(|row| print(&row)),
        ["connection", facts] => judge::connection(&serde_json::from_str(facts)?).map(|row| print(&row)),
        ["throughput", facts] => load::throughput(&serde_json::from_str(facts)?).map(|rows| print(&rows)),
        ["table", rows] => table::run(&std::fs::read_to_string(rows)?),
        _ => Err(
            "use: lab line NEAR FAR LINE.toml LEDGER | lab delay JSON | lab connection JSON | lab throughput JSON | lab table ROWS"
                .into(),
        ),
    }
}

/// One row a line.
fn print(rows: &serde_json::Value) {
    match rows.as_array() {
        Some(rows) => rows.iter().for_each(|row| println!("{row}")),
        None => println!("{rows}"),
    }
}
