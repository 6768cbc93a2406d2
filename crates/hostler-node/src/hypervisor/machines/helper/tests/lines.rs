//! Words on a line: answers to the right askers, lines that are cut, bytes that
//! are no words.

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::hypervisor::machines::fake::{Call as Kind, Fault};
use crate::hypervisor::machines::{DiskFile, Usage};
use hostler_core::Bytes as Size;
use hostler_core::id::SnapshotId;
use hostler_core::vm::{Firmware, Power, VmSize};

fn spec(number: u8) -> MachineSpec {
    MachineSpec {
        vm: vm(number),
        name: "</name>'<web>".into(),
        project: "default".into(),
        size: VmSize {
            cpus: 2,
            memory: Size::mib(64),
            disk: Size::mib(1),
        },
        firmware: Firmware::Uefi,
        disks: vec![DiskFile {
            name: "root".into(),
            path: "/vms/root.qcow2".into(),
        }],
        nics: crate::vms::testing::order().nics,
        seed: "/vms/seed.img".into(),
        folder: "/vms".into(),
    }
}

#[tokio::test]
async fn everything_that_can_be_asked_is_answered_over_the_line_as_without_it() {
    let (fake, twin) = (FakeMachines::default(), FakeMachines::default());
    let (helper, _line) = line(&fake);
    let about = in_time("a hello", helper.begun(PATIENCE)).await.unwrap();
    assert_eq!(about, twin.about());
    let id = SnapshotId::from_parts(1, [9; 10]);
    fake.stranger("old");
    twin.stranger("old");
    for machines in [&helper as &dyn Machines, &twin] {
        machines.define(&spec(1)).await.unwrap();
        let started = machines.power(vm(1), PowerAct::Start).await;
        assert!(matches!(started, Err(MachineError::Failed(text)) if text.contains("disk")));
        let take = SnapshotAct::Take { id, memory: true };
        machines.snapshot(vm(1), take).await.unwrap();
        let back = SnapshotAct::Back {
            id: SnapshotId::from_parts(2, [9; 10]),
            memory: false,
        };
        let refused = machines.snapshot(vm(1), back).await;
        assert!(matches!(refused, Err(MachineError::Refused(_))));
        assert!(machines.grow(vm(2), "root", 7).await.is_err());
    }
    assert_eq!(helper.look().await.unwrap(), twin.look().await.unwrap());
    assert_eq!(helper.look().await.unwrap().len(), 2);
    assert_eq!(fake.calls(), twin.calls());
    Machines::remove(&helper, vm(1)).await.unwrap();
    assert!(!fake.is_left(vm(1)));
    assert_eq!(helper.screenshot(vm(1)).await.unwrap(), vec![0x89; 100_000]);
    let socket = helper.socket(vm(1), Channel::Vnc).await.unwrap();
    assert_eq!(socket, PathBuf::from(format!("/sockets/{}", vm(1))));
}

