//! Which address of this machine others can reach, found without sending
//! anything: the kernel is asked which one it would speak from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};

/// The address from which this machine speaks to the host of a URL.
pub(crate) fn address_towards(url: &str) -> Option<IpAddr> {
    let (_, rest) = url.split_once("://")?;
    let place = rest.split(['/', '?', '#']).next()?;
    let place = place.rsplit('@').next()?;
    let with_port = if place
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    {
        place.to_owned()
    } else {
        format!("{place}:80")
    };
    with_port.to_socket_addrs().ok()?.find_map(address_to)
}

/// The address from which this machine speaks to far ones; loopback, if it
/// knows no way there.
pub(crate) fn own_address() -> IpAddr {
    // An address that is reserved for documentation: nobody has it.
    let far = SocketAddr::from(([192, 0, 2, 1], 9));
    address_to(far).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn address_to(there: SocketAddr) -> Option<IpAddr> {
    let any = if there.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(there).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_loopback_is_spoken_to_from_loopback() {
        let check = |url: &str, expected: Option<&str>| {
            let expected = expected.map(|text| text.parse().expect("an address"));
            assert_eq!(address_towards(url), expected, "{url}");
        };
        check("http://127.0.0.1:3010", Some("127.0.0.1"));
        check("http://127.0.0.1", Some("127.0.0.1"));
        check("https://me@127.0.0.1/api?x#y", Some("127.0.0.1"));
        check("127.0.0.1:3010", None);
        check("http://", None);
    }
}
