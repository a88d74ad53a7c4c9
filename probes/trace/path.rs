//! What a trace found: every probe and its answer, then hop by hop.
//!
//! A hop's delay is that of the way there, of the router's own time to answer, and of a way back that may be
//! another. Routers answer when they have time, and many only so often a second: a loss at a hop that does not
//! show at the later ones is that router's silence, not the network's.

use crate::codec::icmp_error::Trouble;
use crate::delay::{Seen, Stamp, trip};
use crate::net::Now;
use crate::series::Reordering;
use broadgauge_model::clock::Span;
use broadgauge_model::result::Counts;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

/// The rounds of a trace and the rungs of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// How many rounds.
    pub rounds: u32,
    /// The first time to live; never zero.
    pub first: u8,
    /// The last.
    pub last: u8,
    /// How many rungs are asked beyond the highest that ever answered.
    pub silent: u8,
}

/// An answer to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When it arrived.
    pub arrived: Seen,
    /// From whom.
    pub from: IpAddr,
    /// What it says; `None` where the probe got there.
    pub trouble: Option<Trouble>,
    /// The time to live that the answer had left.
    pub ttl: Option<u8>,
    /// Whether it came after the timeout.
    pub late: bool,
}

impl Answer {
    /// Whether no probe gets further than this one.
    pub fn ends(&self, target: IpAddr) -> bool {
        self.from == target || self.trouble != Some(Trouble::TimeExceeded)
    }
}

/// A probe.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its time to live: the hop that it asks.
    pub ttl: u8,
    /// Its round.
    pub round: u32,
    /// Its slot.
    pub slot: u64,
    /// When the slot was planned, from the start.
    pub planned: Span,
    /// When it left.
    pub left: Seen,
    /// Why it did not leave.
    pub failed: Option<io::ErrorKind>,
    /// The first answer.
    pub answer: Option<Answer>,
    /// The answer's place among all.
    pub place: u64,
    /// Further answers.
    pub duplicates: u64,
    /// Whether the trace was stopped before it was answered or its timeout was over: that says nothing of the network.
    pub cut: bool,
}

impl Asked {
    /// That leaves now.
    pub const fn new(ttl: u8, round: u32, slot: u64, planned: Span, left: Seen) -> Self {
        Self {
            ttl,
            round,
            slot,
            planned,
            left,
            failed: None,
            answer: None,
            place: 0,
            duplicates: 0,
            cut: false,
        }
    }

    /// Whether an answer may still come.
    pub const fn is_open(&self) -> bool {
        self.failed.is_none() && self.answer.is_none()
    }

    /// The answer, if it came in time.
    pub fn in_time(&self) -> Option<&Answer> {
        self.answer.as_ref().filter(|answer| !answer.late)
    }

    /// The round-trip delay, if the answer came in time.
    pub fn delay(&self) -> Option<Span> {
        self.in_time().map(|answer| trip(self.left, answer.arrived).total)
    }
}

/// Everything that was asked and heard.
#[derive(Clone, Debug, Default)]
pub struct Path {
    /// When it began.
    pub start: Now,
    /// Every probe, by its number.
    pub asked: Vec<Asked>,
    /// Answers so far.
    pub arrivals: u64,
    /// Slots that passed unused because this machine was busy; their probes took the next ones.
    pub slots_missed: u64,
    /// What was no answer to a probe.
    pub unrecognised: u64,
    /// Reports that quote too little to know the probe by.
    pub short_quotes: u64,
    /// Further answers to answered probes.
    pub duplicates: u64,
}

/// One hop.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Its number from one: the time to live that asks it.
    pub number: u8,
    /// Who answered, and how often; who answered most often stands first.
    pub addresses: Vec<(IpAddr, u64)>,
    /// What was said; `None` is an answer of the target.
    pub said: BTreeMap<Option<Trouble>, u64>,
    /// The delays in order of sending.
    pub delays: Vec<Span>,
    /// The probes.
    pub counts: Counts,
    /// The least time to live that answers had left.
    pub ttl_left: Option<u8>,
}

impl Path {
    /// The hop at which the target answered.
    pub fn reached(&self, target: IpAddr) -> Option<u8> {
        let there = |asked: &&Asked| asked.in_time().is_some_and(|answer| answer.from == target);
        self.asked.iter().filter(there).map(|asked| asked.ttl).min()
    }

    /// The hop at which the ladder ended, whoever ended it, or the last that answered.
    pub fn last(&self, target: IpAddr) -> Option<u8> {
        let heard = |asked: &Asked| asked.in_time().map(|answer| (asked.ttl, answer.ends(target)));
        let heard: Vec<(u8, bool)> = self.asked.iter().filter_map(heard).collect();
        let ended = heard.iter().filter(|(_, ends)| *ends).map(|(ttl, _)| *ttl).min();
        ended.or_else(|| heard.iter().map(|(ttl, _)| *ttl).max())
    }

    /// Hop by hop as far as anybody answered. Beyond the end nobody is: rungs sent before it was known are left out.
    pub fn hops(&self, target: IpAddr) -> Vec<Hop> {
        let first = self.asked.iter().map(|asked| asked.ttl).min().unwrap_or(1);
        let last = self.last(target).unwrap_or(0);
        (first..=last).map(|number| self.hop(number)).collect()
    }

    fn hop(&self, number: u8) -> Hop {
        let asked: Vec<&Asked> =
            self.asked.iter().filter(|asked| asked.ttl == number && !asked.cut).collect();
        let mut addresses: BTreeMap<IpAddr, u64> = BTreeMap::new();
        let mut said = BTreeMap::new();
        let mut counts = Counts::default();
        let mut arrivals = Vec::new();
        let mut ttl_left: Option<u8> = None;
        for asked in &asked {
            counts.planned += 1;
            counts.duplicate += asked.duplicates;
            if asked.failed.is_some() {
                counts.missed += 1;
                continue;
            }
            counts.sent += 1;
            counts.late += u64::from(asked.answer.is_some_and(|answer| answer.late));
            let Some(answer) = asked.in_time() else {
                counts.lost += 1;
                continue;
            };
            counts.received += 1;
            *addresses.entry(answer.from).or_default() += 1;
            *said.entry(answer.trouble).or_default() += 1;
            arrivals.push((asked.place, u64::from(asked.round)));
            ttl_left = ttl_left.into_iter().chain(answer.ttl).min();
        }
        arrivals.sort_unstable();
        let rounds: Vec<u64> = arrivals.into_iter().map(|(_, round)| round).collect();
        counts.reordered = Reordering::of(&rounds).count();
        let mut addresses: Vec<_> = addresses.into_iter().collect();
        addresses.sort_by_key(|&(address, count)| (std::cmp::Reverse(count), address));
        let delays = asked.iter().filter_map(|asked| asked.delay()).collect();
        Hop { number, addresses, said, delays, counts, ttl_left }
    }

    /// How many answered probes were stamped by the kernel on the way out, and on the way in.
    pub fn kernel_stamps(&self) -> (u64, u64) {
        let trips = self.asked.iter().filter_map(|a| a.in_time().map(|answer| trip(a.left, answer.arrived)));
        trips.fold((0, 0), |(out, back), trip| {
            let kernel = |stamp| u64::from(stamp == Stamp::Kernel);
            (out + kernel(trip.transmit), back + kernel(trip.receive))
        })
    }
}
