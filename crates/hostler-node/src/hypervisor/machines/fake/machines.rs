//! Their life, and a line to each that says back what it hears.

use std::collections::BTreeMap;

use async_trait::async_trait;
use hostler_core::id::{SnapshotId, VmId};
use hostler_core::vm::{Power, VmSize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::state::{Call, Guest, Snapshot, State};
use super::{FakeMachines, guest};
use crate::hypervisor::machines::{
    About, Channel, MachineError, MachineSpec, Machines, PowerAct, Screens, Sight, SnapshotAct,
    Usage, Wire,
};

#[async_trait]
impl Machines for FakeMachines {
    fn about(&self) -> About {
        About {
            driver: "fake".to_owned(),
            accelerator: "none".to_owned(),
            version: crate::VERSION.to_owned(),
        }
    }

    async fn look(&self) -> Result<Vec<Sight>, MachineError> {
        let nobody = VmId::from_parts(0, [0; 10]);
        self.call(Call::Look, nobody, |state| Ok(sights(state)))
            .await
    }

    async fn define(&self, spec: &MachineSpec) -> Result<(), MachineError> {
        let (vm, size) = (spec.vm, spec.size);
        self.call(Call::Define, vm, move |state| {
            let fresh = Guest {
                power: Power::Off,
                starts: 0,
                size: None,
                defined: size,
                snapshots: BTreeMap::new(),
            };
            state.guests.entry(vm).or_insert(fresh).defined = size;
            Ok(())
        })
        .await
    }

    async fn power(&self, vm: VmId, act: PowerAct) -> Result<(), MachineError> {
        let call = match act {
            PowerAct::Start => Call::Start,
            PowerAct::ShutDown => Call::ShutDown,
            PowerAct::Off => Call::Off,
            PowerAct::Pause => Call::Pause,
            PowerAct::Resume => Call::Resume,
        };
        self.call(call, vm, |state| power(state, vm, act)).await
    }

    async fn snapshot(&self, vm: VmId, act: SnapshotAct) -> Result<(), MachineError> {
        match act {
            SnapshotAct::Take { id, memory } => {
                let take = |state: &mut State| take(state, vm, id, memory);
                self.call(Call::Take, vm, take).await
            }
            SnapshotAct::Remove { id } => {
                self.call(Call::Drop, vm, |state| {
                    guest(state, vm)?.snapshots.remove(&id);
                    Ok(())
                })
                .await
            }
            SnapshotAct::Back { id, .. } => {
                self.call(Call::Back, vm, |state| back(state, vm, id)).await
            }
        }
    }

    async fn grow(&self, vm: VmId, disk: &str, bytes: u64) -> Result<(), MachineError> {
        let grow = |state: &mut State| super::disks::grow(state, vm, disk, bytes);
        self.call(Call::GrowLive, vm, grow).await
    }

    async fn remove(&self, vm: VmId) -> Result<(), MachineError> {
        self.call(Call::Remove, vm, |state| {
            state.guests.remove(&vm);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Screens for FakeMachines {
    /// The screen greets as a server of RFB does; the serial line is an echo.
    async fn open(&self, vm: VmId, channel: Channel) -> Result<Wire, MachineError> {
        if self.power_of(vm).is_none_or(|power| power == Power::Off) {
            return Err(MachineError::Refused("the machine is off".into()));
        }
        let (ours, mut theirs) = tokio::io::duplex(4_096);
        tokio::spawn(async move {
            if channel == Channel::Vnc {
                theirs.write_all(b"RFB 003.008\n").await.ok();
            }
            let mut heard = [0; 512];
            while let Ok(count) = theirs.read(&mut heard).await {
                if count == 0 || theirs.write_all(&heard[..count]).await.is_err() {
                    return;
                }
            }
        });
        Ok(Box::pin(ours))
    }

    async fn screenshot(&self, vm: VmId) -> Result<Vec<u8>, MachineError> {
        match self.power_of(vm) {
            Some(Power::Running | Power::Paused) => Ok(b"\x89PNG\r\n\x1a\n".to_vec()),
            _ => Err(MachineError::Refused("the machine is off".into())),
        }
    }
}

fn sights(state: &State) -> Vec<Sight> {
    let ours = state.guests.iter().map(|(vm, guest)| {
        let on = guest.power != Power::Off;
        Sight {
            name: format!("hostler-{vm}"),
            uuid: Some(vm.to_string()),
            vm: Some(*vm),
            power: guest.power,
            addresses: if on {
                vec![[10, 0, 0, 2].into()]
            } else {
                vec![]
            },
            snapshots: guest.snapshots.keys().copied().collect(),
            size: guest.defined,
            usage: on.then(Usage::default),
            details: BTreeMap::new(),
        }
    });
    ours.chain(state.strangers.iter().map(|name| stranger(name)))
        .collect()
}

fn stranger(name: &str) -> Sight {
    Sight {
        name: name.to_owned(),
        uuid: None,
        vm: None,
        power: Power::Running,
        addresses: vec![],
        snapshots: [].into(),
        size: VmSize {
            cpus: 1,
            memory: hostler_core::Bytes::mib(64),
            disk: hostler_core::Bytes::new(0),
        },
        usage: None,
        details: BTreeMap::new(),
    }
}

fn power(state: &mut State, vm: VmId, act: PowerAct) -> Result<(), MachineError> {
    let deaf = state.deaf.contains(&vm);
    let has_disk = state.disks.contains_key(&vm);
    let guest = guest(state, vm)?;
    match act {
        PowerAct::Start if guest.power == Power::Off => {
            if !has_disk {
                return Err(MachineError::Failed("its disk is missing".into()));
            }
            guest.power = Power::Running;
            guest.starts += 1;
            guest.size = Some(guest.defined);
        }
        PowerAct::ShutDown if guest.power == Power::Running && !deaf => guest.power = Power::Off,
        PowerAct::Off => guest.power = Power::Off,
        PowerAct::Pause if guest.power == Power::Running => guest.power = Power::Paused,
        PowerAct::Resume if guest.power == Power::Paused => guest.power = Power::Running,
        _ => {}
    }
    Ok(())
}

fn take(state: &mut State, vm: VmId, id: SnapshotId, memory: bool) -> Result<(), MachineError> {
    let disks = state.disks.get(&vm).cloned().unwrap_or_default();
    let guest = guest(state, vm)?;
    let power = if memory { guest.power } else { Power::Off };
    guest
        .snapshots
        .entry(id)
        .or_insert(Snapshot { power, disks });
    Ok(())
}

fn back(state: &mut State, vm: VmId, id: SnapshotId) -> Result<(), MachineError> {
    let guest = guest(state, vm)?;
    let Some(snapshot) = guest.snapshots.get(&id).cloned() else {
        return Err(MachineError::Refused("there is no such snapshot".into()));
    };
    guest.power = snapshot.power;
    state.disks.insert(vm, snapshot.disks);
    Ok(())
}
