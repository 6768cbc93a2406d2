//! Amounts, and what a node saw.

use hostler_core::{Bytes, Cpu};

use crate::rest;

impl From<rest::Resources> for hostler_core::Resources {
    fn from(wire: rest::Resources) -> Self {
        Self {
            cpu: Cpu::millis(wire.cpu_millis),
            memory: Bytes::new(wire.memory_bytes),
        }
    }
}

impl From<hostler_core::Resources> for rest::Resources {
    fn from(core: hostler_core::Resources) -> Self {
        Self {
            cpu_millis: core.cpu.as_millis(),
            memory_bytes: core.memory.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use hostler_core::Resources;

    use crate::rest;

    #[test]
    fn amounts_survive_the_way_there_and_back() {
        let wire = rest::Resources {
            cpu_millis: 1_500,
            memory_bytes: 64 << 20,
        };
        assert_eq!(Resources::from(wire), Resources::of(1_500, 64));
        assert_eq!(rest::Resources::from(Resources::of(1_500, 64)), wire);
    }
}
