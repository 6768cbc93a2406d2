//! What stands for functions where there is no engine. None is ever made.

use std::future::Ready;

/// A function that cannot be.
pub(crate) enum Function {}

impl Function {
    pub(crate) fn close(&self) {
        match *self {}
    }

    pub(crate) fn stop(&mut self) -> Ready<()> {
        match *self {}
    }
}
