//! A stub resolver over UDP as a state machine.
//!
//! Open loop: lookups begin on their slots whatever the answers do. A question without an answer is sent again under a new
//! number, as stubs do; the lookup's time runs from its first packet, and what was sent again is counted. An answer is one
//! from the resolver's address, to a number of ours and to the question asked under it; everything else is counted
//! and ignored.

use crate::books::Books;
use crate::codec::dns::{self, Answer, Manner, Question, Reading};
use crate::exchange::{Exchange, Turn, Watcher};
use crate::net::{Inbox, Marks, Now, Packet, Report};
use crate::pace::Pace;
use crate::session::{Datagram, Session, Step};
use broadgauge_model::clock::{Mono, Span, Wall};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// What a stub needs to know.
#[derive(Clone, Debug)]
pub struct Plan {
    /// When lookups begin.
    pub pace: Pace,
    /// When a lookup is given up.
    pub timeout: Span,
    /// After how long without an answer the question is sent again.
    pub retry: Span,
    /// How often it is sent at most.
    pub tries: u32,
    /// The resolver.
    pub to: SocketAddr,
    /// The source address, where one is set.
    pub source: Option<IpAddr>,
    /// What is asked.
    pub question: Question,
    /// Whether each lookup asks for a name of its own under that.
    pub fresh: bool,
    /// How it is asked.
    pub manner: Manner,
    /// What numbers and labels are drawn from.
    pub seed: u64,
}

/// What came of one lookup beside its delay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// How often the question was sent.
    pub tries: u32,
    /// Which of these was answered.
    pub answered_try: Option<u32>,
    /// The answer.
    pub answer: Option<Answer>,
}

/// What was heard and was no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strays {
    /// From another address than the resolver's.
    pub wrong_source: u64,
    /// Under a number that nothing was asked under.
    pub wrong_id: u64,
    /// To another question.
    pub wrong_question: u64,
    /// Not DNS.
    pub malformed: u64,
    /// ICMP errors about our packets.
    pub unreachable: u64,
}

struct Asked {
    lookup: u32,
    attempt: u32,
}

/// Told of a lookup whose answer was cut: its number and its question.
pub(super) type Cut = Box<dyn FnMut(u32, Question) + Send>;

/// The state machine.
pub struct Stub {
    plan: Plan,
    exchange: Exchange,
    rng: ChaCha8Rng,
    notes: Vec<Note>,
    questions: HashMap<u32, Question>,
    asked: HashMap<u16, Asked>,
    /// When numbers are free again.
    kept: VecDeque<(Mono, u16, u32)>,
    /// When which lookup is to be sent again.
    again: BTreeMap<(Mono, u32), u32>,
    strays: Strays,
    cut: Cut,
}

impl Stub {
    /// Ready to start at its first step. The watcher is told of each lookup's fate.
    pub(super) fn new(plan: Plan, watcher: Option<Watcher>, cut: Cut) -> Self {
        Self {
            exchange: Exchange::new(plan.pace, plan.timeout, watcher),
            rng: ChaCha8Rng::seed_from_u64(plan.seed ^ 0x6964),
            notes: Vec::new(),
            questions: HashMap::new(),
            asked: HashMap::new(),
            kept: VecDeque::new(),
            again: BTreeMap::new(),
            strays: Strays::default(),
            cut,
            plan,
        }
    }

    /// Closes the books.
    pub fn close(self) -> (Books, Vec<Note>, Strays) {
        (self.exchange.close(), self.notes, self.strays)
    }

