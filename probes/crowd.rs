//! Many sessions that have time, on one thread: each with its own socket, all waited for together (`epoll`).
//!
//! A session that sends a packet a second needs no thread to itself, and two thousand of them shall not need two
//! thousand. The thread is as exact as one of its own: it wakes for each slot, and the lateness of every packet is in the
//! results, so that a crowd that grew too large shows. Sessions that send fast have a thread of their own.

use crate::net::{Datagrams, Inbox};
use crate::session::{Session, Step};
use broadgauge_model::clock::{Clock, Mono, Span, SystemClock};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};

/// How long a stop may go unnoticed.
const STOP_NOTICED: Span = Span::millis(100);
/// Sockets told of by one call.
const BATCH: usize = 256;
/// The name of the bell among the guests.
const BELL: u64 = 0;

/// A session under way, whatever it is.
trait Guest: Send {
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;
    /// Hands over what has arrived and does what is due. The time until the next thing is due; `None` when it is over.
    fn turn(&mut self, readable: bool) -> Option<Span>;
    fn is_stopped(&self) -> bool;
    /// Gives everything back to whom it came from.
    fn leave(self: Box<Self>);
}

/// Told when a session is over, with all that was given for it, and what ended it before its time.
type Told<S> = Box<dyn FnOnce(S, Box<dyn Datagrams>, io::Result<()>) + Send>;

struct Seated<S> {
    session: S,
    socket: Box<dyn Datagrams>,
    stopped: Box<dyn Fn() -> bool + Send>,
    told: Told<S>,
    ended: io::Result<()>,
}

impl<S: Session + Send> Seated<S> {
    fn go_on(&mut self, readable: bool) -> io::Result<Option<Span>> {
        if readable {
            self.socket.take_in(&mut self.session as &mut dyn Inbox)?;
        }
        loop {
            let now = self.socket.now();
            match self.session.step(now) {
                Step::Send(datagram) => crate::session::send(&mut self.session, &mut *self.socket, &datagram),
                Step::WaitUntil(until) => return Ok(Some((until - now.mono).max(Span::ZERO))),
                Step::Done => return Ok(None),
            }
        }
    }
}

impl<S: Session + Send> Guest for Seated<S> {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.socket.descriptor()
    }

    fn turn(&mut self, readable: bool) -> Option<Span> {
        self.go_on(readable).unwrap_or_else(|why| {
            self.ended = Err(why);
            None
        })
    }

    fn is_stopped(&self) -> bool {
        (self.stopped)()
    }

    fn leave(self: Box<Self>) {
        let Self { mut session, mut socket, told, ended, .. } = *self;
        // As at the end of `session::drive`, however it came.
        let ended = ended.and_then(|()| socket.take_in(&mut session as &mut dyn Inbox));
        told(session, socket, ended);
    }
}

/// The thread that all share, from the outside.
struct House {
    door: Sender<Box<dyn Guest>>,
    bell: Arc<EventFd>,
}

static HOUSE: OnceLock<Option<House>> = OnceLock::new();

fn house() -> Option<&'static House> {
    let open = || {
        let bell = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC).ok()?);
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).ok()?;
        epoll.add(&*bell, EpollEvent::new(EpollFlags::EPOLLIN, BELL)).ok()?;
        let (door, arrivals) = channel();
        let keeper = Keeper::new(epoll, Arc::clone(&bell), arrivals);
        std::thread::Builder::new().name(String::from("crowd")).spawn(move || keeper.keep()).ok()?;
        Some(House { door, bell })
    };
    HOUSE.get_or_init(open).as_ref()
}

/// Seats a session with the others. `Err` where the system has no thread or descriptor for them; the session is gone then.
pub fn seat<S: Session + Send + 'static>(
    session: S,
    socket: Box<dyn Datagrams>,
    stopped: Box<dyn Fn() -> bool + Send>,
    told: impl FnOnce(S, Box<dyn Datagrams>, io::Result<()>) + Send + 'static,
) -> io::Result<()> {
    let house = house().ok_or_else(|| io::Error::other("no thread for measurements that have time"))?;
    let seated = Seated { session, socket, stopped, told: Box::new(told), ended: Ok(()) };
    house.door.send(Box::new(seated)).map_err(|_| io::Error::other("the thread they share has ended"))?;
    // A full counter rings too.
    let _ = house.bell.write(1);
    Ok(())
}

