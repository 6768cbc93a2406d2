//! What a machine is told at its first boot: the script of `deploy/aws`, with
//! the answers to its questions put before it.

use std::fs;

use hostler_core::Labels;

use crate::names::Claim;
use crate::settings::MachineSettings;

const SCRIPT: &str = include_str!("../../../../deploy/aws/user-data.sh");
/// EC2's bound, before base64.
const MOST: usize = 16 * 1024;

/// There is no user data to be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserDataError {
    #[error("the join token in {path} cannot be read: {source}")]
    Token {
        path: String,
        source: std::io::Error,
    },
    #[error("the join token in {0} is empty")]
    Empty(String),
    #[error("user data would be {0} bytes, and EC2 takes {MOST}: the pool has too many labels")]
    TooLong(usize),
}

/// The script for this runner's machine; none where the template has its own.
pub(crate) fn user_data(
    machine: &MachineSettings,
    claim: &Claim,
    labels: &Labels,
) -> Result<Option<String>, UserDataError> {
    let Some(control) = &machine.control else {
        return Ok(None);
    };
    let token = token(machine)?;
    let labels = labels.iter().map(|(key, value)| format!("{key}={value}"));
    let answers = [
        ("HOSTLER_RUNNER", claim.runner.to_string()),
        ("HOSTLER_CONTROL", control.clone()),
        ("HOSTLER_JOIN_TOKEN", token),
        ("HOSTLER_LABELS", labels.collect::<Vec<_>>().join(" ")),
        ("HOSTLER_PROGRAM", machine.program.clone()),
    ];
    let mut script = "#!/bin/sh\n".to_owned();
    for (name, value) in answers {
        script.extend([name, "=", &quoted(&value), "\n"]);
    }
    script.push_str(SCRIPT);
    if script.len() > MOST {
        return Err(UserDataError::TooLong(script.len()));
    }
    Ok(Some(data_encoding::BASE64.encode(script.as_bytes())))
}

fn token(machine: &MachineSettings) -> Result<String, UserDataError> {
    let Some(path) = &machine.join_token_file else {
        return Ok(String::new());
    };
    let shown = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Err(UserDataError::Empty(shown)),
        Ok(text) => Ok(text.trim().to_owned()),
        Err(source) => Err(UserDataError::Token {
            path: shown,
            source,
        }),
    }
}

/// One word to a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::seen::fixtures::claim;

    fn script(machine: &MachineSettings, labels: &Labels) -> String {
        let encoded = user_data(machine, &claim("a", 0), labels).unwrap().unwrap();
        let script = data_encoding::BASE64.decode(encoded.as_bytes()).unwrap();
        String::from_utf8(script).unwrap()
    }

    fn machine(token_file: Option<std::path::PathBuf>) -> MachineSettings {
        MachineSettings {
            control: Some("http://10.0.0.5:3010".to_owned()),
            join_token_file: token_file,
            program: "/opt/hostler".to_owned(),
        }
    }

    #[test]
    fn answers_reach_the_script_whatever_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "it's $(secret)\n").unwrap();
        let labels = Labels::from([("a".to_owned(), "b".to_owned())]);
        let script = script(&machine(Some(path)), &labels);
        let (answers, _) = script.split_once(SCRIPT).unwrap();
        let ask = format!(
            "{answers}\nprintf '%s|%s|%s' \"$HOSTLER_JOIN_TOKEN\" \"$HOSTLER_RUNNER\" \"$HOSTLER_LABELS\""
        );
        let said = Command::new("sh").arg("-c").arg(ask).output().unwrap();
        assert_eq!(
            String::from_utf8(said.stdout).unwrap(),
            "it's $(secret)|a|a=b"
        );
    }

    #[test]
    fn without_a_control_plane_the_template_s_user_data_stands() {
        let none = MachineSettings::default();
        assert_eq!(
            user_data(&none, &claim("a", 0), &Labels::new()).unwrap(),
            None
        );
    }

    #[test]
    fn a_token_that_is_not_there_or_too_much_text_is_no_launch() {
        let labels = Labels::new();
        let gone = machine(Some("/nowhere/at/all".into()));
        assert!(user_data(&gone, &claim("a", 0), &labels).is_err());
        let long = Labels::from([("a".to_owned(), "b".repeat(MOST))]);
        assert!(user_data(&machine(None), &claim("a", 0), &long).is_err());
    }

    #[test]
    fn the_script_is_one_that_a_shell_reads() {
        let mut check = Command::new("sh");
        let status = check.arg("-n").arg("-c").arg(SCRIPT).status().unwrap();
        assert!(status.success());
    }
}