    /// A packet that asks, under a number of its own.
    fn ask(&mut self, lookup: u32, now: Mono) -> Datagram {
        while let Some((_, id, lookup)) = self.kept.pop_front_if(|(until, _, _)| *until < now) {
            self.asked.remove(&id);
            self.questions.remove(&lookup);
        }
        let mut id: u16 = self.rng.random();
        while self.asked.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        let note = &mut self.notes[lookup as usize];
        let attempt = note.tries;
        note.tries += 1;
        self.asked.insert(id, Asked { lookup, attempt });
        // Twice the time, so that a late answer is known as one.
        self.kept.push_back((now + self.plan.timeout + self.plan.timeout, id, lookup));
        if note.tries < self.plan.tries {
            self.again.insert((now + self.plan.retry, lookup), attempt);
        }
        let question = self.questions.get(&lookup).unwrap_or(&self.plan.question);
        Datagram {
            id: u64::from(lookup) | (u64::from(attempt) << 32),
            to: Some((self.plan.to, self.plan.source)),
            marks: Marks::default(),
            bytes: question.write(id, self.plan.manner).unwrap_or_default(),
        }
    }

    /// The first lookup that is to be sent again by now.
    fn overdue(&mut self, now: Mono) -> Option<u32> {
        while let Some((&(at, lookup), _)) = self.again.first_key_value() {
            if at > now {
                return None;
            }
            self.again.pop_first();
            let waits = self.exchange.question(lookup).is_some_and(|question| {
                question.answer.is_none() && now - question.left.user.mono < self.plan.timeout
            });
            if waits {
                return Some(lookup);
            }
        }
        None
    }
}

impl Inbox for Stub {
    fn received(&mut self, packet: &Packet<'_>) {
        if packet.from != self.plan.to {
            self.strays.wrong_source += 1;
            return;
        }
        let Some(id) = dns::id_of(packet.bytes) else {
            self.strays.malformed += 1;
            return;
        };
        let Some(&Asked { lookup, attempt }) = self.asked.get(&id) else {
            self.strays.wrong_id += 1;
            return;
        };
        let question = self.questions.get(&lookup).unwrap_or(&self.plan.question);
        match question.read(id, packet.bytes) {
            Reading::Answer(answer) => {
                let first = self.exchange.question(lookup).is_some_and(|q| q.answer.is_none());
                self.exchange.answered(lookup, packet, None);
                if first {
                    let late = self.exchange.question(lookup).and_then(|q| q.answer).is_none_or(|a| a.late);
                    if answer.truncated && !late {
                        (self.cut)(lookup, question.clone());
                    }
                    let note = &mut self.notes[lookup as usize];
                    (note.answered_try, note.answer) = (Some(attempt), Some(answer));
                }
            }
            Reading::WrongId => self.strays.wrong_id += 1,
            Reading::WrongQuestion => self.strays.wrong_question += 1,
            Reading::Malformed => self.strays.malformed += 1,
        }
    }

    fn transmitted(&mut self, id: u64, at: Wall) {
        // A lookup's time runs from its first packet.
        if id >> 32 == 0 {
            self.exchange.transmitted(id, at);
        }
    }

    fn reported(&mut self, _: &Report<'_>) {
        self.strays.unreachable += 1;
    }

    fn unreachable(&mut self, _: io::ErrorKind) {
        self.strays.unreachable += 1;
    }
}

impl Session for Stub {
    fn step(&mut self, now: Now) -> Step {
        if let Some(lookup) = self.overdue(now.mono) {
            return Step::Send(self.ask(lookup, now.mono));
        }
        match self.exchange.turn(now) {
            Turn::Ask(lookup) => {
                self.notes.push(Note::default());
                if self.plan.fresh {
                    let label = format!("bg{:016x}", self.rng.random::<u64>());
                    // The label fits: that was seen to when the settings were read.
                    if let Ok(question) = self.plan.question.under(&label) {
                        self.questions.insert(lookup, question);
                    }
                }
                Step::Send(self.ask(lookup, now.mono))
            }
            Turn::Wait(until) => {
                let again = self.again.first_key_value().map(|(&(at, _), _)| at);
                Step::WaitUntil(again.map_or(until, |at| at.min(until)))
            }
            Turn::Done => Step::Done,
        }
    }

    fn send_failed(&mut self, id: u64, why: &io::Error) {
        // A lookup whose first packet left was asked, whatever became of the others.
        if id >> 32 == 0 {
            self.exchange.failed(id, why);
        }
    }
}
