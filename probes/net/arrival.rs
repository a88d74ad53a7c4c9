//! When what waits on a connection came, by the kernel's own stamp: being woken up for it is not in it. Segments that the
//! kernel joins while nobody reads bear the stamp of the last of them: the time is then late, and never later than the
//! wake-up.

use super::stamp::{of_arrivals, stamp_of};
use broadgauge_model::clock::Wall;
use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, Timestamps, recvmsg, setsockopt, sockopt};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Asks the kernel to stamp what arrives on a socket. Where it does not, the time is taken after waking up.
pub(super) fn ask(socket: &impl AsFd) {
    if let Err(why) = setsockopt(socket, sockopt::Timestamping, &of_arrivals()) {
        tracing::debug!(error = %why, "no kernel timestamps of what arrives");
    }
}

/// When the first of what waits to be read arrived; nothing where nothing waits, or the kernel does not say.
pub(super) fn of_waiting(stream: &TcpStream) -> Option<Wall> {
    let stamp = stream.try_io(Interest::READABLE, || {
        let mut byte = [0];
        let mut control = cmsg_space!(Timestamps);
        let mut into = [IoSliceMut::new(&mut byte)];
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<()>(stream.as_raw_fd(), &mut into, Some(&mut control), flags)
            .map_err(io::Error::from)?;
        let stamps = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::ScmTimestampsns(stamps) => stamp_of(&stamps),
            _ => None,
        });
        Ok(stamps)
    });
    // What is wrong with a connection is told to who reads it.
    stamp.ok().flatten()
}
