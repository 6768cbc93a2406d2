//! The guest's network: the loopback, and one link that leads to the node's
//! NATS server and nowhere else.

use std::fs;
use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, recv, sendto, socket};

use super::GuestError;
use super::line::Line;
use super::netlink;

const LINK: &str = "eth0";
const ANSWER: usize = 4_096;

/// Brings up loopback and the link, with the address of the kernel line.
pub(super) fn set_up(line: Line) -> Result<(), GuestError> {
    let failed = |what| move |source| GuestError::Network { what, source };
    let loopback = index("lo").map_err(failed("find the loopback"))?;
    ask(&netlink::link_up(loopback)).map_err(failed("switch the loopback on"))?;
    let card = index(LINK).map_err(failed("find the network link"))?;
    let address = netlink::address_add(card, line.address, line.prefix);
    ask(&address).map_err(failed("set the address"))?;
    ask(&netlink::link_up(card)).map_err(failed("switch the network link on"))
}

fn index(link: &str) -> io::Result<u32> {
    let text = fs::read_to_string(format!("/sys/class/net/{link}/ifindex"))?;
    text.trim().parse().map_err(io::Error::other)
}

fn ask(message: &[u8]) -> io::Result<()> {
    // No protocol named is the one for routes, links and addresses.
    let talk = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    let kernel = SocketAddrNetlink::new(0, 0);
    sendto(&talk, message, SendFlags::empty(), &kernel)?;
    let mut bytes = vec![0; ANSWER];
    let (read, _) = recv(&talk, &mut bytes[..], RecvFlags::empty())?;
    netlink::answer(bytes.get(..read).unwrap_or_default())
}
