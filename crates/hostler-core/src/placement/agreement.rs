//! The scheduler against the oracle: over random histories of random fleets,
//! with every policy and rule, and with limits so tight that small fleets take
//! the ways of large ones, all answers agree.

use proptest::prelude::*;

use super::limits::Limits;
use super::oracle::Oracle;
use super::*;
use crate::id::{NodeId, WorkloadId};
use crate::{Bytes, Labels, Resources};

fn node_id(number: u8) -> NodeId {
    NodeId::from_parts(1, [number; 10])
}

/// A unit like one of a few, so that the same rules come again and again; its
/// place in the list and its own id.
type Kin = (prop::sample::Index, [u8; 10]);

/// One thing that happens to a fleet.
#[derive(Clone, Debug)]
enum Event {
    Put(Place),
    Drop(NodeId),
    Place(Kin),
    Force(Kin, NodeId),
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

/// Often none: workloads take none, and many nodes hold no VMs.
fn any_disk() -> impl Strategy<Value = Bytes> {
    prop_oneof![3 => Just(0_u64), 1 => Just(500), 1 => Just(1_000)].prop_map(Bytes::mib)
}

fn any_place() -> impl Strategy<Value = Place> {
    let capacity = prop_oneof![Just(1_000_u64), Just(2_000), Just(4_000), Just(0)];
    let open = prop::bool::weighted(0.9);
    let sort = any_labels(&["zone", "rack", "pool"]);
    (
        any_node(),
        (capacity.clone(), capacity),
        (0_u32..8, any_disk()),
        sort,
        open,
    )
        .prop_map(|(id, (cpu, memory), (slots, disk), labels, open)| Place {
            id,
            capacity: Resources::of(cpu, memory),
            slots,
            disk,
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
    let sort = any_labels(&["app", "tier"]);
    let needs = (any_resources(), any_disk());
    (project, needs, sort, any_rules()).prop_map(|(project, (resources, disk), labels, rules)| {
        Unit {
            id: WorkloadId::from_parts(1, [0; 10]),
            project: project.parse().unwrap(),
            resources,
            disk,
            labels,
            rules,
        }
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => any_place().prop_map(Event::Put),
        1 => any_node().prop_map(Event::Drop),
        12 => any::<Kin>().prop_map(Event::Place),
        1 => (any::<Kin>(), any_node()).prop_map(|(kin, node)| Event::Force(kin, node)),
        6 => any::<prop::sample::Index>().prop_map(|at| Event::Unseat(at.index(1_000))),
        1 => (any_node(), any_resources()).prop_map(|(node, room)| Event::Take(node, room)),
        1 => any_node().prop_map(Event::Clear),
    ]
}

fn any_limits() -> impl Strategy<Value = Limits> {
    let past = prop_oneof![4 => Just(4_096), 1 => 0_usize..40];
    let due = prop_oneof![0_usize..6, Just(1_000)];
    let tight = (0_usize..4, 0_usize..4, due, 1_usize..4, past);
    let tight = tight.prop_map(|(few, coarse, due, aisles, past)| Limits {
        few,
        coarse,
        due,
        aisles,
        past,
    });
    prop_oneof![3 => tight, 1 => Just(Limits::default())]
}

/// A fleet and its oracle, told the same.
struct Pair {
    fleet: Fleet,
    oracle: Oracle,
    units: Vec<Unit>,
    seats: Vec<(Unit, NodeId)>,
}

impl Pair {
    fn new(policy: Policy, limits: Limits, units: Vec<Unit>) -> Self {
        let half = Overcommit {
            cpu_percent: 250,
            memory_percent: 50,
        };
        let overcommits = Overcommits::from([("a".to_owned(), half)]);
        Self {
            fleet: Fleet::with_limits(policy, overcommits.clone(), limits),
            oracle: Oracle::new(policy, overcommits),
            units,
            seats: Vec::new(),
        }
    }

    fn unit(&self, (like, random): Kin) -> Unit {
        Unit {
            id: WorkloadId::from_parts(1, random),
            ..like.get(&self.units).clone()
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
            Event::Place(kin) => self.place(&self.unit(kin)),
            Event::Force(kin, node) => self.seat(&self.unit(kin), node),
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
        units in prop::collection::vec(any_unit(), 1..6),
        places in prop::collection::vec(any_place(), 4..16),
        events in prop::collection::vec(any_event(), 1..120),
    ) {
        let mut pair = Pair::new(policy, limits, units);
        for event in places.into_iter().map(Event::Put).chain(events) {
            pair.happen(event);
        }
    }
}
