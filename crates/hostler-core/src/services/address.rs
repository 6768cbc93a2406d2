//! Which addresses a function may reach over HTTP: by itself those of the
//! public Internet and no others. What a name resolves to is judged, and what
//! is judged is what is connected to, so that a name cannot mean something
//! else a moment later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// A network, written as `10.1.0.0/16`.
pub type Network = IpNet;

/// What a node's operator allows besides, and what not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressRules {
    /// Networks that are allowed although they are not public.
    pub allow: Vec<IpNet>,
    /// Networks that are denied whatever else is said.
    pub deny: Vec<IpNet>,
}

/// Whether a connection to this address may be made.
pub fn address_allowed(address: IpAddr, rules: &AddressRules) -> bool {
    // `::ffff:127.0.0.1` is 127.0.0.1 to whoever connects to it.
    let address = address.to_canonical();
    let within = |networks: &[IpNet]| networks.iter().any(|net| net.contains(&address));
    !within(&rules.deny) && (within(&rules.allow) || is_public(address))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Everything that some RFC keeps for something else is left out.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let this_network = a == 0;
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = (a, b, c) == (192, 0, 0);
    let relay = (a, b, c) == (192, 88, 99);
    let benchmarks = a == 198 && (b == 18 || b == 19);
    let reserved = a >= 240;
    !(this_network
        || shared
        || protocols
        || relay
        || benchmarks
        || reserved
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast())
}

/// Global unicast, without those ways in which an address of the fourth
/// version is hidden in it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = a & 0xe000 == 0x2000;
    let teredo_and_others = a == 0x2001 && b < 0x0200;
    let documentation = (a, b) == (0x2001, 0x0db8) || a == 0x3fff;
    let six_to_four = a == 0x2002;
    global && !(teredo_and_others || documentation || six_to_four)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: bool) {
        let address = address.parse().unwrap();
        let allowed = address_allowed(address, &AddressRules::default());
        assert_eq!(allowed, expected, "{address}");
    }

    #[test]
    #[allow(clippy::too_many_lines)] // It is a table.
    fn only_public_addresses_are_allowed_by_themselves() {
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "100.63.0.1",
            "2606:4700::1111",
            "198.20.0.1",
        ] {
            check(public, true);
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            check(other, false);
        }
        for other in [
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(other, false);
        }
        check("::ffff:1.1.1.1", true);
    }

    #[test]
    fn an_operator_s_rules_come_first_and_denial_before_all() {
        let rules = AddressRules {
            allow: vec!["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            deny: vec![
                "127.0.0.9/32".parse().unwrap(),
                "1.1.1.0/24".parse().unwrap(),
            ],
        };
        let check = |address: &str, expected: bool| {
            let allowed = address_allowed(address.parse().unwrap(), &rules);
            assert_eq!(allowed, expected, "{address}");
        };
        check("127.0.0.1", true);
        check("::ffff:127.0.0.1", true);
        check("fd00::1", true);
        check("127.0.0.9", false);
        check("::ffff:127.0.0.9", false);
        check("1.1.1.1", false);
        check("10.0.0.1", false);
    }
}
