//! What people would say of the scheduler, sentence by sentence.

use super::*;
use crate::id::{NodeId, WorkloadId};
use crate::{Bytes, Labels, Name, Resources};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(pair).collect()
}

fn node_id(number: u8) -> NodeId {
    NodeId::from_parts(1, [number; 10])
}

fn place(number: u8, pairs: &[(&str, &str)]) -> Place {
    Place {
        id: node_id(number),
        capacity: Resources::of(4_000, 4_096),
        slots: 10,
        disk: Bytes::default(),
        labels: labels(pairs),
        open: true,
    }
}

fn unit(number: u16, pairs: &[(&str, &str)], rules: Rules) -> Unit {
    let [high, low] = number.to_be_bytes();
    Unit {
        id: WorkloadId::from_parts(1, [high, low, 0, 0, 0, 0, 0, 0, 0, 0]),
        project: "default".parse().unwrap(),
        resources: Resources::of(500, 256),
        disk: Bytes::default(),
        labels: labels(pairs),
        rules,
    }
}

fn required(pairs: &[(&str, &str)], topology: Option<&str>) -> Vec<Affinity> {
    vec![Affinity {
        labels: labels(pairs),
        topology: topology.map(str::to_owned),
        required: true,
    }]
}

fn fleet(policy: Policy, places: &[Place]) -> Fleet {
    let mut fleet = Fleet::new(policy, Overcommits::new());
    for place in places {
        fleet.node_put(place.clone());
    }
    fleet
}

/// Places and seats `count` units; which nodes they got, by number.
fn filled(fleet: &mut Fleet, count: u16, pairs: &[(&str, &str)], rules: &Rules) -> Vec<Option<u8>> {
    let mut nodes = Vec::new();
    for number in 0..count {
        let unit = unit(number, pairs, rules.clone());
        let node = fleet.place(&unit).ok();
        if let Some(node) = node {
            fleet.unit_seat(&unit, node);
        }
        nodes.push(node.map(|node| node.uuid().as_bytes()[15]));
    }
    nodes
}

#[test]
fn each_policy_fills_the_fleet_in_its_own_way() {
    let places = [place(1, &[]), place(2, &[]), place(3, &[])];
    let check = |policy, expected: [u8; 6]| {
        let mut fleet = fleet(policy, &places);
        let big = Place {
            capacity: Resources::of(1_000, 4_096),
            ..place(1, &[])
        };
        fleet.node_put(big);
        let got = filled(&mut fleet, 6, &[], &Rules::default());
        assert_eq!(got, expected.map(Some), "{policy}");
    };
    check(Policy::LeastLoaded, [1, 2, 3, 2, 3, 2]);
    check(Policy::RoundRobin, [1, 2, 3, 1, 2, 3]);
    check(Policy::Sticky, [1, 1, 2, 2, 2, 2]);
    check(Policy::BinPack, [1, 1, 2, 2, 2, 2]);
}

#[test]
fn required_anti_affinity_gives_each_place_one() {
    let rules = |topology| Rules {
        anti_affinity: required(&[("app", "web")], topology),
        ..Rules::default()
    };
    let places = [
        place(1, &[("zone", "a")]),
        place(2, &[("zone", "a")]),
        place(3, &[("zone", "b")]),
    ];
    for policy in Policy::ALL {
        let web = [("app", "web")];
        let got = filled(&mut fleet(policy, &places), 4, &web, &rules(None));
        assert_eq!(got, [Some(1), Some(2), Some(3), None], "{policy}");
        let got = filled(&mut fleet(policy, &places), 3, &web, &rules(Some("zone")));
        assert_eq!(got, [Some(1), Some(3), None], "{policy}");
    }
}

