//! By which address a thing that listens is reached, here and from elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::commands::near::own_address;

/// The address by which this machine reaches what listens there.
pub(crate) fn locally(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The host and port by which other machines reach it. `host` is what they
/// call this one; what listens on loopback is reached by none of them, and so
/// keeps its address.
pub(crate) fn publicly(listen: SocketAddr, host: Option<&str>) -> String {
    let port = listen.port();
    match host.filter(|_| !listen.ip().is_loopback()) {
        Some(host) => format!("{host}:{port}"),
        None if listen.ip().is_unspecified() => SocketAddr::new(own_address(), port).to_string(),
        None => listen.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_reached_by_a_real_address() {
        let check = |listen: &str, local: &str, host: Option<&str>, public: &str| {
            let listen = listen.parse().expect("an address");
            assert_eq!(locally(listen).to_string(), local);
            assert_eq!(publicly(listen, host), public);
        };
        let here = "127.0.0.1:3010";
        check(here, here, None, here);
        check(here, here, Some("fleet"), here);
        check("0.0.0.0:3010", here, Some("fleet"), "fleet:3010");
        check("[::]:1", "[::1]:1", Some("fleet"), "fleet:1");
        check("10.0.0.1:1", "10.0.0.1:1", None, "10.0.0.1:1");
        check("10.0.0.1:1", "10.0.0.1:1", Some("fleet"), "fleet:1");
        let everywhere = "0.0.0.0:3010".parse().expect("an address");
        assert!(!publicly(everywhere, None).starts_with("0.0.0.0"));
    }
}
