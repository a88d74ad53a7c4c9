//! Lookups over connections, each on one of its own: the connection and the handshake are timed apart from the question.

use super::https;
use super::lookup::{Fate, Lookup};
use super::once::Once;
use super::stream::{self, Strays};
use crate::attempts::{self, Slot};
use crate::dial::{DialError, Times, Why, dial_address};
use crate::pace::Pace;
use crate::probe::{Context, Event};
use broadgauge_model::result::Load;
use std::io::ErrorKind;

/// More lookups at once than anybody needs; slots beyond are missed.
const MOST_UNDER_WAY: usize = 256;

/// What came of it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) fate: Fate,
    pub(super) times: Times,
    pub(super) strays: Strays,
}

/// What came of all.
pub(super) struct Ran {
    pub(super) lookups: Vec<Lookup>,
    pub(super) strays: Strays,
}

/// One lookup over a connection of its own, from the connection on.
pub(super) async fn lookup(context: &Context, once: &Once) -> Asked {
    let mut out = Asked { fate: Fate::Lost, times: Times::default(), strays: Strays::default() };
    let asking = ask(context, once, &mut out.times, &mut out.strays);
    let fate = tokio::time::timeout(once.timeout.to_std(), asking).await.unwrap_or(Fate::Lost);
    Asked { fate, ..out }
}

async fn ask(context: &Context, once: &Once, times: &mut Times, strays: &mut Strays) -> Fate {
    let name = once.secure.as_ref().map_or("", |secure| secure.name.as_str());
    let client = once.secure.as_ref().map(|secure| &secure.client);
    let dialled = dial_address(context, name, once.to, client, once.timeout, Times::default()).await;
    let mut dialled = match dialled {
        Ok(dialled) => dialled,
        Err(DialError::There { phase, why, times: so_far }) => {
            *times = so_far;
            return match why {
                Why::Silent | Why::Unreachable => Fate::Lost,
                Why::Refused | Why::Wrong(_) => Fate::Refused(format!("{}: {why}", phase.words())),
            };
        }
        Err(error) => return Fate::NotAsked(error.to_string()),
    };
    *times = dialled.times;
    let Some(path) = once.secure.as_ref().and_then(|secure| secure.path.as_deref()) else {
        let answer =
            stream::ask(&mut dialled.stream, &once.question, once.id, once.manner, &*context.clock, strays);
        return answer.await.unwrap_or_else(|why| match why.kind() {
            ErrorKind::TimedOut => Fate::Lost,
            _ => Fate::Refused(String::from("the resolver closed the connection")),
        });
    };
    https::ask(dialled, once, name, path, strays).await
}

/// Makes lookups on the slots of a pace; `ask` makes one.
pub(super) async fn run<F>(context: &Context, pace: &Pace, ask: impl Fn(u64) -> F) -> Ran
where
    F: Future<Output = Asked> + Send + 'static,
{
    let slots = attempts::run(context, pace, MOST_UNDER_WAY, ask, |slot| {
        context.tell(Event::Singleton { load: Load::Idle, singleton: lookup_of(slot).singleton() });
    })
    .await;
    let mut strays = Strays::default();
    for asked in slots.iter().filter_map(|slot| slot.came_to.as_ref()) {
        strays.add(asked.strays);
    }
    Ran { lookups: slots.iter().map(lookup_of).collect(), strays }
}

fn lookup_of(slot: &Slot<Asked>) -> Lookup {
    let asked = slot.came_to.as_ref();
    let missed = || Fate::NotAsked(String::from("the slot passed before this machine could ask"));
    Lookup {
        index: slot.index,
        intended: slot.intended,
        sent: slot.sent,
        at: slot.at,
        fate: asked.map_or_else(missed, |asked| asked.fate.clone()),
        tries: u32::from(asked.is_some()),
        retried_over_tcp: false,
        connect: asked.and_then(|asked| asked.times.connect),
        handshake: asked.and_then(|asked| asked.times.tls),
    }
}
