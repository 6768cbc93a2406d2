//! The port of the inner server: chosen once, then kept in a
//! file, because agents were told it. It is chosen anew only when somebody
//! else has taken it while no agent held it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;

use hostler_daemon::port;

use super::InnerError;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The port in the folder's file, or a free one, which is written there.
pub(super) fn load(folder: &Path, held: bool) -> Result<u16, InnerError> {
    let file = folder.join("port");
    let known = fs::read_to_string(&file)
        .ok()
        .and_then(|text| text.trim().parse::<u16>().ok());
    if let Some(port) = known
        && (held || is_free(port))
    {
        return Ok(port);
    }
    let port = port::free(HERE).map_err(InnerError::Port)?;
    fs::write(&file, format!("{port}\n")).map_err(InnerError::files(&file))?;
    Ok(port)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((HERE, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_while_it_can_be_had_or_is_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = load(folder.path(), false).expect("a port");
        assert_eq!(load(folder.path(), false).expect("the same"), first);
        let stranger = TcpListener::bind((HERE, first)).expect("bound");
        assert_eq!(load(folder.path(), true).expect("held"), first);
        let second = load(folder.path(), false).expect("another");
        drop(stranger);
        assert_ne!(second, first);
    }
}
