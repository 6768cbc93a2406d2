//! Which pod is the runner program of a node: the one that is ready, then the
//! newest. Pods of other namespaces are no runner programs, but a hint.

use hostler_core::runner::Program as Facts;

use super::Look;
use crate::watch::{Key, Program};

/// A program and what it is called.
pub(super) type Named<'a> = (&'a Key, &'a Program);

/// The program on this node.
pub(super) fn on<'a>(look: &Look<'a>, node: &str) -> Option<Named<'a>> {
    let here = look.programs.get(node)?.iter().copied();
    let own = here.filter(|((namespace, _), _)| *namespace == look.eye.programs_in);
    own.max_by_key(|(key, one)| (!one.is_terminating, one.is_ready, one.created, *key))
}

/// A pod that would be the program of this node, in a namespace where none is
/// looked for.
pub(super) fn elsewhere<'a>(look: &Look<'a>, node: &str) -> Option<Named<'a>> {
    let mut here = look.programs.get(node)?.iter().copied();
    here.find(|((namespace, _), _)| *namespace != look.eye.programs_in)
}

/// What core reads of a program. One that is ending works no longer.
pub(super) fn facts(program: Option<Named<'_>>) -> Facts {
    let Some(((_, name), one)) = program else {
        return Facts::default();
    };
    let failing = one.failing.filter(|_| one.trouble.is_some());
    Facts {
        name: Some(name.clone()),
        is_running: one.is_running && !one.is_terminating,
        is_ready: one.is_ready && !one.is_terminating,
        failing_since: failing.map(|(since, _)| since),
    }
}
