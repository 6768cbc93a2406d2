//! How many units a second the scheduler places (one `place` and one
//! `unit_seat` each), on one core: each scenario fills a fleet with 10,000 units
//! and empties it again, off the clock, until it was filled for half a second.
//! The figure is that of the fastest round, which was disturbed the least. One
//! JSON object a line on standard output.
//!
//! With the program's arguments only scenarios are run whose names contain all
//! of them: `cargo bench -p hostler-core --bench placement -- bin-pack 5000`.

use std::time::{Duration, Instant};

use hostler_core::id::{NodeId, WorkloadId};
use hostler_core::placement::{Affinity, Fleet, Overcommits, Place, Policy, Rules, Spread, Unit};
use hostler_core::{Bytes, Labels, Name, Resources};

const UNITS: usize = 10_000;
const SIZES: [usize; 4] = [100, 1_000, 5_000, 10_000];
const ZONES: usize = 10;
const RACK: usize = 20;
const SPAN: Duration = Duration::from_millis(500);

/// What the units of a scenario ask for.
#[derive(Clone, Copy)]
enum Case {
    /// Room and nothing else, units of one kind.
    Basic,
    /// Room and nothing else, five units of a kind.
    BasicFives,
    /// Room, on a fleet of which nine tenths are full.
    Crowded,
    /// A node label that half of the nodes carry.
    Label,
    /// Required anti-affinity by node; as few groups as possible.
    FarGroup,
    /// The same, with the units of all groups in turn.
    FarTurns,
    /// Required anti-affinity by node, five units a group.
    FarFives,
    /// Required anti-affinity by zone, five units a group.
    FarZones,
    /// Required anti-affinity by rack of twenty nodes, five units a group.
    FarRacks,
    /// Preferred affinity by node, five units a group.
    NearFives,
    /// Spread over nodes, one group.
    SpreadNodes,
    /// Spread over zones, one group.
    SpreadZones,
}

const CASES: [(&str, Case); 12] = [
    ("basic", Case::Basic),
    ("basic-fives", Case::BasicFives),
    ("crowded", Case::Crowded),
    ("node-label", Case::Label),
    ("anti-affinity-node", Case::FarGroup),
    ("anti-affinity-node-interleaved", Case::FarTurns),
    ("anti-affinity-node-fives", Case::FarFives),
    ("anti-affinity-zone", Case::FarZones),
    ("anti-affinity-rack", Case::FarRacks),
    ("affinity-node-fives", Case::NearFives),
    ("spread-node", Case::SpreadNodes),
    ("spread-zone", Case::SpreadZones),
];

fn labels(pairs: &[(&str, String)]) -> Labels {
    let pair = |(key, value): &(&str, String)| ((*key).to_owned(), value.clone());
    pairs.iter().map(pair).collect()
}

/// Ids in no order, as real ones are, and the same in each run.
fn scrambled(number: usize) -> [u8; 10] {
    let mut bytes = [0; 10];
    let mixed = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bytes[..8].copy_from_slice(&mixed.to_be_bytes());
    bytes
}

/// A node with room for at least `spare` times its share of the units.
fn place(number: usize, nodes: usize, spare: usize) -> Place {
    let holds = (spare * UNITS / nodes).max(8) as u64;
    Place {
        id: NodeId::from_parts(1, scrambled(number)),
        capacity: Resources::of(500 * holds, 512 * holds),
        slots: 2 * u32::try_from(holds).unwrap_or(u32::MAX),
        disk: Bytes::default(),
        labels: labels(&[
            ("arch", "x86_64".to_owned()),
            ("host", format!("node-{number}")),
            ("half", (number % 2).to_string()),
            ("rack", format!("rack-{}", number / RACK)),
            ("zone", format!("zone-{}", number % ZONES)),
        ]),
        open: true,
    }
}

fn far(app: &str, topology: Option<&str>) -> Rules {
    Rules {
        anti_affinity: vec![Affinity {
            labels: labels(&[("app", app.to_owned())]),
            topology: topology.map(str::to_owned),
            required: true,
        }],
        ..Rules::default()
    }
}

fn near(app: &str) -> Rules {
    let mut affinity = far(app, None).anti_affinity;
    for rule in &mut affinity {
        rule.required = false;
    }
    Rules {
        affinity,
        ..Rules::default()
    }
}

