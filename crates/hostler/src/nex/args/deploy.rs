//! Flags of the commands that start and stop work.

use std::path::PathBuf;

use clap::Args;

/// `nex run`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// Where the artifact is: <nats://BUCKET/KEY>
    pub url: String,
    /// The node's id
    pub id: String,
    /// Variables of its environment, KEY=VALUE or KEY:VALUE
    #[arg(value_parser = variable, value_name = "ENV")]
    pub env: Vec<(String, String)>,
    /// A file with the curve seed (`SX…`) that seals the environment
    #[arg(long, value_name = "FILE")]
    pub xkey: PathBuf,
    /// A file with the seed (`SA…`) that signs
    #[arg(long, value_name = "FILE")]
    pub issuer: PathBuf,
    /// What to call it
    #[arg(long)]
    pub name: String,
    /// What it is: elf, native, v8, wasm
    #[arg(long, value_parser = ["elf", "native", "v8", "wasm", "oci"])]
    pub r#type: String,
    /// Text for people
    #[arg(long, default_value = "")]
    pub description: String,
    /// The `JetStream` domain of the bucket
    #[arg(long, default_value = "", value_name = "DOMAIN")]
    pub jsdomain: String,
    #[command(flatten)]
    pub how: HowArgs,
}

/// How work runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct HowArgs {
    /// Its arguments, separated by blanks
    #[arg(long, value_name = "WORDS")]
    pub argv: Option<String>,
    /// Start it again when it fails
    #[arg(long, overrides_with = "no_essential")]
    pub essential: bool,
    /// Leave it when it fails
    #[arg(long, hide = true)]
    pub no_essential: bool,
    /// A subject that triggers it (functions); may be repeated
    #[arg(long = "trigger_subject", value_name = "SUBJECT")]
    pub trigger_subjects: Vec<String>,
}

impl HowArgs {
    /// Its arguments, each by itself; no argument is empty.
    pub(crate) fn words(&self) -> Vec<String> {
        let given = self.argv.as_deref().unwrap_or_default();
        given.split_whitespace().map(str::to_owned).collect()
    }
}

/// `nex devrun`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DevRunArgs {
    /// The file: a static ELF executable, a `.wasm` or a `.js` file
    pub file: PathBuf,
    /// Variables of its environment, KEY=VALUE or KEY:VALUE
    #[arg(value_parser = variable, value_name = "ENV")]
    pub env: Vec<(String, String)>,
    #[command(flatten)]
    pub how: HowArgs,
    /// Stop what has its name on that node first, as is done anyway
    #[arg(long, overrides_with = "no_stop")]
    pub stop: bool,
    /// Leave what has its name on that node running
    #[arg(long)]
    pub no_stop: bool,
    /// How much the bucket for files may hold, if it is made now
    #[arg(long, default_value_t = 104_857_600, value_name = "BYTES")]
    pub bucketmaxbytes: u32,
}

/// `nex stop`.
#[derive(Clone, Debug, Args)]
pub(crate) struct StopArgs {
    /// The node's id
    pub id: String,
    /// The workload's id
    pub workload_id: String,
    /// What the workload is called
    #[arg(long)]
    pub name: String,
    /// A file with the seed that signed when it was started
    #[arg(long, value_name = "FILE")]
    pub issuer: PathBuf,
}

/// `KEY=VALUE` or `KEY:VALUE`, split at the first of either.
fn variable(text: &str) -> Result<(String, String), String> {
    let split = text.split_once(['=', ':']);
    let split = split.filter(|(key, _)| !key.is_empty());
    let (key, value) = split.ok_or_else(|| format!("'{text}' is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_split_at_the_first_sign_of_either_kind() {
        let check = |text: &str, key: &str, value: &str| {
            assert_eq!(variable(text), Ok((key.into(), value.into())), "{text}");
        };
        check("a=b=c", "a", "b=c");
        check("nats_url:nats://h:4222", "nats_url", "nats://h:4222");
        check("a=b:c", "a", "b:c");
        check("a:b=c", "a", "b=c");
        check("a=", "a", "");
        assert!(variable("a").is_err() && variable("=b").is_err());
    }

    #[test]
    fn no_argument_is_empty() {
        let words = |argv: Option<&str>| {
            let how = HowArgs {
                argv: argv.map(str::to_owned),
                essential: false,
                no_essential: false,
                trigger_subjects: vec![],
            };
            how.words()
        };
        assert_eq!(words(None), Vec::<String>::new());
        assert_eq!(words(Some("")), Vec::<String>::new());
        assert_eq!(words(Some("-a  b ")), ["-a", "b"]);
    }
}
