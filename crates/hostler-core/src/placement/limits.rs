//! Where one way to search gives way to another. These numbers change how
//! long an answer takes, never the answer.

/// The numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// So many nodes are looked at one by one.
    pub(super) few: usize,
    /// A topology with more domains than this is fine.
    pub(super) coarse: usize,
    /// An aisle that has to look at no more nodes than this is asked at once.
    pub(super) due: usize,
    /// So many aisles are kept filled.
    pub(super) aisles: usize,
    /// So much more than there is may be kept of what has been.
    pub(super) past: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            few: 16,
            coarse: 16,
            due: 16,
            aisles: 32,
            past: 4_096,
        }
    }
}
