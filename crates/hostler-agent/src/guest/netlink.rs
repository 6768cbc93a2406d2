//! The three things we ask the kernel of the network, as the bytes of netlink
//! messages, and what its answers mean. Only what a guest needs: a library
//! would weigh more than the rest of this folder.

use std::io;
use std::net::Ipv4Addr;

/// `NLM_F_REQUEST | NLM_F_ACK`
const ASKED: u16 = 0x5;
/// `NLM_F_CREATE | NLM_F_REPLACE`
const MADE: u16 = 0x500;
const NLMSG_ERROR: u16 = 2;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const HEADER: usize = 16;

/// Switches a link on.
pub(super) fn link_up(index: u32) -> Vec<u8> {
    let mut body = vec![0; 4];
    body.extend(index.to_ne_bytes());
    body.extend(IFF_UP.to_ne_bytes());
    body.extend(IFF_UP.to_ne_bytes());
    message(RTM_NEWLINK, ASKED, &body)
}

/// Gives a link an address.
pub(super) fn address_add(index: u32, address: Ipv4Addr, prefix: u8) -> Vec<u8> {
    let mut body = vec![AF_INET, prefix, 0, 0];
    body.extend(index.to_ne_bytes());
    for kind in [IFA_LOCAL, IFA_ADDRESS] {
        body.extend(8_u16.to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend(address.octets());
    }
    message(RTM_NEWADDR, ASKED | MADE, &body)
}

fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    // A sequence number and a port: one asks and waits, so neither matters.
    bytes.extend([0; 8]);
    bytes.extend(body);
    bytes
}

/// What an answer says: done, or why not.
pub(super) fn answer(bytes: &[u8]) -> io::Result<()> {
    let kind = bytes.get(4..6).and_then(|two| two.try_into().ok());
    let code = bytes.get(HEADER..HEADER + 4);
    let code = code.and_then(|four| four.try_into().ok());
    match (kind.map(u16::from_ne_bytes), code.map(i32::from_ne_bytes)) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(code)) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_asked_for_in_the_kernel_s_bytes() {
        let bytes = address_add(2, Ipv4Addr::new(10, 0, 2, 15), 24);
        let expected = [
            &[40, 0, 0, 0, 20, 0, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &[2, 24, 0, 0, 2, 0, 0, 0],
            &[8, 0, 2, 0, 10, 0, 2, 15],
            &[8, 0, 1, 0, 10, 0, 2, 15],
        ]
        .concat();
        assert_eq!(bytes, expected);
        assert_eq!(link_up(1).len(), 32);
    }

    #[test]
    fn an_answer_is_done_or_says_why_not() {
        let check = |kind: u16, code: i32, expected: Option<i32>| {
            let bytes = message(kind, 0, &code.to_ne_bytes());
            let said = answer(&bytes).err().map(|error| error.raw_os_error());
            assert_eq!(said, expected.map(|code| (code != 0).then_some(code)));
        };
        check(2, 0, None);
        check(2, -19, Some(19));
        check(3, 0, Some(0));
    }

    proptest! {
        #[test]
        fn no_answer_does_harm(bytes: Vec<u8>) {
            let _ = answer(&bytes);
        }
    }
}
