//! What a request is about, by its method and path alone, as an API server
//! reads it before it looks at anything else.

use crate::access::Asked;
use crate::catalog::{self, Resource};

#[derive(Debug, Clone)]
pub(crate) struct Info {
    pub(crate) asked: Asked,
    /// None for paths that are no resource, and for resources nobody serves.
    pub(crate) resource: Option<&'static Resource>,
    /// The path names a resource, served or not.
    pub(crate) is_resource: bool,
}

impl Info {
    pub(crate) fn read(method: &str, path: &str, watches: bool) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => {
                Self::resource(method, ("", version), rest, watches)
            }
            ["apis", group, version, rest @ ..] if !rest.is_empty() => {
                Self::resource(method, (group, version), rest, watches)
            }
            _ => Self::page(method, path),
        }
    }

    fn page(method: &str, path: &str) -> Self {
        let asked = Asked {
            verb: method.to_lowercase(),
            path: path.to_owned(),
            ..Asked::default()
        };
        Self {
            asked,
            resource: None,
            is_resource: false,
        }
    }

    fn resource(
        method: &str,
        (group, version): (&str, &str),
        rest: &[&str],
        watches: bool,
    ) -> Self {
        let (space, rest) = match rest {
            ["namespaces", space, sub @ ("status" | "finalize")] => (*space, {
                let _ = sub;
                rest
            }),
            ["namespaces", space, inner @ ..] if !inner.is_empty() => (*space, inner),
            // A namespace is in itself, so that a Role in it can grant it.
            ["namespaces", space] => (*space, rest),
            _ => ("", rest),
        };
        let plural = rest.first().copied().unwrap_or_default();
        let name = rest.get(1).copied().unwrap_or_default();
        let found = catalog::find(group, version, plural);
        // One of the cluster is not found below a namespace.
        let misplaced =
            |one: &&Resource| !one.namespaced && !space.is_empty() && plural != "namespaces";
        let asked = Asked {
            verb: verb(method, name, watches).to_owned(),
            group: group.to_owned(),
            resource: plural.to_owned(),
            subresource: rest.get(2).copied().unwrap_or_default().to_owned(),
            space: space.to_owned(),
            name: name.to_owned(),
            path: String::new(),
        };
        Self {
            asked,
            resource: found.filter(|one| rest.len() <= 3 && !misplaced(one)),
            is_resource: true,
        }
    }

    /// The namespace that the object is kept in.
    pub(crate) fn space(&self) -> &str {
        match self.resource {
            Some(resource) if resource.namespaced => &self.asked.space,
            _ => "",
        }
    }
}

fn verb(method: &str, name: &str, watches: bool) -> &'static str {
    match (method, name.is_empty()) {
        ("GET" | "HEAD", true) if watches => "watch",
        ("GET" | "HEAD", true) => "list",
        ("GET" | "HEAD", false) => "get",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", false) => "delete",
        ("DELETE", true) => "deletecollection",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expected: [&str; 5]) {
        let asked = Info::read(method, path, false).asked;
        let found = [
            &asked.verb,
            &asked.space,
            &asked.resource,
            &asked.name,
            &asked.subresource,
        ];
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn a_path_says_what_is_asked() {
        check("GET", "/api/v1/nodes", ["list", "", "nodes", "", ""]);
        check("GET", "/api/v1/nodes/a", ["get", "", "nodes", "a", ""]);
        check(
            "POST",
            "/api/v1/namespaces/x/pods",
            ["create", "x", "pods", "", ""],
        );
        check(
            "PATCH",
            "/api/v1/namespaces/x/pods/p/status",
            ["patch", "x", "pods", "p", "status"],
        );
        check(
            "GET",
            "/api/v1/namespaces/x",
            ["get", "x", "namespaces", "x", ""],
        );
        check(
            "PUT",
            "/api/v1/namespaces/x/status",
            ["update", "x", "namespaces", "x", "status"],
        );
        check(
            "DELETE",
            "/apis/coordination.k8s.io/v1/namespaces/x/leases",
            ["deletecollection", "x", "leases", "", ""],
        );
    }

    #[test]
    fn nodes_are_not_found_below_a_namespace() {
        let found = |path| Info::read("GET", path, false).resource;
        assert!(found("/api/v1/namespaces/x/nodes").is_none());
        assert!(found("/api/v1/nodes").is_some());
        assert!(found("/api/v1/gadgets").is_none());
    }
}
