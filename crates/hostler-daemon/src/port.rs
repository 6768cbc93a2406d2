//! Ports that last: told to others once, and bound again after each restart.
//!
//! A port that the kernel chooses comes out of the range it lends to outgoing
//! connections. While its owner is down, any connection of the machine may be
//! given it and keep it; a client that goes on trying to reach it can even be
//! given it itself, and is then connected to nobody but itself. So a port that
//! shall last is chosen here, outside of that range.

use std::fs;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::ops::RangeInclusive;

/// Where lasting ports come from: above those of well-known services, below
/// what Linux lends and what Kubernetes gives its services.
const LASTING: RangeInclusive<u16> = 20_000..=29_999;

/// What Linux lends unless it is told otherwise (ip(7)).
const USUALLY_LENT: RangeInclusive<u16> = 32_768..=60_999;

/// Listens on a free port of this address that nobody is lent, or, if there
/// is none, on one of the kernel's choice.
///
/// # Errors
/// When the address is not of this machine, or no port is free at all.
pub fn listen(ip: IpAddr) -> io::Result<TcpListener> {
    let first = rand::random_range(LASTING);
    let free = lasting(first, &lent()).find_map(|port| TcpListener::bind((ip, port)).ok());
    free.map_or_else(|| TcpListener::bind((ip, 0)), Ok)
}

/// A port on which [`listen`] could listen a moment ago.
///
/// # Errors
/// As [`listen`].
pub fn free(ip: IpAddr) -> io::Result<u16> {
    Ok(listen(ip)?.local_addr()?.port())
}

/// All lasting ports, each once, from `first` on.
fn lasting(first: u16, lent: &RangeInclusive<u16>) -> impl Iterator<Item = u16> {
    let all = (first..=*LASTING.end()).chain(*LASTING.start()..first);
    all.filter(|port| !lent.contains(port))
}

fn lent() -> RangeInclusive<u16> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    text.ok()
        .and_then(|text| range(&text))
        .unwrap_or(USUALLY_LENT)
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let mut bounds = text.split_whitespace().map(str::parse);
    let (first, last) = (bounds.next()?.ok()?, bounds.next()?.ok()?);
    Some(first..=last)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn each_port_is_tried_once_and_none_that_is_lent() {
        for first in [20_000, 24_321, 29_999] {
            let tried: Vec<_> = lasting(first, &USUALLY_LENT).collect();
            assert_eq!(tried[0], first);
            assert_eq!(tried.iter().collect::<BTreeSet<_>>().len(), 10_000);
            assert_eq!(tried.len(), 10_000);
        }
        let tried: Vec<_> = lasting(20_005, &(20_010..=60_999)).collect();
        let expected: Vec<_> = (20_005..20_010).chain(20_000..20_005).collect();
        assert_eq!(tried, expected);
    }

    #[test]
    fn what_the_kernel_lends_is_read() {
        assert_eq!(range("32768\t60999\n"), Some(USUALLY_LENT));
        for text in ["", "1024", "a b", "1 70000"] {
            assert_eq!(range(text), None, "{text}");
        }
    }

    #[test]
    fn two_listeners_have_two_ports_outside_of_what_is_lent() {
        let two = [listen(HERE), listen(HERE)].map(|one| one.expect("a port"));
        let [one, other] = two
            .each_ref()
            .map(|one| one.local_addr().expect("an address").port());
        assert_ne!(one, other);
        assert!(!lent().contains(&one) && !lent().contains(&other));
    }
}
