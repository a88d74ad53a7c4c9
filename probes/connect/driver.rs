//! Makes the attempts: non-blocking `connect` on the slots of a pace, `ppoll` for what becomes of them; on virtual time, a task
//! for each.
//!
//! Open loop: a slot does not wait for the attempt before it, so that slow answers do not thin out the sample.

use super::meter::{Attempt, Fate};
use crate::attempts::{self, Slot};
use crate::net::{Connection, Tap};
use crate::pace::Pace;
use crate::probe::{Binding, Context, Event, Stop};
use crate::tcp::info::{TcpInfo, tcp_info};
use crate::tcp::{self, ConnectError};
use broadgauge_model::clock::{Clock, Mono, Span, Wall};
use broadgauge_model::result::Load;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use socket2::Socket;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;

/// More attempts at once than anybody needs; slots beyond are missed.
const MOST_UNDER_WAY: usize = 256;
const MISSED: &str = "the slot passed before this machine could connect";
/// How soon a stop is noticed.
const NOTICE: Span = Span::millis(50);

/// Whom, when and how.
pub(super) struct Plan {
    pub(super) to: SocketAddr,
    pub(super) binding: Binding,
    pub(super) pace: Pace,
    pub(super) timeout: Span,
}

struct UnderWay {
    socket: Socket,
    index: u64,
    intended: Span,
    called: Mono,
    at: Wall,
}

/// Runs the plan; `told` hears of each attempt when its fate is known.
pub(super) fn run(
    plan: &Plan,
    clock: &dyn Clock,
    stop: &Stop,
    mut told: impl FnMut(&Attempt),
) -> Vec<Attempt> {
    let start = clock.mono();
    let mut slots = (0_u64..).zip(plan.pace.slots()).peekable();
    let mut under_way: Vec<UnderWay> = Vec::new();
    let mut done = Vec::new();
    let mut keep = |attempt: Attempt| {
        told(&attempt);
        done.push(attempt);
    };
    while !stop.is_set() {
        let now = clock.mono();
        if let Some((index, intended)) = slots.next_if(|(_, slot)| start + *slot <= now) {
            let passed = slots.peek().is_some_and(|(_, next)| start + *next <= now);
            if passed || under_way.len() >= MOST_UNDER_WAY {
                let fate = Fate::NotAsked(String::from(MISSED));
                keep(Attempt { index, intended, sent: None, at: clock.wall(), fate });
            } else {
                let (at, called) = (clock.wall(), clock.mono());
                match call(plan) {
                    Ok(socket) => under_way.push(UnderWay { socket, index, intended, called, at }),
                    Err(error) => {
                        let fate = failed(&error, clock.mono() - called);
                        let sent = (!matches!(fate, Fate::NotAsked(_))).then(|| called - start);
                        keep(Attempt { index, intended, sent, at, fate });
                    }
                }
            }
            continue;
        }
        let next_slot = slots.peek().map(|(_, slot)| start + *slot);
        let next_deadline = under_way.iter().map(|one| one.called + plan.timeout).min();
        let Some(wake) = [next_slot, next_deadline].into_iter().flatten().min() else { break };
        let ready = wait(&under_way, (wake - now).min(NOTICE));
        let now = clock.mono();
        for at in (0..under_way.len()).rev() {
            if !ready[at] && now < under_way[at].called + plan.timeout {
                continue;
            }
            let one = under_way.swap_remove(at);
            let fate = if ready[at] { fate(&one, now) } else { Fate::Silent };
            let sent = Some(one.called - start);
            keep(Attempt { index: one.index, intended: one.intended, sent, at: one.at, fate });
        }
    }
    done.sort_unstable_by_key(|attempt| attempt.index);
    done
}

/// The same on virtual time.
pub(super) async fn run_virtual(plan: &Plan, context: &Context) -> Vec<Attempt> {
    let attempt = |_| {
        let (net, clock) = (Arc::clone(&context.net), Arc::clone(&context.clock));
        let (to, binding, timeout) = (plan.to, plan.binding.clone(), plan.timeout);
        async move {
            let called = clock.mono();
            let made = net.connect(&Connection::plain(to, &binding), timeout).await;
            let elapsed = clock.mono() - called;
            match made {
                Ok(wire) => {
                    let info = Tap::of(&wire).ok().and_then(|tap| tap.info()).unwrap_or_default();
                    connected(elapsed, &info)
                }
                Err(ConnectError::There(error)) => failed(&error, elapsed),
                Err(other) => Fate::NotAsked(other.to_string()),
            }
        }
    };
    let of = |slot: &Slot<Fate>| Attempt {
        index: slot.index,
        intended: slot.intended,
        sent: slot.sent,
        at: slot.at,
        fate: slot.came_to.clone().unwrap_or_else(|| Fate::NotAsked(String::from(MISSED))),
    };
    let told = |slot: &Slot<Fate>| {
        context.tell(Event::Singleton { load: Load::Idle, singleton: of(slot).singleton() });
    };
    let slots = attempts::run(context, &plan.pace, MOST_UNDER_WAY, attempt, told).await;
    slots.iter().map(of).collect()
}

/// Starts an attempt. `Err` where its fate is known at once.
fn call(plan: &Plan) -> io::Result<Socket> {
    let socket = tcp::open(plan.to, &plan.binding).map_err(io::Error::other)?;
    match tcp::call(&socket, plan.to) {
        Ok(()) => Ok(socket),
        // No kind that tells of an answer.
        Err(here @ (ConnectError::Here(_) | ConnectError::Door(_))) => Err(io::Error::other(here)),
        Err(ConnectError::There(error)) => Err(error),
    }
}

/// Which attempts have an answer, waiting at most `longest`.
fn wait(under_way: &[UnderWay], longest: Span) -> Vec<bool> {
    let mut fds: Vec<PollFd<'_>> =
        under_way.iter().map(|one| PollFd::new(one.socket.as_fd(), PollFlags::POLLOUT)).collect();
    // An interrupted call finds nothing ready, and the caller comes back.
    let found = ppoll(&mut fds, Some(TimeSpec::from_duration(longest.to_std())), None).unwrap_or(0);
    fds.iter().map(|fd| found > 0 && fd.any().unwrap_or(true)).collect()
}

/// What an answered attempt came to.
fn fate(one: &UnderWay, now: Mono) -> Fate {
    let elapsed = now - one.called;
    match one.socket.take_error() {
        Ok(None) => connected(elapsed, &tcp_info(&one.socket).unwrap_or_default()),
        Ok(Some(error)) => failed(&error, elapsed),
        Err(error) => Fate::NotAsked(error.to_string()),
    }
}

fn connected(elapsed: Span, info: &TcpInfo) -> Fate {
    Fate::Connected {
        elapsed,
        handshake: info.rtt_us.map(|us| Span::micros(us.into())),
        again: info.retransmitted_segments.unwrap_or(0) > 0,
    }
}

fn failed(error: &io::Error, elapsed: Span) -> Fate {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Fate::Refused(elapsed),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Fate::Unreachable,
        ErrorKind::TimedOut => Fate::Silent,
        _ => Fate::NotAsked(error.to_string()),
    }
}
