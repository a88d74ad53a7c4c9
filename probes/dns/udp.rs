//! Lookups over UDP, and over TCP where an answer was cut.

use super::lookup::{Fate, Lookup};
use super::once::Once;
use super::over;
use super::session::{Note, Plan, Strays, Stub};
use crate::books::{Books, Question as Asked};
use crate::codec::dns::Question;
use crate::delay::trip;
use crate::net::{End, Protocol, Wanted};
use crate::packets::{self, Door};
use crate::probe::{Context, ProbeError};
use broadgauge_model::clock::{Mono, Span};
use broadgauge_model::result::{Load, Outcome};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What came of all lookups.
pub(super) struct Ran {
    pub(super) lookups: Vec<Lookup>,
    pub(super) strays: Strays,
    pub(super) duplicates: u64,
    pub(super) door: Door,
    pub(super) kernel_stamps: u64,
}

/// When a cut answer was replaced, or that it was not.
type Replaced = Option<(Mono, Fate)>;

/// Runs the plan.
pub(super) async fn run(context: &Context, plan: Plan) -> Result<Ran, ProbeError> {
    let any =
        if plan.to.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    // A socket that hears everybody can tell when somebody else answers.
    let here = SocketAddr::new(context.binding.source.unwrap_or(any), 0);
    let plain = Wanted::plain(Protocol::Udp, End::At(here), &context.binding);
    let wanted = Wanted { transmit_stamps: true, reports: true, ..plain };
    let (tell, cut) = mpsc::unbounded_channel();
    let replacing = tokio::spawn(replace(context.clone(), plan.clone(), cut));
    let told: super::session::Cut = Box::new(move |lookup, question| {
        // Nobody listens any more once the measurement was dropped.
        drop(tell.send((lookup, question)));
    });
    let watcher = packets::watcher(context, Load::Idle);
    let net = Arc::clone(&context.net);
    let ran = packets::run(net, wanted, context.stop.clone(), move |_| Stub::new(plan, watcher, told)).await;
    let (stub, door) = ran?;
    let (books, notes, strays) = stub.close();
    let replaced = replacing.await.unwrap_or_default();
    let stamps = books.questions.iter().filter(|q| q.left.kernel.is_some()).count() as u64;
    let duplicates = books.strays.doubled_backward;
    Ok(Ran { lookups: lookups(&books, notes, &replaced), strays, duplicates, door, kernel_stamps: stamps })
}

/// Asks again over TCP what was cut over UDP, until nothing is told any more.
async fn replace(
    context: Context,
    plan: Plan,
    mut cut: mpsc::UnboundedReceiver<(u32, Question)>,
) -> HashMap<u32, Replaced> {
    let mut asking = JoinSet::new();
    while let Some((lookup, question)) = cut.recv().await {
        let context = context.clone();
        let (to, manner, timeout) = (plan.to, plan.manner, plan.timeout);
        asking.spawn(async move {
            let once = Once { to, question, manner, timeout, id: lookup as u16, secure: None };
            let asked = over::lookup(&context, &once).await;
            let done = context.clock.mono();
            (lookup, matches!(asked.fate, Fate::Answered(..)).then_some((done, asked.fate)))
        });
    }
    let mut out = HashMap::new();
    while let Some(done) = asking.join_next().await {
        out.extend(done.ok());
    }
    out
}

fn lookups(books: &Books, notes: Vec<Note>, replaced: &HashMap<u32, Replaced>) -> Vec<Lookup> {
    let mut questions = (0_u32..).zip(&books.questions).zip(notes).peekable();
    // What a stop left without an answer and within its time is neither answered nor lost.
    books
        .settled()
        .into_iter()
        .map(|singleton| {
            let (index, intended, at) = (singleton.index, singleton.intended, singleton.at);
            let mut lookup = Lookup {
                index,
                intended,
                sent: singleton.sent,
                at,
                fate: Fate::Lost,
                tries: 0,
                retried_over_tcp: false,
                connect: None,
                handshake: None,
            };
            if let Outcome::Unmeasured(why) = singleton.outcome {
                lookup.fate = Fate::NotAsked(why.0);
            }
            while questions.next_if(|((_, q), _)| q.slot < index).is_some() {}
            if let Some(((number, asked), note)) = questions.next_if(|((_, q), _)| q.slot == index) {
                lookup.tries = note.tries;
                if asked.failed.is_none() {
                    (lookup.fate, lookup.retried_over_tcp) = fate(asked, note, replaced.get(&number));
                }
            }
            lookup
        })
        .collect()
}

fn fate(asked: &Asked, note: Note, replaced: Option<&Replaced>) -> (Fate, bool) {
    let (Some(arrived), Some(answer)) = (asked.answer.filter(|answer| !answer.late), note.answer) else {
        return (Fate::Lost, false);
    };
    if !answer.truncated {
        return (Fate::Answered(trip(asked.left, arrived.arrived).total, answer), false);
    }
    match replaced {
        // What a customer waits for: from the first UDP packet to the whole answer.
        Some(Some((done, Fate::Answered(_, whole)))) => {
            let after: Span = *done - asked.left.user.mono;
            (Fate::Answered(after, whole.clone()), true)
        }
        _ => (Fate::Cut, false),
    }
}
