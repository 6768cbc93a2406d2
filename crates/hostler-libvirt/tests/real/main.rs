//! A real machine's whole life: a node with libvirt and QEMU under it, in name
//! spaces of the test's own. Skipped, loudly, where it cannot be tried; with
//! `CI=true` a skip is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod guest;
mod life;
mod place;
#[path = "../../../hostler-node/tests/node/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "another test's ground")]
mod support;
mod talk;

#[test]
fn a_real_machine_lives_and_leaves_nothing_behind() {
    if place::is_inside() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(life::whole());
    }
    if let Some(why) = place::missing() {
        eprintln!("SKIPPED: no real machines here: {why}");
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "skipped in CI: {why}"
        );
        return;
    }
    assert!(place::enter(
        "a_real_machine_lives_and_leaves_nothing_behind"
    ));
}
