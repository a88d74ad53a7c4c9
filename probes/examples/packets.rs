//! The packet methods by hand, for the lab, with a judge: what does the tool say, and what did the wire see?
//!
//! - `packets reflect ADDRESS` answers STAMP until its standard input ends.
//! - `packets stamp|ping ADDRESS PER_SECOND SECONDS FILE.csv` measures, and writes a line for each packet.
//! - `packets compare stamp|ping CAPTURE FILE.csv` holds each line against a capture (`tcpdump -w`, nanoseconds,
//!   Ethernet) taken on the interface that was measured through, and prints the table.
#![expect(clippy::print_stdout, reason = "a program of its own, whose output is data")]

use broadgauge_model::clock::{Clock, Span, SystemClock, Wall};
use broadgauge_model::result::Load;
use broadgauge_probes::books::Books;
use broadgauge_probes::codec::icmp::{self, Version};
use broadgauge_probes::codec::ntp::Format;
use broadgauge_probes::codec::stamp::{Mode, Reply, Request};
use broadgauge_probes::delay::trip;
use broadgauge_probes::net::real::RealNet;
use broadgauge_probes::net::{End, Protocol, Wanted};
use broadgauge_probes::packets::{self, Settings};
use broadgauge_probes::ping::session::{Pinger, Plan};
use broadgauge_probes::probe::{Binding, Context, Stop};
use broadgauge_probes::series::nearest_rank;
use broadgauge_probes::stamp::peer::Limits;
use broadgauge_probes::stamp::serve::serve;
use broadgauge_probes::stamp::{Stamp, exchange};
use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["reflect", address] => reflect(address.parse()?),
        [method, address, per_second, seconds, file] => {
            let settings = Settings {
                per_second: per_second.parse()?,
                duration_s: seconds.parse()?,
                ..Settings::default()
            };
            let books = measure(method, address.parse()?, &settings).await?;
            std::fs::write(file, lines(&books))?;
            println!("cpu_ms_per_s,{:.2}", cpu_ms()? / settings.duration_s);
            Ok(())
        }
        ["compare", method, capture, file] => {
            compare(method, &std::fs::read(capture)?, &std::fs::read_to_string(file)?)
        }
        _ => Err("use: packets reflect ADDRESS | packets METHOD ADDRESS PER_SECOND SECONDS FILE | \
                  packets compare METHOD CAPTURE FILE"
            .into()),
    }
}

fn cpu_ms() -> Outcome<f64> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let used = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((used.user_time().num_microseconds() + used.system_time().num_microseconds()) as f64 / 1e3)
}

fn reflect(at: SocketAddr) -> Outcome<()> {
    let net = RealNet::new(Arc::new(SystemClock::start()));
    let serving = serve(&net, at, &Binding::default(), Mode::Open, Limits::default())?;
    println!("{}", serving.address());
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    println!("{:?} cpu_ms {:.1}", serving.stop(), cpu_ms()?);
    Ok(())
}

async fn measure(method: &str, to: SocketAddr, settings: &Settings) -> Outcome<Books> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let context = Context::alone(&to, Arc::clone(&clock), 1);
    if method == "stamp" {
        return Ok(exchange(&Stamp::new(settings.clone()), &context, to, Load::Idle).await?.books);
    }
    let (pace, timeout) = settings.check("ping", context.seed)?;
    let version = if to.is_ipv4() { Version::V4 } else { Version::V6 };
    let plan =
        Plan { pace, timeout, version, payload_bytes: 56, identifier: 77, cookie: 0x1234_5678_9abc_def0 };
    let plain = Wanted::plain(Protocol::Icmp, End::To(to), &context.binding);
    let wanted = Wanted { transmit_stamps: true, ..plain };
    let net = Arc::new(RealNet::new(clock));
    let (pinger, _) = packets::run(net, wanted, Stop::never(), move |_| Pinger::new(plan, None)).await?;
    Ok(pinger.close())
}

/// `number, T4 - T1, T3 - T2, lateness`, in nanoseconds.
fn lines(books: &Books) -> String {
    let sent = books.questions.iter().filter(|question| question.failed.is_none()).count();
    let missed = books.missed as usize + books.questions.len() - sent;
    let mut out = format!("planned,{},sent,{sent},missed,{missed}\n", books.planned);
    for (number, question) in books.questions.iter().enumerate() {
        let late = question.left.user.mono - books.start.mono - question.planned;
        if let Some(answer) = question.answer {
            let trip = trip(question.left, answer.arrived);
            let far = answer.far.map_or(Span::ZERO, |far| far.sent.since(far.received));
            let kernel = [question.left.kernel, answer.arrived.kernel].iter().flatten().count();
            let number = answer.far.map_or(number as u32, |far| far.number);
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{number},{},{},{},{kernel}", trip.total.0, far.0, late.0);
        }
    }
    out
}

