//! A real machine's whole life: a node with libvirt and QEMU under it, and a whole
//! fleet of two such nodes, in name spaces of the test's own. Skipped, loudly, where it cannot be tried; with
//! `CI=true` a skip is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// A story is told in one go.
#![allow(clippy::too_many_lines)]

mod driver;
mod fleet;
mod guest;
mod life;
mod place;
mod story;
#[path = "../../../hostler-node/tests/node/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "another test's ground")]
mod support;
mod talk;

/// Runs a story inside; that of this test.
fn tell(test: &str, story: impl Future<Output = ()>) {
    if place::is_inside() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(story);
    }
    if let Some(why) = place::missing() {
        eprintln!("SKIPPED: no real machines here: {why}");
        let is_ci = std::env::var("CI").as_deref() == Ok("true");
        assert!(!is_ci, "skipped in CI: {why}");
        return;
    }
    assert!(place::enter(test));
}

#[test]
fn a_real_machine_lives_and_leaves_nothing_behind() {
    let test = "a_real_machine_lives_and_leaves_nothing_behind";
    tell(test, life::whole());
}

#[test]
fn two_nodes_hold_machines_for_their_control_plane() {
    let test = "two_nodes_hold_machines_for_their_control_plane";
    tell(test, story::whole());
}