/// The thread itself.
struct Keeper {
    epoll: Epoll,
    bell: Arc<EventFd>,
    arrivals: Receiver<Box<dyn Guest>>,
    clock: SystemClock,
    guests: HashMap<u64, (Mono, Box<dyn Guest>)>,
    due: BTreeSet<(Mono, u64)>,
    named: u64,
    looked: Mono,
}

impl Keeper {
    fn new(epoll: Epoll, bell: Arc<EventFd>, arrivals: Receiver<Box<dyn Guest>>) -> Self {
        Self {
            epoll,
            bell,
            arrivals,
            clock: SystemClock::start(),
            guests: HashMap::new(),
            due: BTreeSet::new(),
            named: BELL,
            looked: Mono(0),
        }
    }

    fn keep(mut self) {
        // A thread's timers may be 50 microseconds late by default. Slots are late by that much if this fails.
        if let Err(why) = nix::sys::prctl::set_timerslack(1) {
            tracing::debug!(error = %why, "timer slack left as it is");
        }
        let mut events = vec![EpollEvent::empty(); BATCH];
        loop {
            let now = self.clock.mono();
            if now - self.looked >= STOP_NOTICED {
                self.looked = now;
                self.see_off();
            }
            while let Some(&(at, name)) = self.due.first()
                && at <= self.clock.mono()
            {
                self.turn(name, false);
            }
            let found = match self.wait(&mut events) {
                Ok(found) => found,
                Err(Errno::EINTR) => continue,
                Err(why) => {
                    tracing::error!(error = %why, "the thread of slow measurements cannot wait");
                    return;
                }
            };
            for event in &events[..found] {
                match event.data() {
                    BELL => self.let_in(),
                    name => self.turn(name, true),
                }
            }
        }
    }

    /// Waits for packets, the bell or the next slot. The descriptor of all is itself waited for, to the nanosecond.
    fn wait(&self, events: &mut [EpollEvent]) -> nix::Result<usize> {
        let next = self.due.first().map_or(Span::secs(3_600), |&(at, _)| at - self.clock.mono());
        let longest = if self.guests.is_empty() { next } else { next.min(STOP_NOTICED) };
        let mut fds = [PollFd::new(self.epoll.0.as_fd(), PollFlags::POLLIN)];
        if ppoll(&mut fds, Some(TimeSpec::from_duration(longest.to_std())), None)? == 0 {
            return Ok(0);
        }
        self.epoll.wait(events, EpollTimeout::ZERO)
    }

    fn let_in(&mut self) {
        // Nothing to read: somebody else's ring was answered with ours.
        let _ = self.bell.read();
        while let Ok(guest) = self.arrivals.try_recv() {
            self.named += 1;
            let name = self.named;
            let added =
                guest.descriptor().map(|fd| self.epoll.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, name)));
            if !matches!(added, Some(Ok(()))) {
                tracing::error!("a measurement cannot be waited for");
                guest.leave();
                continue;
            }
            let now = self.clock.mono();
            self.guests.insert(name, (now, guest));
            self.due.insert((now, name));
            self.turn(name, false);
        }
    }

    fn turn(&mut self, name: u64, readable: bool) {
        let Some((at, guest)) = self.guests.get_mut(&name) else { return };
        match guest.turn(readable) {
            Some(wait) => {
                let next = self.clock.mono() + wait;
                self.due.remove(&(*at, name));
                self.due.insert((next, name));
                *at = next;
            }
            None => self.end(name),
        }
    }

    fn end(&mut self, name: u64) {
        let Some((at, guest)) = self.guests.remove(&name) else { return };
        self.due.remove(&(at, name));
        if let Some(fd) = guest.descriptor() {
            // Closing it takes it out as well.
            let _ = self.epoll.delete(fd);
        }
        guest.leave();
    }

    /// Ends those that were told to stop.
    fn see_off(&mut self) {
        let stopped: Vec<u64> =
            self.guests.iter().filter(|(_, (_, guest))| guest.is_stopped()).map(|(name, _)| *name).collect();
        for name in stopped {
            self.end(name);
        }
    }
}
