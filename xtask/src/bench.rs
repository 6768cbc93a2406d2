//! Measures everything in one run on one machine, as ratios where a ratio says
//! more, and writes `docs/figures.md`.
//!
//! Each bench prints one JSON object a line on standard output: `group`,
//! `name`, `value`, `unit`, and `aim` where there is one. Nothing here judges:
//! a figure that misses its aim stands in the table as it is.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::{root, run, tool};

/// Package, bench target, and which of its figures stand in the page: all
/// policies alike would be hundreds.
const BENCHES: [(&str, &str, &[&str]); 5] = [
    ("hostler-e2e", "fleet", &[]),
    ("hostler-store", "store", &[]),
    ("hostler-core", "placement", &["--", "least-loaded"]),
    ("hostler-core", "demand", &[]),
    ("hostler-kubernetes", "scale", &[]),
];

#[derive(Debug, Deserialize)]
struct Figure {
    #[serde(default)]
    group: String,
    name: String,
    value: f64,
    unit: String,
    #[serde(default)]
    aim: Option<String>,
}

/// Runs the named benches, or all; `quick` asks them for fewer rounds.
pub(crate) fn bench(quick: bool, parts: &[&str]) -> Result<()> {
    run("cargo", &["build", "--release", "--workspace", "--bins"])?;
    let agent = ["--release", "-p", "hostler-agent", "--bin", "hostler-agent"];
    let flags = ["--", "-C", "target-feature=+crt-static"];
    run("cargo", &[&["rustc"][..], &agent, &flags].concat())?;
    let mut figures = Vec::new();
    let is_asked = |target| parts.is_empty() || parts.contains(&target);
    for (package, target, which) in BENCHES.into_iter().filter(|bench| is_asked(bench.1)) {
        figures.extend(figures_of((package, target, which), quick)?);
    }
    let page = page(&figures)?;
    println!("{page}");
    fs::write(figures_file()?, page).context("could not write docs/figures.md")
}

fn figures_file() -> Result<PathBuf> {
    Ok(root()?.join("docs").join("figures.md"))
}

fn figures_of((package, target, which): (&str, &str, &[&str]), quick: bool) -> Result<Vec<Figure>> {
    eprintln!("$ cargo bench -p {package} --bench {target}");
    let output = tool("cargo", &["bench", "--package", package, "--bench", target])?
        .args(which)
        .env("HOSTLER_BENCH_QUICK", if quick { "1" } else { "" })
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the bench {target} of {package} failed: {}", output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let read = |line: &str| {
        let figure: Figure = serde_json::from_str(line).with_context(|| line.to_owned())?;
        Ok(Figure {
            group: first_of(&figure.group, target),
            ..figure
        })
    };
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(read)
        .collect()
}

fn first_of(group: &str, target: &str) -> String {
    if group.is_empty() {
        target.to_owned()
    } else {
        group.to_owned()
    }
}

fn page(figures: &[Figure]) -> Result<String> {
    let mut page =
        String::from("# Figures\n\nMeasured in one run by `cargo xtask bench`; written by it.\n\n");
    for (fact, value) in machine()? {
        writeln!(page, "- {fact}: {value}")?;
    }
    let mut group = "";
    for figure in figures {
        if figure.group != group {
            group = &figure.group;
            write!(
                page,
                "\n## {group}\n\n| figure | value | unit | aim |\n|---|---:|---|---|\n"
            )?;
        }
        let aim = figure.aim.as_deref().unwrap_or("");
        writeln!(
            page,
            "| {} | {} | {} | {aim} |",
            figure.name,
            number(figure.value),
            figure.unit
        )?;
    }
    Ok(page)
}

fn machine() -> Result<Vec<(&'static str, String)>> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kib = memory
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap_or("0");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(vec![
        (
            "processor",
            format!("{} × {}", cores, model.map_or("unknown", |(_, name)| name)),
        ),
        (
            "memory",
            format!("{} MiB", kib.parse::<u64>().unwrap_or(0) / 1_024),
        ),
        (
            "kernel",
            fs::read_to_string("/proc/sys/kernel/osrelease")?
                .trim()
                .to_owned(),
        ),
        ("compiler", said_by("rustc")?),
        ("commit", said_by("git")?),
    ])
}

fn said_by(program: &str) -> Result<String> {
    let arguments: &[&str] = if program == "git" {
        &["rev-parse", "--short", "HEAD"]
    } else {
        &["--version"]
    };
    let output = tool(program, arguments)?.output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Three digits that count, thousands apart.
fn number(value: f64) -> String {
    if value.abs() >= 1_000.0 {
        return thousands(&format!("{value:.0}"));
    }
    let places = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.places$}")
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_what_counts() {
        assert_eq!(number(1_234_567.8), "1,234,568");
        assert_eq!(number(999.4), "999");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(0.123), "0.12");
    }
}
