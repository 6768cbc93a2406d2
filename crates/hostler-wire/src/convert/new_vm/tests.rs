//! Every rule of the conversion, as a table.

use super::*;

fn body(more: &str) -> VmCreate {
    let text = format!(r#"{{"name":"web","image":"debian"{more}}}"#);
    serde_json::from_str(&text).unwrap()
}

fn made(wire: VmCreate) -> Result<NewVm, Mistakes> {
    let mut next = 0;
    NewVm::new(wire, || {
        next += 1;
        [1, 2, next]
    })
}

/// The fields that are wrong with what is asked for beside name and image.
#[track_caller]
fn check(more: &str, expected: &[&str]) {
    let mistakes = made(body(more)).err().map(|mistakes| mistakes.0);
    let fields: Vec<_> = mistakes
        .into_iter()
        .flatten()
        .map(|mistake| mistake.field)
        .collect();
    assert_eq!(fields, expected, "{more}");
}

#[test]
fn what_is_left_out_has_a_default() {
    let vm = made(body("")).unwrap();
    assert_eq!((vm.size.cpus, vm.size.memory), (1, Bytes::mib(1_024)));
    assert_eq!(vm.size.disk, Bytes::new(0), "it follows from the image");
    assert_eq!(vm.nics[0].mac, "52:54:00:01:02:01");
    assert_eq!(
        (vm.goal, vm.on_node_loss),
        (VmGoal::Running, OnNodeLoss::Wait)
    );
    assert_eq!(
        (vm.seed.hostname.as_str(), vm.stop_deadline_ms),
        ("web", 60_000)
    );
}

#[test]
fn the_originals_fields_say_the_same_in_gib() {
    let vm = r#"{"os":"debian.qcow2","name":"a_b","mem":2,"vcpus":3,"disk_size":4,
        "keyboard_layout":"fr","activate_at_start":false}"#;
    let vm = made(serde_json::from_str(vm).unwrap()).unwrap();
    assert_eq!(vm.image.as_deref(), Some("debian.qcow2"));
    let size = VmSize {
        cpus: 3,
        memory: Bytes::mib(2_048),
        disk: Bytes::mib(4_096),
    };
    assert_eq!((vm.size, vm.goal), (size, VmGoal::Stopped));
    assert_eq!(vm.seed.keyboard.as_deref(), Some("fr"));
    assert_eq!(vm.seed.hostname, "a-b");
    check(r#","mem":2,"memory_bytes":5"#, &["memory_bytes", "memory"]);
    check(r#","mem":2,"memory_bytes":2147483648"#, &[]);
    check(r#","os":"other""#, &["image"]);
}

#[test]
fn sizes_are_bounded() {
    check(r#","cpus":0"#, &["cpus"]);
    check(r#","mem":18446744073709551615"#, &["memory"]);
    check(r#","disk_size":0"#, &["disk"]);
    check(r#","stop_deadline_ms":3600001"#, &["stop_deadline_ms"]);
    check(r#","disks":[{"name":"a","bytes":0}]"#, &["disks[0]"]);
    check(
        r#","disks":[{"name":"a","bytes":1048576},{"name":"a","bytes":1048576}]"#,
        &["disks[1]"],
    );
    let without: VmCreate = serde_json::from_str(r#"{"name":"web"}"#).unwrap();
    assert_eq!(made(without).unwrap_err().0[0].field, "disk_bytes");
}

#[test]
fn nothing_that_a_markup_or_a_shell_reads_gets_through() {
    check(r#","hostname":"<x>""#, &["hostname"]);
    check(r#","user":"root; rm""#, &["user"]);
    check(r#","keyboard":"de\n""#, &["keyboard"]);
    check(r#","nics":[{"bridge":"br0'/><x"}]"#, &["nics[0]"]);
    check(r#","nics":[{"mac":"00:11:22:33:44:55"}]"#, &["nics[0]"]);
    let twice = r#","nics":[{"mac":"52:54:00:00:00:01"},{"mac":"52:54:00:00:00:01"}]"#;
    check(twice, &["nics[1]"]);
    check(r#","ssh_keys":["hello"]"#, &["ssh_keys[0]"]);
    check(
        r#","ssh_keys":["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@here"]"#,
        &[],
    );
    check(r#","password":"""#, &["password"]);
    check(r#","labels":{"a b":"c"}"#, &["labels.a b"]);
    let vm: VmCreate = serde_json::from_str(r#"{"name":"<x>","image":"a"}"#).unwrap();
    assert_eq!(made(vm).unwrap_err().0[0].field, "name");
}

#[test]
fn a_firewall_rule_has_ports_in_order_and_a_network() {
    let nic = |rule: &str| format!(r#","nics":[{{"incoming":[{rule}]}}]"#);
    check(&nic(r#"{"protocol":"tcp","from_port":22}"#), &[]);
    check(
        &nic(r#"{"protocol":"tcp","from_port":22,"to_port":21}"#),
        &["nics[0]"],
    );
    check(&nic(r#"{"protocol":"tcp","to_port":21}"#), &["nics[0]"]);
    check(&nic(r#"{"protocol":"udp","source":"10.0.0.0/8"}"#), &[]);
    check(
        &nic(r#"{"protocol":"udp","source":"10.0.0.0/33"}"#),
        &["nics[0]"],
    );
    check(&nic(r#"{"protocol":"udp","source":"::/0"}"#), &[]);
    check(&nic(r#"{"protocol":"udp","source":"any"}"#), &["nics[0]"]);
}

#[test]
fn user_data_is_short_and_never_shown() {
    let most = bounds::USER_DATA_BYTES;
    let vm = |length: usize| VmCreate {
        user_data: Some("x".repeat(length)),
        ..body("")
    };
    assert!(made(vm(most)).is_ok());
    assert_eq!(made(vm(most + 1)).unwrap_err().0[0].field, "user_data");
    let secret = VmCreate {
        password: Some("correct horse".to_owned()),
        ..body("")
    };
    let told = format!("{secret:?} {:?}", made(secret.clone()).unwrap());
    assert!(!told.contains("horse"), "{told}");
}
