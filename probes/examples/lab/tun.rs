//! A TUN device in another network namespace.

use nix::sched::{CloneFlags, setns};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;

const TUNSETIFF: libc::c_ulong = 0x4004_54ca;
const IFF_TUN: libc::c_short = 0x0001;
const IFF_NO_PI: libc::c_short = 0x1000;

#[repr(C)]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    flags: libc::c_short,
    rest: [u8; 22],
}

/// Makes the device `name` in a namespace that `ip netns` knows; reads and writes are whole IP packets, and never block.
pub(crate) fn open(namespace: &str, name: &'static str) -> io::Result<File> {
    let path = format!("/run/netns/{namespace}");
    // Only this thread enters the namespace, and it ends there.
    std::thread::spawn(move || {
        setns(File::open(path)?, CloneFlags::CLONE_NEWNET)?;
        let device =
            OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
        attach(&device, name)?;
        Ok(device)
    })
    .join()
    .map_err(|_| io::Error::other("the thread that opens the device failed"))?
}

#[expect(unsafe_code, reason = "no safe library attaches a TUN device")]
fn attach(device: &File, name: &str) -> io::Result<()> {
    let mut request = Request { name: [0; libc::IFNAMSIZ], flags: IFF_TUN | IFF_NO_PI, rest: [0; 22] };
    request.name[..name.len()].copy_from_slice(name.as_bytes());
    // SAFETY: the request has the layout and the size (40 bytes) of `struct ifreq` and lives until the call returns; the
    // name ends in a zero, for it is shorter than the field.
    let code = unsafe { libc::ioctl(device.as_raw_fd(), TUNSETIFF, &raw mut request) };
    if code < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
