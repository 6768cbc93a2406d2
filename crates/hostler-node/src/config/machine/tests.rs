//! Files of all times of the original: what is read, what is said of the rest,
//! and what becomes of it in a node.

use proptest::prelude::*;

use super::keys::KEYS;
use super::{MachineConfig, Weight};
use crate::config::NodeOptions;
use crate::hypervisor::DriverChoice;

const ISSUER: &str = "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2";
const REQUESTER: &str = "XBUJMZHVOPQ2SK5VD3TY4VNBPVU2YFGRLK6EFPEPSMVDUYEBSROWZCEA";

fn options() -> NodeOptions {
    NodeOptions::new("n1", "/var/lib/x", "nats://127.0.0.1:4222", "/bin/agent")
}

fn read(text: &str) -> (MachineConfig, Vec<(String, Weight)>) {
    let (config, remarks) = MachineConfig::read(text.as_bytes()).expect(text);
    let said = remarks
        .into_iter()
        .map(|remark| (remark.key, remark.weight));
    (config, said.collect())
}

/// The file in the original's own page of its first days, with a requester.
#[test]
fn a_file_of_the_first_days_is_read_and_its_requesters_bind() {
    let text = format!(
        r#"{{"kernel_path": "/vm/vmlinux-5.10", "rootfs_path": "/vm/rootfs.ext4",
            "machine_pool_size": 1, "cni": {{"network_name": "fcnet", "interface_name": "veth0"}},
            "machine_template": {{"vcpu_count": 1, "memsize_mib": 256}},
            "requester_public_keys": ["{REQUESTER}"]}}"#
    );
    let (config, said) = read(&text);
    assert_eq!(config.kernel(), Some("/vm/vmlinux-5.10".into()));
    assert_eq!(config.rootfs(), Some("/vm/rootfs.ext4".into()));
    assert_eq!(config.network(), "fcnet");
    assert!(config.sandboxed());
    assert_eq!(said, [("cni.interface_name".to_owned(), Weight::Note)]);
    let mut options = options();
    let left = config.apply(&mut options);
    assert_eq!(options.admission.requesters, [REQUESTER]);
    assert_eq!(options.slots.pool.warm, 1);
    assert_eq!(left.len(), 1, "machines were asked for");
    assert_eq!(
        (left[0].key.as_str(), left[0].weight),
        ("no_sandbox", Weight::Guard)
    );
    options.check().unwrap();
}

/// What `preflight --init nosandbox` of the original writes.
#[test]
fn a_file_of_the_last_days_is_read() {
    let (config, said) = read(
        r#"{"default_resource_dir": "/tmp/nex", "machine_pool_size": 3, "no_sandbox": true,
            "internal_node_host": "10.10.10.1", "internal_node_port": 9222,
            "cni": {"network_name": "n", "interface_name": "veth0", "subnet": "10.10.10.0/24"},
            "machine_template": {"vcpu_count": 2, "memsize_mib": 512},
            "tags": {"simple": "true", "node_name": "calm-river"},
            "workload_types": [], "valid_issuers": null, "rate_limiters": null}"#,
    );
    assert_eq!(config.kernel(), Some("/tmp/nex/vmlinux".into()));
    assert_eq!(config.rootfs(), Some("/tmp/nex/rootfs.ext4".into()));
    assert_eq!(config.name().as_deref(), Some("calm-river"));
    assert!(
        said.iter().all(|(_, weight)| *weight == Weight::Note),
        "{said:?}"
    );
    let mut options = options();
    assert_eq!(config.apply(&mut options), []);
    assert!(matches!(options.slots.driver, DriverChoice::Process));
    assert_eq!(options.admission.types, ["elf", "v8", "wasm"]);
    assert_eq!(options.admission.need.memory, hostler_core::Bytes::mib(512));
    assert_eq!(options.admission.need.cpu, hostler_core::Cpu::cores(2));
    assert_eq!(options.slots.pool.warm, 3);
    assert_eq!(options.tags["simple"], "true");
}

