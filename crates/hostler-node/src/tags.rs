//! The tags a node advertises (protocol 5.6).

use std::collections::BTreeMap;

use crate::hypervisor::Isolation;

/// Tags of a node. What it finds out itself outweighs what it was told.
pub(crate) fn tags(
    configured: &BTreeMap<String, String>,
    name: &str,
    isolation: &Isolation,
    lame_duck: bool,
) -> BTreeMap<String, String> {
    let mut tags = configured.clone();
    tags.entry("node_name".to_owned())
        .or_insert_with(|| name.to_owned());
    // Nobody but the node itself may say these.
    for own in ["nex.unsafe", "nex.lameduck"] {
        tags.remove(own);
    }
    let mut set = |key: &str, value: String| tags.insert(key.to_owned(), value);
    set("nex.os", std::env::consts::OS.to_owned());
    set("nex.arch", architecture().to_owned());
    set("nex.cpucount", crate::host::cpus().to_string());
    set("hostler.driver", isolation.driver.to_owned());
    set("hostler.isolation", isolation.text());
    if isolation.is_unsafe() {
        set("nex.unsafe", "true".to_owned());
    }
    if lame_duck {
        set("nex.lameduck", "true".to_owned());
    }
    tags
}

/// The machine's architecture by Go's names.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn isolation(measures: &[&'static str]) -> Isolation {
        Isolation {
            driver: "process",
            measures: measures.to_vec(),
        }
    }

    #[test]
    fn a_node_says_itself_whether_it_is_unsafe_or_a_lame_duck() {
        let told = BTreeMap::from([
            ("nex.unsafe".to_owned(), "false".to_owned()),
            ("nex.lameduck".to_owned(), "true".to_owned()),
            ("nex.os".to_owned(), "plan9".to_owned()),
            ("simple".to_owned(), "true".to_owned()),
        ]);
        let safe = tags(&told, "n1", &isolation(&["session"]), false);
        assert_eq!(safe.get("nex.unsafe"), None);
        assert_eq!(safe.get("nex.lameduck"), None);
        assert_eq!(safe["nex.os"], "linux");
        assert_eq!(safe["simple"], "true");
        assert_eq!(safe["node_name"], "n1");
        assert_eq!(safe["hostler.isolation"], "session");
        let bare = tags(&told, "n1", &isolation(&[]), true);
        assert_eq!(bare["nex.unsafe"], "true");
        assert_eq!(bare["nex.lameduck"], "true");
    }
}
