//! The rules, field by field.

use std::collections::BTreeSet;

use hostler_core::vm::{VmSize, bounds};

use crate::convert::mistake::Collector;
use crate::node_api::{FirewallRule, Network, Nic, Seed};
use crate::rest::{VmCreate, VmDisk, VmNic};

pub(super) fn size(look: &mut Collector, size: &VmSize) {
    for mistake in bounds::size_mistakes(size) {
        let problem = mistake.to_string();
        look.demand(false, mistake.what, &problem, "choose an amount in between");
    }
}

pub(super) fn stop_deadline(look: &mut Collector, ms: u64) {
    look.demand(
        ms <= bounds::LONGEST_STOP_MS,
        "stop_deadline_ms",
        &format!("{ms} is longer than an hour"),
        "give at most 3600000; 0 switches off at once",
    );
}

pub(super) fn disks(look: &mut Collector, disks: &[VmDisk]) {
    many(look, "disks", disks.len(), bounds::DISKS);
    let mut names = BTreeSet::new();
    for (at, disk) in disks.iter().enumerate() {
        let field = format!("disks[{at}]");
        let is_good = bounds::is_hostname(&disk.name) && names.insert(&disk.name);
        let hint = "give each disk a name of its own, of letters, digits and '-'";
        look.demand(is_good, &field, "its name is not good, or taken", hint);
        let sized = bounds::DISK.contains(&disk.bytes);
        let problem = format!("{} bytes are out of bounds", disk.bytes);
        look.demand(sized, &field, &problem, "give 1 MiB to 64 TiB");
    }
}

/// The network cards that are asked for; one of the usual sort if none are.
pub(super) fn nics(
    look: &mut Collector,
    asked: Option<&[VmNic]>,
    mut random: impl FnMut() -> [u8; 3],
) -> Vec<Nic> {
    let usual = [VmNic::default()];
    let asked = asked.unwrap_or(&usual);
    many(look, "nics", asked.len(), bounds::NICS);
    let mut macs = BTreeSet::new();
    let mut made = Vec::with_capacity(asked.len().min(bounds::NICS));
    for (at, nic) in asked.iter().take(bounds::NICS).enumerate() {
        let field = format!("nics[{at}]");
        nic_check(look, &field, nic);
        let mac = nic.mac.as_ref().map(|mac| mac.to_ascii_lowercase());
        let mac = mac.unwrap_or_else(|| bounds::mac(random()));
        let hint = "give each card an address of its own, or none";
        let fresh = macs.insert(mac.clone());
        look.demand(fresh, &field, "its hardware address is there twice", hint);
        let bridge = nic.bridge.clone();
        made.push(Nic {
            network: bridge.map_or(Network::Nat, |bridge| Network::Bridge { bridge }),
            mac,
            incoming: nic.incoming.clone(),
        });
    }
    made
}

fn nic_check(look: &mut Collector, field: &str, nic: &VmNic) {
    let bridge = nic.bridge.as_deref();
    look.demand(
        bridge.is_none_or(is_interface),
        field,
        "its bridge is no name of a network interface",
        "use up to 15 letters, digits, '-', '_' and '.'",
    );
    look.demand(
        nic.mac.as_deref().is_none_or(is_mac),
        field,
        "its hardware address is not one of ours",
        "write 52:54:00: and three bytes in hex, or leave it out",
    );
    let rules = nic.incoming.as_deref().unwrap_or_default();
    many(look, field, rules.len(), bounds::FIREWALL_RULES);
    for rule in rules {
        firewall(look, field, rule);
    }
}

fn firewall(look: &mut Collector, field: &str, rule: &FirewallRule) {
    let ends = rule.from_port.zip(rule.to_port);
    let upwards = ends.is_none_or(|(from, to)| from <= to);
    let alone = rule.to_port.is_none() || rule.from_port.is_some();
    look.demand(
        upwards && alone,
        field,
        "a rule's last port is before its first",
        "give from_port, and to_port only if it is not smaller",
    );
    look.demand(
        rule.source.as_deref().is_none_or(is_network),
        field,
        "a rule's source is no network",
        "write such as 10.0.0.0/8",
    );
}

fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').unwrap_or((text, "0"));
    let longest = match address.parse() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= longest)
}

fn is_interface(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=15).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with(['.', '-'])
}

fn is_mac(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let pair = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    lower.starts_with("52:54:00:") && lower.split(':').count() == 6 && lower.split(':').all(pair)
}

fn many(look: &mut Collector, field: &str, number: usize, most: usize) {
    let problem = format!("{number} are too many");
    look.demand(
        number <= most,
        field,
        &problem,
        &format!("give at most {most}"),
    );
}

/// What the guest is told, but for its password.
pub(super) fn seed(look: &mut Collector, wire: &VmCreate) -> Seed {
    let hostname = wire
        .hostname
        .clone()
        .unwrap_or_else(|| wire.name.replace('_', "-"));
    let keyboard = super::one_of(
        look,
        ("keyboard", &wire.keyboard),
        ("keyboard_layout", &wire.keyboard_layout),
    );
    let keyboard = keyboard.filter(|layout| !layout.is_empty());
    look.demand(
        bounds::is_hostname(&hostname),
        "hostname",
        &format!("'{hostname}' is not a host name"),
        "use letters, digits and '-', in parts between dots",
    );
    look.demand(
        wire.user.as_deref().is_none_or(bounds::is_user),
        "user",
        "this is no name of a user",
        "use up to 32 small letters, digits, '-' and '_', a letter first",
    );
    look.demand(
        keyboard.as_deref().is_none_or(is_layout),
        "keyboard",
        "this is no keyboard",
        "write such as de or fr-latin9",
    );
    keys(look, &wire.ssh_keys);
    texts(look, wire);
    Seed {
        hostname,
        user: wire.user.clone(),
        ssh_keys: wire
            .ssh_keys
            .iter()
            .map(|key| key.trim().to_owned())
            .collect(),
        password_hash: None,
        user_data: wire.user_data.clone(),
        network_config: wire.network_config.clone(),
        keyboard,
    }
}

fn is_layout(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=32).contains(&text.len()) && text.bytes().all(plain)
}

fn keys(look: &mut Collector, keys: &[String]) {
    many(look, "ssh_keys", keys.len(), bounds::SSH_KEYS);
    for (at, key) in keys.iter().enumerate() {
        look.demand(
            is_key(key.trim()) && key.len() <= bounds::SSH_KEY_BYTES,
            &format!("ssh_keys[{at}]"),
            "this is no public key of SSH",
            "give one line of a .pub file, such as 'ssh-ed25519 AAAA… me'",
        );
    }
}

/// One line: a kind of key, the key in base64, and what its owner says of it.
fn is_key(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let kind = words.next().unwrap_or_default();
    let known = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"];
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let body = words.next().unwrap_or_default();
    known.iter().any(|start| kind.starts_with(start))
        && body.len() >= 16
        && body.bytes().all(base64)
        && !text.chars().any(char::is_control)
}

fn texts(look: &mut Collector, wire: &VmCreate) {
    let texts = [
        ("user_data", &wire.user_data, bounds::USER_DATA_BYTES),
        (
            "network_config",
            &wire.network_config,
            bounds::USER_DATA_BYTES,
        ),
        ("password", &wire.password, bounds::PASSWORD_BYTES),
    ];
    for (field, text, most) in texts {
        let length = text.as_ref().map_or(0, String::len);
        let problem = format!("{length} bytes are too many");
        look.demand(
            length <= most,
            field,
            &problem,
            &format!("give at most {most}"),
        );
        let plain = text.as_ref().is_none_or(|text| !text.contains('\0'));
        look.demand(plain, field, "it holds a NUL", "take the NUL out");
    }
    let empty = wire.password.as_deref() == Some("");
    let hint = "leave it out: then nobody logs in by password";
    look.demand(!empty, "password", "it is empty", hint);
}