#[tokio::test]
async fn a_call_that_hangs_holds_nobody_up_and_whoever_gave_up_is_forgotten() {
    let fake = FakeMachines::default();
    let (helper, _line) = line(&fake);
    in_time("a hello", helper.begun(PATIENCE)).await.unwrap();
    fake.faults(Kind::Define, [Fault::Hang]);
    let hanging = tokio::spawn({
        let helper = helper.clone();
        async move { helper.define(&spec(1)).await }
    });
    in_time("the hanging call", async {
        while fake.has_faults(Kind::Define) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let many = (0..200).map(|number| {
        let helper = helper.clone();
        tokio::spawn(async move {
            let spec = spec(number);
            helper.define(&spec).await.unwrap();
            let all = helper.look().await.unwrap();
            assert!(all.iter().any(|sight| sight.vm == Some(spec.vm)));
        })
    });
    let many: Vec<_> = many.collect();
    for one in many {
        in_time("an answer", one).await.unwrap();
    }
    assert_eq!(helper.0.shared.desk.waiting(), 1);
    hanging.abort();
    hanging.await.unwrap_err();
    assert_eq!(helper.0.shared.desk.waiting(), 0);
}

#[tokio::test]
async fn a_line_that_is_cut_after_any_byte_fails_what_is_in_flight_at_once() {
    let mut said = frame(&hello()).to_vec();
    let begins = said.len();
    said.extend_from_slice(&frame(&done(0)));
    for cut in 0..=said.len() {
        let (ours, mut theirs) = tokio::io::duplex(10_000);
        let (helper, _line) = on(ours);
        theirs.write_all(&said[..cut.min(begins)]).await.unwrap();
        if cut < begins {
            drop(theirs);
            let why = in_time("a reason", helper.begun(PATIENCE)).await;
            assert!(why.is_err(), "{cut}");
            assert!(is_away(&helper.define(&spec(1)).await), "{cut}");
            continue;
        }
        in_time("a hello", helper.begun(PATIENCE)).await.unwrap();
        let asking = helper.clone();
        let asked = tokio::spawn(async move { asking.define(&spec(1)).await });
        // It is on its way.
        theirs.read_u32().await.unwrap();
        theirs.write_all(&said[begins..cut]).await.unwrap();
        drop(theirs);
        let answer = in_time("an end", asked).await.unwrap();
        assert_eq!(answer.is_ok(), cut == said.len(), "{cut}: {answer:?}");
        assert!(answer.is_ok() || is_away(&answer), "{cut}: {answer:?}");
        assert!(is_away(&helper.look().await));
    }
}

#[tokio::test]
async fn half_a_question_is_never_done() {
    let asked = |id, call| frame(&words::Asked { id, call });
    let mut said = asked(1, Call::Define(Box::new(spec(1)))).to_vec();
    let first = said.len();
    said.extend_from_slice(&asked(2, Call::Define(Box::new(spec(2)))));
    for cut in [0, 1, 4, first - 1, first, first + 1, said.len() - 1] {
        let fake = FakeMachines::default();
        let (mut ours, theirs) = tokio::io::duplex(10_000);
        let serving = tokio::spawn(serve(theirs, Arc::new(Fake(fake.clone())), None));
        ours.write_all(&said[..cut]).await.unwrap();
        if cut >= first {
            let mut answers = tokio_util::codec::FramedRead::new(&mut ours, frames::codec());
            for _ in 0..2 {
                let next = futures::StreamExt::next(&mut answers);
                in_time("an answer", next).await.unwrap().unwrap();
            }
        }
        drop(ours);
        let _ = in_time("its end", serving).await.unwrap();
        let done: Vec<_> = fake.calls().iter().map(|(_, vm)| *vm).collect();
        let whole = if cut < first { vec![] } else { vec![vm(1)] };
        assert_eq!(done, whole, "{cut}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_said_to_be_and_the_line_stays() {
    let fake = FakeMachines::default();
    fake.stranger(&"x".repeat(frames::LONGEST));
    let (helper, _line) = line(&fake);
    in_time("a hello", helper.begun(PATIENCE)).await.unwrap();
    let looked = in_time("an answer", helper.look()).await;
    assert!(matches!(looked, Err(MachineError::Failed(text)) if text.contains("cannot be sent")));
    helper.define(&spec(1)).await.unwrap();
}

#[tokio::test]
async fn a_frame_that_claims_to_be_endless_is_not_waited_for() {
    let (ours, mut theirs) = tokio::io::duplex(10_000);
    let (helper, _line) = on(ours);
    theirs.write_u32(u32::MAX).await.unwrap();
    let why = in_time("a reason", helper.begun(PATIENCE)).await;
    assert!(why.unwrap_err().contains("cannot be heard"));
}

#[tokio::test]
async fn a_process_of_another_build_is_told_apart() {
    let (ours, mut theirs) = tokio::io::duplex(10_000);
    let (helper, _line) = on(ours);
    let mut hello = hello();
    hello.speech += 1;
    theirs.write_all(&frame(&hello)).await.unwrap();
    let why = in_time("a reason", helper.begun(PATIENCE)).await;
    assert!(why.unwrap_err().contains("of one build"));
}

fn sight() -> impl Strategy<Value = Sight> {
    let power = prop_oneof![Just(Power::Off), Just(Power::Running), Just(Power::Paused)];
    let usage = proptest::option::of((any::<u64>(), any::<u64>()));
    let texts = proptest::collection::btree_map(any::<String>(), any::<String>(), 0..3);
    let addresses = proptest::collection::vec(any::<std::net::IpAddr>(), 0..3);
    (any::<String>(), any::<u8>(), power, usage, texts, addresses).prop_map(
        |(name, number, power, usage, details, addresses)| Sight {
            uuid: Some(name.clone()),
            name,
            vm: Some(vm(number)).filter(|_| number > 9),
            power,
            addresses,
            snapshots: [SnapshotId::from_parts(1, [number; 10])].into(),
            size: spec(1).size,
            usage: usage.map(|(cpu_ns, memory)| Usage { cpu_ns, memory }),
            details,
        },
    )
}

fn value() -> impl Strategy<Value = Result<Value, Problem>> {
    prop_oneof![
        Just(Ok(Value::Done)),
        proptest::collection::vec(sight(), 0..5).prop_map(|all| Ok(Value::Machines(all))),
        any::<String>().prop_map(|text| Ok(Value::Socket(text.into()))),
        any::<String>().prop_map(|text| Ok(Value::Picture(text))),
        any::<String>().prop_map(|text| Err(Problem::Refused(text))),
        any::<String>().prop_map(|text| Err(Problem::Away(text))),
    ]
}

/// Real words, some of whose bytes were changed.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let change = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (0..3_u64, value(), change).prop_map(|(id, result, changes)| {
        let mut bytes = frame(&hello()).to_vec();
        bytes.extend_from_slice(&frame(&Answered { id, result }));
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

/// What becomes of a call while this is said and the line is closed.
fn heard(bytes: &[u8]) -> Result<Vec<Sight>, MachineError> {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        let (helper, _line) = on(ours);
        let asking = tokio::spawn(async move {
            helper.begun(PATIENCE).await.map_err(MachineError::Away)?;
            helper.look().await
        });
        theirs.write_all(bytes).await.ok();
        drop(theirs);
        in_time("an end", asking).await.unwrap()
    })
}

proptest! {
    #[test]
    fn what_was_packed_is_unpacked(id: u64, result in value()) {
        let word = Answered { id, result };
        let packed = frames::pack(&word).unwrap();
        prop_assert_eq!(frames::unpack::<Answered>(&packed).unwrap(), word);
    }

    #[test]
    fn whatever_is_said_to_a_node_its_calls_end(
        bytes in prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), damaged()]
    ) {
        let _ = heard(&bytes);
    }

    #[test]
    fn whatever_is_said_to_a_process_it_ends_with_its_line(
        bytes in proptest::collection::vec(any::<u8>(), 0..200)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut ours, theirs) = tokio::io::duplex(1 << 16);
            let fake = Arc::new(Fake(FakeMachines::default()));
            let serving = tokio::spawn(serve(theirs, fake, None));
            ours.write_all(&bytes).await.ok();
            drop(ours);
            let _ = in_time("its end", serving).await.unwrap();
        });
    }
}