fn spread(app: &str, topology: Option<&str>) -> Rules {
    let spread = Spread {
        topology: topology.map(str::to_owned),
        labels: labels(&[("app", app.to_owned())]),
    };
    Rules {
        spread: Some(spread),
        ..Rules::default()
    }
}

/// The group of a unit, and what units of that group ask for.
fn asked(case: Case, number: usize, nodes: usize) -> (String, Rules) {
    let groups = (2 * UNITS).div_ceil(nodes);
    let group = match case {
        Case::FarGroup => number * groups / UNITS,
        Case::FarTurns => number % groups,
        Case::Basic | Case::Crowded | Case::Label | Case::SpreadNodes | Case::SpreadZones => 0,
        _ => number / 5,
    };
    let app = format!("app-{group}");
    let rules = match case {
        Case::Basic | Case::BasicFives | Case::Crowded => Rules::default(),
        Case::Label => Rules {
            node_labels: labels(&[("half", "1".to_owned())]),
            ..Rules::default()
        },
        Case::FarGroup | Case::FarTurns | Case::FarFives => far(&app, None),
        Case::FarZones => far(&app, Some("zone")),
        Case::FarRacks => far(&app, Some("rack")),
        Case::NearFives => near(&app),
        Case::SpreadNodes => spread(&app, None),
        Case::SpreadZones => spread(&app, Some("zone")),
    };
    (app, rules)
}

fn units(case: Case, nodes: usize, project: &Name) -> Vec<Unit> {
    let unit = |number| {
        let (app, rules) = asked(case, number, nodes);
        Unit {
            id: WorkloadId::from_parts(1, scrambled(number)),
            project: project.clone(),
            resources: Resources::of(500, 512),
            disk: Bytes::default(),
            labels: labels(&[("app", app)]),
            rules,
        }
    };
    (0..UNITS).map(unit).collect()
}

fn fleet(case: Case, policy: Policy, nodes: usize) -> Fleet {
    let mut fleet = Fleet::new(policy, Overcommits::new());
    let crowded = matches!(case, Case::Crowded);
    for number in 0..nodes {
        let place = place(number, nodes, if crowded { 20 } else { 4 });
        let (id, room) = (place.id, place.capacity);
        fleet.node_put(place);
        if crowded && number % 10 != 0 {
            fleet.room_take(id, room);
        }
    }
    fleet
}

/// Places and seats all units; how long that took, and which nodes they got.
/// Units are copied off the clock, a few at a time, as if just read: what the
/// scheduler is handed does not come from far away in memory.
fn filled(fleet: &mut Fleet, units: &[Unit]) -> (Duration, Vec<Option<NodeId>>) {
    let mut nodes = Vec::with_capacity(units.len());
    let mut time = Duration::ZERO;
    for few in units.chunks(50) {
        let few = few.to_vec();
        let start = Instant::now();
        for unit in &few {
            let node = fleet.place(unit).ok();
            if let Some(node) = node {
                fleet.unit_seat(unit, node);
            }
            nodes.push(node);
        }
        time += start.elapsed();
    }
    (time, nodes)
}

fn emptied(fleet: &mut Fleet, units: &[Unit], nodes: &[Option<NodeId>]) {
    for (unit, node) in units.iter().zip(nodes) {
        if let Some(node) = node {
            fleet.unit_unseat(unit, *node);
        }
    }
}

fn run(name: &str, case: Case, policy: Policy, nodes: usize, project: &Name) {
    let units = units(case, nodes, project);
    let mut fleet = fleet(case, policy, nodes);
    let (mut time, mut fastest) = (Duration::ZERO, Duration::MAX);
    while time < SPAN {
        // The first answer after so many changes catches up with all of them.
        assert!(fleet.place(&units[0]).is_ok(), "{name}: no room");
        let (took, seats) = filled(&mut fleet, &units);
        assert!(seats.iter().all(Option::is_some), "{name}: no room for all");
        emptied(&mut fleet, &units, &seats);
        time += took;
        fastest = fastest.min(took);
    }
    let value = UNITS as f64 / fastest.as_secs_f64();
    println!("{{\"name\":\"{name}\",\"value\":{value:.0},\"unit\":\"placements/s\"}}");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let project: Name = "default".parse()?;
    for policy in Policy::ALL {
        for (title, case) in CASES {
            for nodes in SIZES {
                let name = format!("placement/{policy}/{title}/{nodes}");
                if wanted.iter().all(|part| name.contains(part.as_str())) {
                    run(&name, case, policy, nodes, &project);
                }
            }
        }
    }
    Ok(())
}
