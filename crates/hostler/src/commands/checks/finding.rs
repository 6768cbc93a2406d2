//! One thing that was looked at, and how findings are shown.

use comfy_table::Table;
use serde::Serialize;

use super::mend::Mending;
use crate::output;

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub(super) what: String,
    pub(super) good: bool,
    /// Whether it cannot be done without.
    pub(super) needed: bool,
    pub(super) found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
    /// How this program can do it.
    #[serde(skip)]
    pub(super) mending: Option<Mending>,
}

impl Finding {
    pub(super) fn new(
        what: impl Into<String>,
        found: Result<String, String>,
        fix: impl Into<String>,
    ) -> Self {
        let good = found.is_ok();
        Self {
            what: what.into(),
            good,
            needed: true,
            found: found.unwrap_or_else(|problem| problem),
            fix: (!good).then(|| fix.into()),
            mending: None,
        }
    }

    /// One that can be mended, if it is bad.
    pub(super) fn mended_by(mut self, mending: Option<Mending>) -> Self {
        self.mending = mending.filter(|_| !self.good);
        self
    }

    /// Whether it is missing and cannot be done without.
    pub(super) fn stops(&self) -> bool {
        self.needed && !self.good
    }

    fn row(&self) -> [String; 4] {
        let mark = match (self.good, self.needed) {
            (true, _) => "good",
            (false, true) => "bad",
            (false, false) => "poor",
        };
        let fix = self.fix.clone().unwrap_or_default();
        [self.what.clone(), mark.to_owned(), self.found.clone(), fix]
    }
}

/// How many are missing that cannot be done without.
pub(super) fn missing(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.stops()).count()
}

/// Findings for people.
pub(super) fn table(findings: &[Finding]) -> Table {
    let mut table = output::table(&["what", "", "found", "fix"]);
    for finding in findings {
        table.add_row(finding.row());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bad_says_what_to_do_and_what_is_good_does_not() {
        let good = Finding::new("x", Ok("7".into()), "do this");
        assert_eq!((good.good, good.fix.as_deref()), (true, None));
        let mut bad = Finding::new("x", Err("missing".into()), "do this");
        assert_eq!((bad.stops(), bad.fix.as_deref()), (true, Some("do this")));
        assert_eq!(bad.row()[1], "bad");
        assert_eq!(missing(&[good, bad.clone()]), 1);
        bad.needed = false;
        assert_eq!(bad.row()[1], "poor");
        assert_eq!(missing(&[bad]), 0);
    }
}