#[test]
fn required_affinity_lets_the_first_of_its_kind_begin() {
    let places = [
        place(1, &[]),
        place(2, &[("zone", "a")]),
        place(3, &[("zone", "a")]),
        place(4, &[("zone", "b")]),
    ];
    let rules = |app| Rules {
        affinity: required(&[("app", app)], Some("zone")),
        ..Rules::default()
    };
    let mut fleet = fleet(Policy::LeastLoaded, &places);
    let got = filled(&mut fleet, 3, &[("app", "web")], &rules("web"));
    assert_eq!(got, [Some(2), Some(3), Some(2)]);
    let orphan = unit(9, &[("app", "api")], rules("nobody"));
    let refusal = fleet.place(&orphan).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "0 of 4 nodes: 4 not near to what it needs"
    );
}

#[test]
fn spread_goes_round_the_zones_and_last_to_nodes_without_one() {
    let places = [
        place(1, &[]),
        place(2, &[("zone", "a")]),
        place(3, &[("zone", "a")]),
        place(4, &[("zone", "b")]),
    ];
    let rules = Rules {
        spread: Some(Spread {
            topology: Some("zone".to_owned()),
            labels: labels(&[("app", "web")]),
        }),
        ..Rules::default()
    };
    for policy in Policy::ALL {
        let mut fleet = fleet(policy, &places);
        let zones: Vec<char> = filled(&mut fleet, 6, &[("app", "web")], &rules)
            .into_iter()
            .map(|node| if node == Some(4) { 'b' } else { 'a' })
            .collect();
        assert_eq!(zones, ['a', 'b', 'a', 'b', 'a', 'b'], "{policy}");
    }
}

#[test]
fn a_project_sees_only_its_own_units() {
    let mut fleet = fleet(Policy::LeastLoaded, &[place(1, &[])]);
    let rules = Rules {
        anti_affinity: required(&[], None),
        ..Rules::default()
    };
    let other = Unit {
        project: "other".parse::<Name>().unwrap(),
        ..unit(7, &[], Rules::default())
    };
    fleet.unit_seat(&other, node_id(1));
    assert_eq!(filled(&mut fleet, 2, &[], &rules), [Some(1), None]);
}

#[test]
fn unclaimed_work_keeps_its_room() {
    let mut fleet = fleet(Policy::LeastLoaded, &[place(1, &[])]);
    fleet.room_take(node_id(1), Resources::of(3_600, 0));
    let refusal = fleet.place(&unit(1, &[], Rules::default())).unwrap_err();
    let words = "0 of 1 node: 1 without room (needs 500m, 400m free at most)";
    assert_eq!(refusal.to_string(), words);
    fleet.room_clear(node_id(1));
    assert!(fleet.place(&unit(1, &[], Rules::default())).is_ok());
}

#[test]
fn an_explanation_says_everything_that_refuses_a_node() {
    let closed = Place {
        open: false,
        ..place(3, &[])
    };
    let mut fleet = fleet(
        Policy::LeastLoaded,
        &[place(1, &[("gpu", "yes")]), place(2, &[]), closed],
    );
    let rules = Rules {
        node_labels: labels(&[("gpu", "yes")]),
        ..Rules::default()
    };
    let told: Vec<String> = fleet
        .explain(&unit(1, &[], rules))
        .into_iter()
        .map(|verdict| {
            let words: Vec<String> = verdict.reasons.iter().map(ToString::to_string).collect();
            format!("{:?}: {}", verdict.outcome, words.join("; "))
        })
        .collect();
    let expected = [
        "Chosen: 0 % loaded",
        "Refused: has no label gpu, needs yes",
        "Refused: closed to new work; has no label gpu, needs yes",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_fleet_does_not_grow_with_what_has_been() {
    let mut fleet = fleet(Policy::LeastLoaded, &[place(1, &[]), place(2, &[])]);
    for number in 0..20_000 {
        let name = number.to_string();
        let rules = Rules {
            anti_affinity: required(&[("app", &name)], None),
            ..Rules::default()
        };
        let unit = unit(number, &[("app", &name)], rules);
        let node = fleet.place(&unit).unwrap();
        fleet.unit_seat(&unit, node);
        fleet.unit_unseat(&unit, node);
    }
    assert!(fleet.kept() < 10_000, "{}", fleet.kept());
}
