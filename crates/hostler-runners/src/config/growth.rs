//! How eagerly a fleet grows: the table `[growth]` of `runners.toml`. Read only
//! where there is a fleet: a manager that stands alone buys what it is told to.

use std::time::Duration;

use serde::Deserialize;

/// A place comes free, or a node opens, within moments more often than not.
const USUAL: Duration = Duration::from_secs(5);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Table {
    patience_s: Option<u64>,
}

/// How long work must have been without a seat until a machine is bought.
pub fn patience(file: &toml::Table) -> Result<Duration, String> {
    let table = file.get("growth").cloned();
    let table = table.map(toml::Value::try_into::<Table>).transpose();
    let table = table.map_err(|error| format!("[growth]: {error}"))?;
    let given = table.unwrap_or_default().patience_s;
    Ok(given.map_or(USUAL, Duration::from_secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_some_seconds_unless_it_is_said() {
        let check = |text: &str, expected: Result<u64, &str>| {
            let read = patience(&text.parse().unwrap());
            match (read, expected) {
                (Ok(read), Ok(seconds)) => assert_eq!(read.as_secs(), seconds),
                (Err(read), Err(part)) => assert!(read.contains(part), "{read}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        };
        check("", Ok(5));
        check("[growth]\npatience_s = 1", Ok(1));
        check("[growth]\npatience = 1", Err("[growth]: unknown field"));
    }
}