#[test]
fn who_may_deploy_and_what_is_kept_to_in_any_case_of_the_key() {
    let check = |text: String| {
        let (config, said) = read(&text);
        assert_eq!(said, [], "{text}");
        let mut options = options();
        config.apply(&mut options);
        options.admission
    };
    let admission = check(format!(r#"{{"VALID_issuers": ["{ISSUER}"]}}"#));
    assert_eq!(admission.issuers, [ISSUER]);
    let admission = check(format!(r#"{{"Requester_Public_Keys": ["{REQUESTER}"]}}"#));
    assert_eq!(admission.requesters, [REQUESTER]);
    let admission = check(r#"{"deny_trigger_subjects": ["bank.>"]}"#.to_owned());
    assert_eq!(admission.denied_triggers, ["bank.>"]);
    let admission = check(r#"{"node_limits": {"max_workload_bytes": 7}}"#.to_owned());
    assert_eq!(admission.artifact_bytes, 7);
    let admission = check(r#"{"workload_types": ["wasm"]}"#.to_owned());
    assert_eq!(admission.types, ["wasm"]);
}

#[test]
fn types_that_cannot_run_here_are_said_and_alone_refused() {
    let check = |types: &str, expected: &[&str], said: usize| {
        let (config, _) = read(&format!(
            r#"{{"no_sandbox": true, "workload_types": {types}}}"#
        ));
        let mut options = options();
        assert_eq!(config.apply(&mut options).len(), said, "{types}");
        assert_eq!(options.admission.types, expected, "{types}");
        options.check().is_ok()
    };
    assert!(check(r#"["elf", "oci"]"#, &["elf"], 1));
    assert!(check(r#"["native"]"#, &["native"], 0));
    assert!(!check(r#"["oci"]"#, &["oci"], 0));
}

#[test]
fn what_is_not_followed_is_said_with_its_weight() {
    let check = |text: &str, key: &str, weight| {
        assert_eq!(read(text).1, [(key.to_owned(), weight)], "{text}");
    };
    check(
        r#"{"machine_pool_sise": 1}"#,
        "machine_pool_sise",
        Weight::Unknown,
    );
    check(r#"{"valid_isuers": []}"#, "valid_isuers", Weight::Guard);
    check(r#"{"wokload_types": []}"#, "wokload_types", Weight::Unknown);
    check(r#"{"valid_issuer": []}"#, "valid_issuer", Weight::Guard);
    check(r#"{"requesters": []}"#, "requesters", Weight::Guard);
    check(r#"{"cni": {"maximum": 1}}"#, "cni.maximum", Weight::Guard);
    check(r#"{"rate_limiters": {}}"#, "rate_limiters", Weight::Guard);
    check(
        r#"{"public_nats_server": {}}"#,
        "public_nats_server",
        Weight::Guard,
    );
    check(
        r#"{"node_limits": {"max_total_bytes": 1}}"#,
        "node_limits.max_total_bytes",
        Weight::Guard,
    );
    check(
        r#"{"preserve_network": true}"#,
        "preserve_network",
        Weight::Note,
    );
    check(r#"{"otel_traces": true}"#, "otel_traces", Weight::Note);
}

#[test]
fn a_value_of_the_wrong_type_is_refused_by_its_path() {
    let check = |text: &str, path: &str| {
        let error = MachineConfig::read(text.as_bytes())
            .unwrap_err()
            .to_string();
        let start = format!("failed to load configuration file: {path}");
        assert!(error.starts_with(&start), "{text}: {error}");
    };
    check(r#"{"machine_pool_size": "1"}"#, "machine_pool_size: ");
    check(r#"{"machine_pool_size": -1}"#, "machine_pool_size: ");
    check(
        r#"{"requester_public_keys": "X"}"#,
        "requester_public_keys: ",
    );
    check(r#"{"valid_issuers": [1]}"#, "valid_issuers: ");
    check(r#"{"cni": {"bin_path": {}}}"#, "cni: bin_path: ");
    check(r#"{"machine_template": 5}"#, "machine_template: ");
    check("{", "EOF");
}

#[test]
fn a_file_that_is_not_there_is_told_as_the_original_tells_it() {
    let path = std::path::Path::new("/nowhere/config.json");
    let error = MachineConfig::load(path).unwrap_err();
    assert!(
        std::error::Error::source(&error).is_none(),
        "it would be told twice"
    );
    let error = error.to_string();
    let expected =
        "failed to load configuration file: open /nowhere/config.json: no such file or directory";
    assert_eq!(error, expected);
}

#[test]
fn the_table_of_keys_is_sorted_and_its_objects_are_there() {
    assert!(KEYS.is_sorted_by_key(|(key, _)| *key));
    for (key, _) in KEYS {
        if let Some((object, _)) = key.split_once('.') {
            assert_eq!(
                super::keys::standing(object),
                Some(super::keys::Standing::Object)
            );
        }
    }
}

#[test]
fn a_key_with_a_slip_of_the_finger_is_told_what_may_be_meant() {
    let check = |key: &str, expected: Option<&str>| {
        assert_eq!(super::keys::near(key), expected, "{key}");
    };
    check("valid_isuers", Some("valid_issuers"));
    check("Valid_Issuer", Some("valid_issuers"));
    check("cni.network_nam", Some("cni.network_name"));
    check("machine_pool_siez", Some("machine_pool_size"));
    check("issuers", None);
    check("", None);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(
        text in proptest::collection::vec(any::<u8>(), 0..200),
        key in proptest::sample::select(KEYS.map(|(key, _)| key).to_vec()),
        value in "(null|true|-?[0-9]{1,20}|\"[a-z]{0,5}\"|\\[\\]|\\[null,1\\]|\\{\"a\":1\\}|\\{\"bin_path\":[7]\\})",
    ) {
        let _ = MachineConfig::read(&text);
        let whole = format!("{{\"{key}\": {value}}}");
        if let Ok((config, _)) = MachineConfig::read(whole.as_bytes()) {
            let mut options = options();
            config.apply(&mut options);
            // Only judged, never a panic.
            let _ = options.check();
        }
    }
}
