//! The scheduler against the oracle over random fleets, and the sentences
//! about it that people would say.

use proptest::prelude::*;

use super::limits::Limits;
use super::oracle::Oracle;
use super::*;
use crate::id::{NodeId, WorkloadId};
use crate::{Labels, Name, Resources};

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

/// One thing that happens to a fleet.
#[derive(Clone, Debug)]
enum Event {
    Put(Place),
    Drop(NodeId),
    Place(Unit),
    Force(Unit, NodeId),
    Unseat(usize),
    Take(NodeId, Resources),
    Clear(NodeId),
}

fn any_node() -> impl Strategy<Value = NodeId> {
    (1_u8..=12).prop_map(node_id)
}

fn any_resources() -> impl Strategy<Value = Resources> {
    let amount = prop_oneof![Just(0_u64), Just(500), Just(1_000), Just(2_000)];
    (amount.clone(), amount).prop_map(|(cpu, memory)| Resources::of(cpu, memory))
}

/// Labels of nodes or units, from few values so that they often agree.
fn any_labels(keys: &'static [&'static str]) -> impl Strategy<Value = Labels> {
    let pair = (
        prop::sample::select(keys),
        prop::sample::select(&["a", "b", "c"][..]),
    );
    let pair = pair.prop_map(|(key, value)| (key.to_owned(), value.to_owned()));
    prop::collection::vec(pair, 0..3).prop_map(|pairs| pairs.into_iter().collect())
}

fn any_place() -> impl Strategy<Value = Place> {
    let capacity = prop_oneof![Just(1_000_u64), Just(2_000), Just(4_000), Just(0)];
    let open = prop::bool::weighted(0.9);
    let sort = any_labels(&["zone", "rack", "pool"]);
    (
        any_node(),
        (capacity.clone(), capacity),
        0_u32..8,
        sort,
        open,
    )
        .prop_map(|(id, (cpu, memory), slots, labels, open)| Place {
            id,
            capacity: Resources::of(cpu, memory),
            slots,
            labels,
            open,
        })
}

fn any_topology() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(&["zone", "rack"][..]).prop_map(str::to_owned))
}

fn any_affinities() -> impl Strategy<Value = Vec<Affinity>> {
    let affinity = (any_labels(&["app", "tier"]), any_topology(), any::<bool>());
    let affinity = affinity.prop_map(|(labels, topology, required)| Affinity {
        labels,
        topology,
        required,
    });
    prop::collection::vec(affinity, 0..3)
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let spread = (any_topology(), any_labels(&["app", "tier"]));
    let spread = spread.prop_map(|(topology, labels)| Spread { topology, labels });
    let node_labels = prop_oneof![4 => Just(Labels::new()), 1 => any_labels(&["zone", "rack"])];
    let spread = prop::option::of(spread);
    (node_labels, any_affinities(), any_affinities(), spread).prop_map(
        |(node_labels, affinity, anti_affinity, spread)| Rules {
            node_labels,
            affinity,
            anti_affinity,
            spread,
        },
    )
}

fn any_unit() -> impl Strategy<Value = Unit> {
    let project = prop::sample::select(&["default", "other"][..]);
    let random = any::<[u8; 10]>();
    let sort = any_labels(&["app", "tier"]);
    (random, project, any_resources(), sort, any_rules()).prop_map(
        |(random, project, resources, labels, rules)| Unit {
            id: WorkloadId::from_parts(1, random),
            project: project.parse().unwrap(),
            resources,
            labels,
            rules,
        },
    )
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => any_place().prop_map(Event::Put),
        1 => any_node().prop_map(Event::Drop),
        12 => any_unit().prop_map(Event::Place),
        1 => (any_unit(), any_node()).prop_map(|(unit, node)| Event::Force(unit, node)),
        3 => any::<prop::sample::Index>().prop_map(|at| Event::Unseat(at.index(1_000))),
        1 => (any_node(), any_resources()).prop_map(|(node, room)| Event::Take(node, room)),
        1 => any_node().prop_map(Event::Clear),
    ]
}

fn any_limits() -> impl Strategy<Value = Limits> {
    let tight = (0_usize..4, 0_usize..4, 0_usize..6, 1_usize..4);
    let tight = tight.prop_map(|(few, coarse, due, aisles)| Limits {
        few,
        coarse,
        due,
        aisles,
    });
    prop_oneof![3 => tight, 1 => Just(Limits::default())]
}

/// A fleet and its oracle, told the same.
struct Pair {
    fleet: Fleet,
    oracle: Oracle,
    seats: Vec<(Unit, NodeId)>,
}

impl Pair {
    fn new(policy: Policy, limits: Limits) -> Self {
        let half = Overcommit {
            cpu_percent: 250,
            memory_percent: 50,
        };
        let overcommits = Overcommits::from([("a".to_owned(), half)]);
        Self {
            fleet: Fleet::with_limits(policy, overcommits.clone(), limits),
            oracle: Oracle::new(policy, overcommits),
            seats: Vec::new(),
        }
    }

    fn seat(&mut self, unit: &Unit, node: NodeId) {
        self.fleet.unit_seat(unit, node);
        self.oracle.unit_seat(unit, node);
        self.seats.push((unit.clone(), node));
    }

    fn place(&mut self, unit: &Unit) {
        let expected = self.oracle.place(unit);
        let verdicts = self.fleet.explain(unit);
        let chosen = verdicts
            .iter()
            .find(|verdict| verdict.outcome == Outcome::Chosen);
        assert_eq!(
            chosen.map(|verdict| verdict.node),
            expected,
            "explain {unit:?}"
        );
        let placed = self.fleet.place(unit);
        assert_eq!(placed.as_ref().ok(), expected.as_ref(), "place {unit:?}");
        match placed {
            Ok(node) => self.seat(unit, node),
            Err(refusal) => assert_eq!(refusal.nodes, verdicts.len()),
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Put(place) => {
                self.fleet.node_put(place.clone());
                self.oracle.node_put(place);
            }
            Event::Drop(node) => {
                self.fleet.node_drop(node);
                self.oracle.node_drop(node);
            }
            Event::Place(unit) => self.place(&unit),
            Event::Force(unit, node) => self.seat(&unit, node),
            Event::Unseat(_) if self.seats.is_empty() => (),
            Event::Unseat(at) => {
                let (unit, node) = self.seats.swap_remove(at % self.seats.len());
                self.fleet.unit_unseat(&unit, node);
                self.oracle.unit_unseat(&unit, node);
            }
            Event::Take(node, room) => {
                self.fleet.room_take(node, room);
                self.oracle.room_take(node, room);
            }
            Event::Clear(node) => {
                self.fleet.room_clear(node);
                self.oracle.room_clear(node);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn every_answer_is_that_of_a_scan_of_all_nodes(
        policy in prop::sample::select(&Policy::ALL[..]),
        limits in any_limits(),
        places in prop::collection::vec(any_place(), 4..16),
        events in prop::collection::vec(any_event(), 1..120),
    ) {
        let mut pair = Pair::new(policy, limits);
        for event in places.into_iter().map(Event::Put).chain(events) {
            pair.happen(event);
        }
    }
}
