//! What is tried, and in which sequence.

use std::collections::BTreeMap;

use super::*;
use crate::settings::Source;

fn settings(subnets: &[(&str, &str)]) -> PoolSettings {
    let owned = |(zone, subnet): &(&str, &str)| ((*zone).to_owned(), (*subnet).to_owned());
    PoolSettings {
        source: Source::Group("g".to_owned()),
        subnets: subnets.iter().map(owned).collect::<BTreeMap<_, _>>(),
    }
}

#[track_caller]
fn check(types: &[&str], zones: &[&str], subnets: &[(&str, &str)], expected: &[&str]) {
    let mut pool = RunnerPool::named("default".parse().unwrap());
    pool.instance_types = types.iter().map(ToString::to_string).collect();
    pool.zones = zones.iter().map(ToString::to_string).collect();
    let say = |one: Candidate| {
        let place = match one.place {
            Place::Any => "-".to_owned(),
            Place::Zone(zone) => zone,
            Place::Subnet(subnet) => subnet,
        };
        format!("{} {place}", one.instance_type.as_deref().unwrap_or("-"))
    };
    let found: Vec<String> = candidates(&pool, &settings(subnets))
        .into_iter()
        .map(say)
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_place_is_tried_for_a_type_before_the_next_type() {
    check(&[], &[], &[], &["- -"]);
    check(&["a", "b"], &[], &[], &["a -", "b -"]);
    check(&["a", "b"], &["x", "y"], &[], &["a x", "a y", "b x", "b y"]);
    check(&["a"], &["x", "y"], &[("y", "s-y")], &["a x", "a s-y"]);
    check(&[], &[], &[("x", "s-x"), ("y", "s-y")], &["- s-x", "- s-y"]);
}

#[test]
fn a_spot_price_is_written_as_ec2_reads_it() {
    let mut pool = RunnerPool::named("default".parse().unwrap());
    assert_eq!(spot(&pool), None);
    pool.spot = true;
    assert_eq!(spot(&pool), Some(Spot::default()));
    pool.price_ceiling_micros = Some(1_050_000);
    let most = spot(&pool).and_then(|spot| spot.most);
    assert_eq!(most.as_deref(), Some("1.050000"));
}

#[test]
fn a_type_s_name_tells_its_processor() {
    for (name, is_arm) in [
        ("m5.large", false),
        ("m6g.large", true),
        ("c7gn.xlarge", true),
        ("a1.medium", true),
        ("g4dn.xlarge", false),
        ("u-6tb1.metal", false),
    ] {
        assert_eq!(is_other_arch(name, Some(Arch::Arm64)), !is_arm, "{name}");
        assert_eq!(is_other_arch(name, Some(Arch::Amd64)), is_arm, "{name}");
        assert!(!is_other_arch(name, None), "{name}");
    }
}
