//! The calls that are made of EC2 and Auto Scaling, and what they answer,
//! reduced to what is looked at. No call is tried twice in here: whoever calls
//! decides what to do about an answer that did not come.

mod error;

use async_trait::async_trait;
use hostler_core::Timestamp;

pub use error::CloudError;
pub(crate) use error::reason_of_activity;

use crate::launch::Launch;
use crate::names::Tags;

/// How far an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Being started.
    Pending,
    /// It runs.
    Running,
    /// Stopped, or being stopped: it may run again.
    Stopped,
    /// Being ended.
    Ending,
    /// Ended; listed for about an hour more.
    Ended,
}

impl State {
    /// Whether it costs money, or may again.
    pub const fn lives(self) -> bool {
        matches!(self, Self::Pending | Self::Running | Self::Stopped)
    }
}

/// An instance, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// Why it is so, as a word of EC2's (`Client.UserInitiatedShutdown`).
    pub why: String,
    /// When it was launched.
    pub launched: Timestamp,
    /// Its private addresses.
    pub ips: Vec<String>,
    /// Its type, zone, private name and the like: shown as they are.
    pub extra: Tags,
    /// Its tags.
    pub tags: Tags,
    /// The Auto Scaling group it is in.
    pub group: Option<String>,
}

/// What the status checks of an instance say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// They are not done yet.
    Initializing,
    /// It is reachable and well.
    Well,
    /// It is not.
    Impaired,
}

/// An Auto Scaling group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// So many instances it is to have.
    pub desired: u32,
    /// Never fewer.
    pub min: u32,
    /// Never more.
    pub max: u32,
    /// Its tags.
    pub tags: Tags,
    /// Instances in it that are not on their way out; whether each is
    /// protected when the group shrinks.
    pub members: Vec<(String, bool)>,
    /// Its last failure to launch one: when, and in which words.
    pub failure: Option<(Timestamp, String)>,
}

/// A call that changes something, tried without effect.
#[derive(Clone, Debug)]
pub enum Try<'a> {
    /// A launch.
    Launch(&'a Launch),
    /// Terminating this instance.
    Terminate(&'a str),
    /// Tagging this instance.
    Tag(&'a str),
}

/// What is asked of AWS.
#[async_trait]
pub trait Cloud: Send + Sync + 'static {
    /// All instances with these tags, of any state.
    async fn instances(&self, tags: &[(&str, &str)]) -> Result<Vec<Instance>, CloudError>;
    /// The status checks of all that run.
    async fn healths(&self) -> Result<Vec<(String, Health)>, CloudError>;
    /// Spot instances that will be taken away in a moment.
    async fn notices(&self) -> Result<Vec<String>, CloudError>;
    /// Launches one instance.
    async fn launch(&self, launch: &Launch) -> Result<Instance, CloudError>;
    /// Terminates an instance.
    async fn terminate(&self, instance: &str) -> Result<(), CloudError>;
    /// Sets tags of an instance.
    async fn tag(&self, instance: &str, tags: &Tags) -> Result<(), CloudError>;
    /// Takes a tag off an instance.
    async fn untag(&self, instance: &str, key: &str) -> Result<(), CloudError>;
    /// The groups of these names, as far as they are there.
    async fn groups(&self, names: &[String]) -> Result<Vec<Group>, CloudError>;
    /// Sets a tag of a group.
    async fn group_tag(&self, group: &str, tag: (&str, &str)) -> Result<(), CloudError>;
    /// Takes a tag off a group.
    async fn group_untag(&self, group: &str, key: &str) -> Result<(), CloudError>;
    /// Tells a group how many instances it is to have.
    async fn group_desire(&self, group: &str, count: u32) -> Result<(), CloudError>;
    /// Keeps an instance when its group shrinks.
    async fn group_protect(&self, group: &str, instance: &str) -> Result<(), CloudError>;
    /// Terminates an instance of a group, which shall have one fewer.
    async fn group_terminate(&self, instance: &str) -> Result<(), CloudError>;
    /// Whether a call may be made; nothing is done.
    async fn dry_run(&self, of: Try<'_>) -> Result<(), CloudError>;
    /// Whether the template is there in this version.
    async fn template(&self, name: &str, version: &str) -> Result<(), CloudError>;
}
