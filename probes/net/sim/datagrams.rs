//! Datagram sockets of the virtual network.

use super::clockwork::SimNet;
use super::world::{Coming, Event, Going, HOPS, NEAR, News, UDP_HEADER, near_port};
use crate::codec::icmp::Version;
use crate::codec::icmp_error::{self, Trouble};
use crate::net::{ClockState, Datagrams, End, Inbox, Now, Outgoing, Packet, Protocol, Report, Wanted};
use broadgauge_model::clock::{Mono, Span, Wall};
use futures_util::future::BoxFuture;
use rand::RngExt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

pub(super) struct SimSocket {
    pub(super) net: SimNet,
    pub(super) socket: usize,
    pub(super) wanted: Wanted,
}

impl Datagrams for SimSocket {
    fn now(&self) -> Now {
        self.net.world().now()
    }

    fn clock_state(&self) -> ClockState {
        ClockState { synchronised: true, error: Span::micros(500) }
    }

    fn local(&self) -> SocketAddr {
        SocketAddr::new(self.wanted.binding.source.unwrap_or(NEAR), near_port(self.socket))
    }

    fn is_raw(&self) -> bool {
        false
    }

    fn send(&mut self, packet: &Outgoing<'_>) -> io::Result<()> {
        let mut world = self.net.world();
        world.mono = world.mono + Span::from_secs_f64(world.scenario.host.send_us / 1e6);
        let left = world.mono;
        if world.scenario.host.kernel_stamps && self.wanted.transmit_stamps {
            let at = world.wall_at(left);
            world.sockets[self.socket].news.push_back(News::Left { id: packet.id, at });
        }
        let to = packet.to.map_or(self.wanted.end.address(), |(to, _)| to);
        let ttl = packet.marks.ttl.or(self.wanted.ttl).unwrap_or(64);
        let (protocol, bytes) = (self.wanted.protocol, packet.bytes.to_vec());
        world.set_out(left, &Going { protocol, socket: self.socket, to, bytes, ttl });
        Ok(())
    }

    fn news(&self, until: Mono) -> Option<BoxFuture<'static, ()>> {
        let (net, socket) = (self.net.clone(), self.socket);
        net.set_going();
        let mut planned = until == Mono(u64::MAX);
        Some(Box::pin(poll_fn(move |cx| {
            let mut world = net.world();
            if world.mono >= until || world.sockets[socket].has_arrived() {
                return Poll::Ready(());
            }
            if !planned {
                planned = true;
                world.plan(until, Event::Due { socket });
            }
            world.sockets[socket].waiting = Some(cx.waker().clone());
            Poll::Pending
        })))
    }

    fn wait(&mut self, _: Mono, inbox: &mut dyn Inbox) -> io::Result<()> {
        // Virtual time stands still while a thread is held.
        self.take_in(inbox)
    }

    fn take_in(&mut self, inbox: &mut dyn Inbox) -> io::Result<()> {
        let (news, kernel_stamps, now) = {
            let mut world = self.net.world();
            world.sit_out_pauses();
            let arrived = world.sockets[self.socket].has_arrived();
            let news = std::mem::take(&mut world.sockets[self.socket].news);
            if arrived {
                let wake = world.rng.random::<f64>() * world.scenario.host.wake_us;
                world.mono = world.mono + Span::from_secs_f64(wake / 1e6);
            }
            (news, world.scenario.host.kernel_stamps, world.now())
        };
        for news in news {
            match news {
                News::Left { id, at } => inbox.transmitted(id, at),
                News::Arrived { from, what: Coming::Bytes(bytes), at } => inbox.received(&Packet {
                    bytes: &bytes,
                    from,
                    to: None,
                    now,
                    kernel: kernel_stamps.then_some(at),
                    ttl: Some(255 - HOPS),
                    class: None,
                }),
                News::Arrived { from, what: Coming::Error(message), at } => {
                    let kernel = kernel_stamps.then_some(at);
                    self.told(inbox, from.ip(), &message, now, kernel);
                }
            }
        }
        Ok(())
    }
}

impl SimSocket {
    /// What a kernel makes of an ICMP error: it looks up whose packet is quoted, and hands on what is behind the UDP
    /// header, or from the ICMP header on.
    fn told(&self, inbox: &mut dyn Inbox, from: IpAddr, message: &[u8], now: Now, kernel: Option<Wall>) {
        let Some((trouble, quote)) = icmp_error::read(Version::V4, message) else { return };
        let mine = match self.wanted.protocol {
            Protocol::Udp => quote.protocol == icmp_error::UDP,
            Protocol::Icmp => quote.protocol == icmp_error::ICMP,
        };
        let elsewhere = matches!(self.wanted.end, End::To(to) if to.ip() != quote.to);
        if !mine || elsewhere {
            return;
        }
        if !self.wanted.reports {
            if trouble != Trouble::TimeExceeded {
                inbox.unreachable(io::ErrorKind::ConnectionRefused);
            }
            return;
        }
        let skipped = if self.wanted.protocol == Protocol::Udp { UDP_HEADER } else { 0 };
        let quoted = quote.body.get(skipped..).unwrap_or_default();
        inbox.reported(&Report { from, trouble, quoted, now, kernel, ttl: Some(255 - HOPS) });
    }
}