/// What the wire saw of one packet.
#[derive(Default)]
struct Seen {
    left: Option<Wall>,
    arrived: Option<Wall>,
    far: Span,
}

fn compare(method: &str, capture: &[u8], lines: &str) -> Outcome<()> {
    let wire = read_capture(method, capture)?;
    let (mut bias, mut plain, mut lateness, mut truth, mut told) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut kernel, mut unseen) = (0, 0);
    for line in lines.lines().skip(1) {
        let fields: Vec<i64> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let [number, total, far, late, stamps] = fields[..] else {
            return Err("a line of five fields".into());
        };
        lateness.push(Span(late));
        kernel += i64::from(stamps == 2);
        let Some(Seen { left: Some(left), arrived: Some(arrived), far: wire_far }) =
            wire.get(&(number as u32))
        else {
            unseen += 1;
            continue;
        };
        let wire_total = arrived.since(*left);
        // The far end's share is in the packets, so the wire's round trip can be cleared of it in the same way.
        bias.push((Span(total) - Span(far)) - (wire_total - *wire_far));
        plain.push((Span(total) - Span(far)) - wire_total);
        truth.push(wire_total - *wire_far);
        told.push(Span(total) - Span(far));
    }
    println!("{}", lines.lines().next().unwrap_or_default());
    println!("compared,{},not_in_capture,{unseen},kernel_stamps_both_ways,{kernel}", bias.len());
    println!("us,p1,p50,p99,max");
    for (name, values) in [
        ("tool_minus_wire", &mut bias),
        ("tool_minus_wire_with_peer_time", &mut plain),
        ("wire_round_trip", &mut truth),
        ("tool_round_trip", &mut told),
        ("send_lateness", &mut lateness),
    ] {
        values.sort_unstable();
        let at = |p| nearest_rank(values, p).map_or(f64::NAN, |span| span.0 as f64 / 1e3);
        println!("{name},{:.1},{:.1},{:.1},{:.1}", at(0.01), at(0.5), at(0.99), at(1.0));
    }
    Ok(())
}

fn read_capture(method: &str, capture: &[u8]) -> Outcome<HashMap<u32, Seen>> {
    let word = |at: usize| -> Option<u32> {
        capture.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes)
    };
    if word(0) != Some(0xa1b2_3c4d) || word(20) != Some(1) {
        return Err("not a capture with nanoseconds on Ethernet: use tcpdump --nano -w".into());
    }
    let mut seen: HashMap<u32, Seen> = HashMap::new();
    let mut at = 24;
    while let (Some(seconds), Some(nanos), Some(length)) = (word(at), word(at + 4), word(at + 8)) {
        let when = Wall(i64::from(seconds) * 1_000_000_000 + i64::from(nanos));
        let frame = &capture[at + 16..(at + 16 + length as usize).min(capture.len())];
        at += 16 + length as usize;
        let Some(ip) = frame.get(14..).filter(|ip| ip.len() > 28 && ip[0] == 0x45) else { continue };
        let length = usize::from(u16::from_be_bytes([ip[2], ip[3]])).min(ip.len());
        if method == "stamp" {
            read_stamp(&ip[28..length], when, &mut seen);
        } else {
            let number = |echo: icmp::Echo<'_>| {
                echo.payload.get(8..12).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes)
            };
            if let Some(number) = icmp::read_request(Version::V4, &ip[20..length]).and_then(number) {
                seen.entry(number).or_default().left = Some(when);
            }
            if let Some(number) = icmp::read_reply(Version::V4, &ip[20..length]).and_then(number) {
                seen.entry(number).or_default().arrived = Some(when);
            }
        }
    }
    Ok(seen)
}

/// A reply has a T2, a request has zeros there.
fn read_stamp(payload: &[u8], when: Wall, seen: &mut HashMap<u32, Seen>) {
    let (Ok(reply), Ok(request)) = (Reply::read(&Mode::Open, payload), Request::read(&Mode::Open, payload))
    else {
        return;
    };
    if reply.received.0 == 0 {
        seen.entry(request.sequence).or_default().left = Some(when);
    } else {
        let (received, sent) =
            (reply.received.near(when, Format::Ntp), reply.sent.at.near(when, Format::Ntp));
        let entry = seen.entry(reply.sender_sequence).or_default();
        entry.arrived = Some(when);
        entry.far = sent.since(received);
    }
}
