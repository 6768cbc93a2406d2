//! What the kernel line says to us, between what it says to the kernel. Words
//! of others are passed over; of ours the last one counts, as with the kernel.

use std::net::Ipv4Addr;

use hostler_wire::agent::GUEST_ADDRESS;

/// What of it concerns us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The guest's address.
    pub(crate) address: Ipv4Addr,
    /// How many of its bits name the network.
    pub(crate) prefix: u8,
}

/// It does not say what it must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    #[error("the kernel line has no {GUEST_ADDRESS}")]
    Missing,
    #[error("{GUEST_ADDRESS} is '{0}', not an address with a prefix")]
    Address(String),
}

impl Line {
    /// Reads a kernel line.
    pub(crate) fn parse(text: &str) -> Result<Self, LineError> {
        let ours = |word: &str| {
            let (key, value) = word.split_once('=')?;
            (key == GUEST_ADDRESS).then(|| value.to_owned())
        };
        let value = text.split_ascii_whitespace().filter_map(ours).next_back();
        let value = value.ok_or(LineError::Missing)?;
        let parsed = value.split_once('/').and_then(|(address, prefix)| {
            let address = address.parse().ok()?;
            let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
            Some(Self { address, prefix })
        });
        parsed.ok_or(LineError::Address(value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<(&str, u8), LineError>) {
        let expected = expected.map(|(address, prefix)| Line {
            address: address.parse().unwrap(),
            prefix,
        });
        assert_eq!(Line::parse(text), expected, "{text}");
    }

    #[test]
    fn our_word_is_found_between_the_kernel_s() {
        check(
            "console=ttyS0 quiet hostler.address=10.0.2.15/24 panic=-1\n",
            Ok(("10.0.2.15", 24)),
        );
        check(
            "hostler.address=1.1.1.1/8 hostler.address=10.0.2.15/0",
            Ok(("10.0.2.15", 0)),
        );
    }

    #[test]
    fn a_line_without_it_or_with_nonsense_is_refused() {
        check("", Err(LineError::Missing));
        check("xhostler.address=10.0.2.15/24", Err(LineError::Missing));
        check("hostler.address", Err(LineError::Missing));
        for bad in ["", "10.0.2.15", "10.0.2/24", "10.0.2.15/33", "::1/64", "/"] {
            let text = format!("hostler.address={bad}");
            check(&text, Err(LineError::Address(bad.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn any_address_comes_back_from_any_place(
            address: [u8; 4], prefix in 0u8..=32, before in "[a-z=.,0-9 ]{0,40}", after in "[a-z=.,0-9 ]{0,40}",
        ) {
            let address = Ipv4Addr::from(address);
            let text = format!("{before} {GUEST_ADDRESS}={address}/{prefix} {after}");
            prop_assert_eq!(Line::parse(&text), Ok(Line { address, prefix }));
        }

        #[test]
        fn no_line_does_harm(text in ".{0,200}") {
            let _ = Line::parse(&text);
        }
    }
}
