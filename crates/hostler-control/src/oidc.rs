//! The identity provider, as the control plane uses it: what its groups give,
//! and where browsers may be sent after signing in.

use hostler_core::Name;
use hostler_core::access::Grants;
use hostler_oidc::{OidcError, OidcOptions, Provider};

/// What an identity provider is asked, and what its groups give.
#[derive(Clone, Debug)]
pub struct SignInOptions {
    /// How it is reached.
    pub provider: OidcOptions,
    /// What each group gives.
    pub groups: Vec<GroupRole>,
}

/// What a group gives: a role everywhere, or in one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRole {
    /// The group, as the provider names it.
    pub group: String,
    /// The role.
    pub role: Name,
    /// The one project; `None`: everywhere.
    pub project: Option<Name>,
}

/// A text that gives nothing to no group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not GROUP=ROLE or GROUP=ROLE@PROJECT")]
pub struct GroupRoleError(pub String);

impl std::str::FromStr for GroupRole {
    type Err = GroupRoleError;

    fn from_str(text: &str) -> Result<Self, GroupRoleError> {
        let error = || GroupRoleError(text.to_owned());
        let (group, given) = text.rsplit_once('=').ok_or_else(error)?;
        let (role, project) = match given.split_once('@') {
            Some((role, project)) => (role, Some(project)),
            None => (given, None),
        };
        let project = project.map(str::parse::<Name>).transpose();
        match (role.parse(), project) {
            (Ok(role), Ok(project)) if !group.is_empty() => Ok(Self {
                group: group.to_owned(),
                role,
                project,
            }),
            _ => Err(error()),
        }
    }
}

/// The identity provider.
pub(crate) struct Oidc {
    pub(crate) provider: Provider,
    groups: Vec<GroupRole>,
}

impl Oidc {
    pub(crate) fn new(options: SignInOptions) -> Result<Self, OidcError> {
        Ok(Self {
            provider: Provider::new(options.provider)?,
            groups: options.groups,
        })
    }

    /// What these groups give: all roles everywhere, and in each project the
    /// role that is named first.
    pub(crate) fn grants(&self, groups: &[String]) -> Grants {
        let mut grants = Grants::default();
        let given = self.groups.iter();
        for given in given.filter(|given| groups.contains(&given.group)) {
            let places = &mut grants.memberships;
            match &given.project {
                None if !grants.roles.contains(&given.role) => {
                    grants.roles.push(given.role.clone());
                }
                Some(project) if places.iter().all(|(place, _)| place != project) => {
                    places.push((project.clone(), given.role.clone()));
                }
                _ => {}
            }
        }
        grants.memberships.sort();
        grants
    }
}

/// Whether a browser may be sent there with a code: to a port of its own
/// machine, or to a page of ours.
pub(crate) fn is_ours(place: &str, public_url: Option<&str>) -> bool {
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    let own = ["http://127.0.0.1:", "http://[::1]:"];
    let port = own.iter().find_map(|own| place.strip_prefix(own));
    let on_port = port.is_some_and(|rest| {
        let (port, path) = rest.split_once('/').unwrap_or((rest, ""));
        port.parse::<u16>().is_ok() && !path.contains('#')
    });
    let page = public_url.and_then(|url| place.strip_prefix(url.trim_end_matches('/')));
    let on_page = page.is_some_and(|path| path.starts_with('/') && !path.contains('#'));
    plain(place) && (on_port || on_page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_gives_a_role_somewhere() {
        let check = |text: &str, expected: Option<(&str, &str, Option<&str>)>| {
            let read = text.parse::<GroupRole>().ok();
            let read = read.as_ref().map(|given| {
                let project = given.project.as_ref().map(Name::as_str);
                (given.group.as_str(), given.role.as_str(), project)
            });
            assert_eq!(read, expected, "{text}");
        };
        check("staff=user", Some(("staff", "user", None)));
        check("cn=a,ou=b=admin", Some(("cn=a,ou=b", "admin", None)));
        check("lab=user@lab-1", Some(("lab", "user", Some("lab-1"))));
        for bad in ["", "staff", "=user", "staff=", "staff=us er", "lab=user@"] {
            check(bad, None);
        }
    }

    #[test]
    fn a_browser_is_sent_to_its_own_machine_or_to_us() {
        let check = |place: &str, expected| {
            let public = Some("https://hostler.example/");
            assert_eq!(is_ours(place, public), expected, "{place}");
        };
        check("http://127.0.0.1:4711/back", true);
        check("http://[::1]:4711", true);
        check("https://hostler.example/signed-in?next=1", true);
        check("https://hostler.example", false);
        check("https://hostler.example.evil.org/", false);
        check("https://hostler.example@evil.org/", false);
        check("http://127.0.0.1:4711@evil.org/", false);
        check("http://127.0.0.1.evil.org:80/", false);
        check("http://127.0.0.1:80/\r\nx: y", false);
        check("https://hostler.example/\\evil.org", false);
        check("javascript:alert(1)", false);
        assert!(!is_ours("/", None));
    }
}
