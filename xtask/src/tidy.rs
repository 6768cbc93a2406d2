//! Tidiness that no lint knows: every file says what its code cannot, names
//! no machine, and stays short.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::root;

/// The longest file, in lines, tests included; flat tables may be longer.
const LONGEST: usize = 450;

/// Texts that must not stand in any tracked file. Written in two parts, so
/// that this file does not hold them either.
const FORBIDDEN: [(&str, &str); 4] = [
    ("/ro", "ot/"),
    ("/wo", "rk/"),
    ("todo", "!("),
    ("unimplemented", "!("),
];

/// Fails with everything untidy.
pub(crate) fn check() -> Result<()> {
    let root = root()?;
    let mut untidy = Vec::new();
    for file in tracked(&root)? {
        let Ok(text) = fs::read_to_string(root.join(&file)) else {
            continue;
        };
        untidy.extend(
            faults(&file, &text)
                .into_iter()
                .map(|fault| format!("{file}: {fault}")),
        );
    }
    if !untidy.is_empty() {
        bail!("untidy:\n  {}", untidy.join("\n  "));
    }
    Ok(())
}

fn tracked(root: &Path) -> Result<Vec<String>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .output()?;
    let text = String::from_utf8(output.stdout).context("file names are UTF-8")?;
    Ok(text
        .lines()
        .filter(|line| !line.ends_with("Cargo.lock"))
        .map(str::to_owned)
        .collect())
}

fn faults(file: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let is_source = has_ending(file, "rs");
    if is_source && !text.starts_with("//!") {
        faults.push("does not open with //!".to_owned());
    }
    let lines = text.lines().count();
    if is_source && lines > LONGEST {
        faults.push(format!("has {lines} lines, {LONGEST} at most"));
    }
    for (first, second) in FORBIDDEN {
        if text.contains(&format!("{first}{second}")) {
            faults.push(format!("holds '{first}{second}'"));
        }
    }
    faults
}

fn has_ending(file: &str, ending: &str) -> bool {
    Path::new(file)
        .extension()
        .is_some_and(|found| found == ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_file_opens_with_what_its_code_cannot_say() {
        assert_eq!(
            faults("a.rs", "//! Says it.\nfn a() {}\n"),
            Vec::<String>::new()
        );
        assert_eq!(faults("a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(faults("a.md", "# A\n"), Vec::<String>::new());
    }

    #[test]
    fn long_files_and_paths_of_a_machine_are_untidy() {
        let long = format!("//! Long.\n{}", "\n".repeat(LONGEST));
        assert_eq!(faults("a.rs", &long).len(), 1);
        assert_eq!(faults("a.md", &format!("see {}{}x", "/ro", "ot/")).len(), 1);
    }
}
